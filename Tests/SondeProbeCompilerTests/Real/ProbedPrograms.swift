// SPDX-License-Identifier: Apache-2.0
// Programs with values of every kind, and in comments what probes on their lines should say.

/// Programs with values of every kind.
enum ProbedPrograms {
    static let swift = ProbedSource(name: "settle.swift", text: swiftText)
    static let c = ProbedSource(name: "ledger.c", text: cText)

    static let swiftText = #"""
        struct Point { var x: Int; var y: Double; var small: Int8 }
        struct Line { var from: Point; var to: Point; var name: String }
        class Person { let name: String; var age: Int; var boss: Person?
          init(_ name: String, _ age: Int, _ boss: Person?) { self.name = name; self.age = age; self.boss = boss } }
        final class Player: Person { var points: [Int] = [4, 5, 6]; var nick: String? = nil
          @inline(never) func play(_ extra: Int) -> Int {
            let total = points[0] + extra
            use(total)  // probe: {name} {points} {total} {extra} {self.age} => Ada [4, 5, 6] 11 7 7
            return total } }
        enum Suit { case hearts, spades, clubs }
        enum State { case open; case won(Double); case lost(reason: String, code: Int) }
        indirect enum Tree { case leaf(Int); case node(Tree, Tree) }
        var globalCount = 1234
        actor Ledger { var balance = 50; var label = "main"
          func pay(_ amount: Int) -> Int {
            balance -= amount
            use(amount)  // probe: {balance} {label} {amount} => 45 main 5
            return balance } }
        @inline(never) @_optimize(none) func use<T>(_ value: T) { withExtendedLifetime(value) {} }
        @inline(never) func integers(_ a: Int8, _ b: UInt8, _ c: Int16, _ d: UInt32, _ e: Int, _ f: UInt64) {
          use(a)  // probe: {a} {b} {c} {d} {e} {f} => -5 200 -300 4000000000 -7 18446744073709551615 // probe: {e + 1} if b > 100 && c < 0 => -6 // probe: {a} if b > 200 => never
          use(f); use(e); use(d); use(c); use(b)
        }
        @inline(never) func floats(_ a: Double, _ b: Float, _ c: Bool) {
          use(a)  // probe: {a} {b} {c} {a * 2} => 1.25 0.5 true 2.5
          use(b); use(c)
        }
        @inline(never) func strings(_ small: String, _ large: String, _ literal: String, _ other: String) {
          use(small)  // probe: {small}|{large}|{literal}|{other} => Ada|Ada Lovelace, Countess of Lovelace|a literal that is long enough|größe € 🎲 // probe: {small.utf8.count} if large.contains("Countess") && !small.isEmpty => 3
          use(large); use(literal); use(other)
        }
        @inline(never) func optionals(_ a: Int?, _ b: Int?, _ c: String?, _ d: Person?, _ e: Bool?, _ f: Int??) {
          use(a)  // probe: {a} {b} {c} {d?.name} {e} {f} {a ?? 1} {b ?? 1} => 9 nil nil Ada true nil 9 1 // probe: hit if a == 9 && b == nil && d?.age == 36 => hit
          use(b); use(c); use(d); use(e); use(f)
        }
        @inline(never) func structs(_ p: Point, _ l: Line, _ t: (Int, label: String)) {
          use(p)  // probe: {p} {l} {t} {t.0} {l.to.y} => Point(x: 1, y: 2.5, small: -3) Line(from: Point(x: 1, y: 2.5, small: -3), to: Point(x: 4, y: 5.5, small: 6), name: "L") (3, label: "three") 3 5.5
          use(l); use(t)
        }
        @inline(never) func objects(_ p: Person, _ q: Player) {
          use(p)  // probe: {p} {p.boss?.name} {q.points.count} {q.nick} => Person(name: "Eve", age: 50, boss: Person(name: "Ada", age: 36, boss: nil)) Ada 3 nil // probe: {q.name} if p.boss != nil && p.age > 40 => Ada
          use(q)
        }
        @inline(never) func enums(_ a: Suit, _ b: State, _ c: State, _ d: State, _ e: Tree) {
          use(a)  // probe: {a} {b} {c} {d} {e} => .spades .open .won(3.5) .lost((reason: "late", code: 7)) .node((.leaf(1), .leaf(2))) // probe: hit if a == .spades && c == .won && d != .open => hit
          use(b); use(c); use(d); use(e)
        }
        @inline(never) func arrays(_ a: [Int], _ b: [String], _ c: [Point], _ d: [[Int]], _ e: [Int]) {
          use(a)  // probe: {a} {b} {c} {d} {e} {a[1]} {b.count} => [1, 2, 3] ["x", "yy"] [Point(x: 1, y: 2.5, small: -3)] [[1], [2, 3]] [] 2 2
          use(b); use(c); use(d); use(e)
        }
        @inline(never) func closures(_ base: Int) {
          let name = "captured"
          let run = { (step: Int) in
            use(step)  // probe: {base} {name} {step} => 10 captured 4
            use(base); use(name)
          }
          run(4)
        }
        @inline(never) func inouts(_ value: inout Int, _ point: inout Point) {
          value += 1
          use(value)  // probe: {value} {point.x} => 8 1
          point.x += 1
        }
        enum Level: Int { case low = 10, high = 20 }
        enum Kind: String { case a = "x", b = "y" }
        enum Result2 { case ok(Point), bad(Person), none }
        struct Wallet { var cents: Int64; var owner: Person?; var level: Level; var tags: [String]; var state: State
          var half: Int64 { cents / 2 } }
        @inline(never) func mixed(_ w: Wallet, _ o: Wallet?, _ l: [Int?], _ s: Set<Int>, _ d: [String: Int], _ k: Kind, _ c: Character) {
          use(w)  // probe: {w.cents} {w.owner?.name} {w.level} {w.tags} {w.state} => 500 Ada .high ["t"] .won(2.5) // probe: {o == nil} {l} {s.count} {d.count} {k} {c} => true [1, nil, 3] 2 1 .b z // probe: hit if w.level == .high && w.state == .won && w.owner?.age == 7 && o == nil => hit // probe: {w.state.won} {w.state.lost?.code} => 2.5 nil
          use(o); use(l); use(s); use(d); use(k); use(c)
        }
        @inline(never) func payloads(_ a: Result2, _ b: Result2, _ c: Result2, _ p: any Equatable, _ f: @escaping (Int) -> Int) {
          use(a)  // probe: {a} {b} {c} {p} => .ok(Point(x: 1, y: 2.5, small: -3)) .bad(Person(name: "Ada", age: 7, boss: nil)) .none <any Equatable… // probe: {a.ok?.x} {b.bad?.name} {b.ok?.x} => 1 Ada nil
          use(b); use(c); use(p); use(f)
        }
        @inline(never) func generic<T>(_ value: T, _ count: Int) {
          use(value)  // probe: {count} => 3
          use(count)
        }
        @inline(never) func waiting(_ id: Int, _ name: String) async -> Int {
          let before = id * 2
          await Task.yield()
          use(before)  // probe: {id} {name} {before} => 21 async 42
          return before + name.utf8.count
        }
        func throwing(_ n: Int) throws -> Int {
          defer { use(n) }
          guard n > 0 else { return 0 }
          let items = (0..<n).map { $0 * $0 }
          use(items)  // probe: {items} {n} {items[n - 1]} => [0, 1, 4] 3 4
          return items.count
        }
        struct Counter { static var made = 3; var n: Int
          mutating func bump(by step: Int) {
            n += step
            use(n)  // probe: {n} {self.n} {step} => 12 12 5
          } }
        @inline(never) func globals() {
          Counter.made += 1
          use(globalCount)  // probe: {globalCount} {Counter.made} => 1234 4
        }
        @inline(never) func loop(_ count: Int) {
          for index in 0..<count {
            use(index)  // probe: i{index} if index % 2 == 1 => i1
          }
        }
        @main struct Main { static func main() async {
          integers(-5, 200, -300, 4_000_000_000, -7, .max)
          floats(1.25, 0.5, true)
          strings("Ada", ["Ada Lovelace", "Countess of Lovelace"].joined(separator: ", "), "a literal that is long enough", "größe € 🎲")
          let ada = Person("Ada", 36, nil)
          optionals(9, nil, nil, ada, true, nil)
          let p = Point(x: 1, y: 2.5, small: -3)
          structs(p, Line(from: p, to: Point(x: 4, y: 5.5, small: 6), name: "L"), (3, "three"))
          let player = Player("Ada", 36, nil)
          objects(Person("Eve", 50, ada), player)
          player.age = 7
          use(player.play(7))
          enums(.spades, .open, .won(3.5), .lost(reason: "late", code: 7), .node(.leaf(1), .leaf(2)))
          arrays([1, 2, 3], ["x", "yy"], [p], [[1], [2, 3]], [])
          closures(10)
          var seven = 7, q = p
          inouts(&seven, &q)
          player.age = 7
          mixed(Wallet(cents: 500, owner: player, level: .high, tags: ["t"], state: .won(2.5)), nil, [1, nil, 3], [4, 5], ["k": 1], .b, "z")
          payloads(.ok(p), .bad(player), .none, 5, { $0 + 1 })
          generic("g", 3)
          use(await waiting(21, "async"))
          use(try! throwing(3))
          var counter = Counter(n: 7)
          counter.bump(by: 5)
          globals()
          loop(4)
          use(await Ledger().pay(5))
        } }
        """#

    static let cText = #"""
        #include <stdint.h>
        #include <stdlib.h>
        enum color { RED = 1, GREEN = 5, BLUE = -2 };
        struct point { int x; double y; unsigned flag : 3; unsigned rest : 5; };
        struct node { int value; struct node *next; const char *name; char tag[8]; int cells[3]; };
        union word { int number; float fraction; };
        volatile int sink;
        long total = 77;
        __attribute__((noinline)) void use(const void *p) { __asm__ volatile("" : : "r"(p) : "memory"); }
        __attribute__((noinline)) void scalars(int8_t a, uint16_t b, int c, uint64_t d, float e, double f, _Bool g) {
          use((void *)&sink); sink += a + b + c + (int)d + (int)e + (int)f + g;  // probe: {a} {b} {c} {d} {e} {f} {g} => -3 60000 -7 18446744073709551615 0.5 2.25 true // probe: {c} if d > 1000 && a < 0 && f == 2.25 => -7
        }
        __attribute__((noinline)) void pointers(struct node *n, const char *text, const char *none, void *raw, enum color k) {
          use(n); use(text); sink += k == RED; use(none); use(raw);  // probe: {n.value} {n.next.value} {n.name} {text} {none} {k} {n.pointee} => 1 2 one hello nil .GREEN node(value: 1, next: 0x… // probe: {n.cells[1]} if text == "hello" && none == nil && k == GREEN => 20
        }
        __attribute__((noinline)) void structures(struct point p, struct node n, int *list) {
          use(&p); use(&n); use(list);  // probe: {p.x} {p.y} {p.flag} {n.tag} {n.cells} {list[2]} {total} => 4 1.5 5 tag [10, 20, 30] 9 77
        }
        struct packet { unsigned kind : 4; unsigned size : 12; signed level : 5; uint64_t wide : 40; union word payload; };
        __attribute__((noinline)) void packets(struct packet *p, union word w, long double x, __int128 big, const int (*grid)[3]) {
          use(p); use(&w); use(&x); use(&big); use(grid); sink += p->kind + w.number;  // probe: {p.kind} {p.size} {p.level} {p.wide} {p.payload.number} {w.number} {w.fraction} => 9 2345 -7 1099511627775 1065353216 1065353216 1.0 // probe: {x} {big} {grid[1][2]} => 0.25 -170141183460469231731687303715884105727 6 // probe: hit if p.kind == 9 && p.level < 0 && w.fraction == 1 => hit
        }
        int main(void) {
          struct packet packet = {9, 2345, -7, 0xFFFFFFFFFF, {.fraction = 1}};
          union word word = {.fraction = 1};
          int grid[2][3] = {{1, 2, 3}, {4, 5, 6}};
          packets(&packet, word, 0.25L, -(((__int128)0x7FFFFFFFFFFFFFFF << 64) | 0xFFFFFFFFFFFFFFFF), grid);
          struct node two = {2, 0, "two", "b", {1, 2, 3}};
          struct node one = {1, &two, "one", "tag", {10, 20, 30}};
          struct point p = {4, 1.5, 5, 9};
          int list[3] = {7, 8, 9};
          scalars(-3, 60000, -7, ~0ULL, 0.5f, 2.25, 1);
          pointers(&one, "hello", 0, &p, GREEN);
          structures(p, one, list);
          return 0;
        }
        """#
}
