// SPDX-License-Identifier: Apache-2.0
// A program that prints its own values, beside which probes on the same lines say them.

/// A program that prints its own values: a line's number, a bar, and what a probe there should say.
enum PrintedPrograms {
    static let swift = ProbedSource(name: "printed.swift", text: head + body)

    private static let head = #"""
        import Foundation
        @inline(never) func told(_ text: String, _ values: Any..., line: Int = #line) {
          print("\(line)|\(text)")
          withExtendedLifetime(values) {} }
        @inline(never) @_optimize(none) func use<T>(_ value: T) { withExtendedLifetime(value) {} }
        /// A dictionary's or set's own order is another one in each process.
        func sorted<T>(_ list: some Sequence<T>) -> String {
          "[" + list.map { "\($0)" }.sorted().joined(separator: ", ") + "]" }
        func sorted<K, V>(_ table: [K: V]) -> String {
          "[" + table.map { pair in
            let key = pair.key is String ? "\"\(pair.key)\"" : "\(pair.key)"
            let value = pair.value is String ? "\"\(pair.value)\"" : "\(pair.value)"
            return "\(key): \(value)" }.sorted().joined(separator: ", ") + "]" }
        func words(_ list: Set<String>) -> String {
          "[" + list.map { "\"\($0)\"" }.sorted().joined(separator: ", ") + "]" }
        func dashed(_ count: Int, _ bytes: [UInt8]) -> String {
          "\(count): " + bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() }

        """#

    private static let body = #"""
        class Person { let name: String; unowned var me: Owner; weak var boss: Owner?; weak var gone: Owner?
          init(_ name: String, _ me: Owner) { self.name = name; self.me = me; boss = me } }
        class Owner { var title = "CEO" }
        struct Stamp { var date: Date?; var id: UUID; var link: URL?; var body: Data }
        struct Pair: Hashable { var a: Int8; var b: String }
        @inline(never) func widths(_ a: Int8, _ b: Int16, _ c: Int32, _ d: Int64, _ e: Int128) {
          told("\(a) \(b) \(c) \(d) \(e)", a, b, c, d, e)  // probe: {a} {b} {c} {d} {e} => printed
        }
        @inline(never) func unsigned(_ a: UInt8, _ b: UInt16, _ c: UInt32, _ d: UInt64, _ e: UInt128) {
          told("\(a) \(b) \(c) \(d) \(e)", a, b, c, d, e)  // probe: {a} {b} {c} {d} {e} => printed
        }
        @inline(never) func floats(_ a: Float16, _ b: Float, _ c: Double, _ d: Float80, _ e: CGFloat) {
          told("\(a) \(b) \(c) \(d) \(e)", a, b, c, d, e)  // probe: {a} {b} {c} {d} {e} => printed
        }
        @inline(never) func tables(_ a: [String: Int], _ b: Set<Int>, _ c: [Int: [String]], _ d: [String: String]) {
          told("\(sorted(a)) \(sorted(b)) \(sorted(c)) \(sorted(d))", a, b, c, d)  // probe: {a} {b} {c} {d} => printed
        }
        @inline(never) func empty(_ a: [String: Int], _ b: Set<String>, _ c: [UInt8: Bool]?) {
          told("[] [] nil \(a.count) \(b.isEmpty)", a, b, c as Any)  // probe: {a} {b} {c} {a.count} {b.isEmpty} => printed
        }
        @inline(never) func many(_ a: Set<UInt16>, _ b: Set<String>, _ c: [Int: Int]) {
          told("\(words(b)) \(a.count) \(c.count)", a, b, c)  // probe: {b} {a.count} {c.count} => printed
          use(a); use(b); use(c)
        }
        @inline(never) func hidden(_ held: [Int: Int], _ keys: Set<Pair>) {
          told("\(sorted(held)) [\(keys.map { "Pair(a: \($0.a), b: \"\($0.b)\")" }.joined())]", held, keys)  // probe: {held} {keys} => printed
        }
        @inline(never) func dates(_ a: Date, _ b: Stamp, _ c: URL, _ d: Duration, _ e: Date?) {
          told("date \(a.timeIntervalSinceReferenceDate) \(c.absoluteString) nil", a, b, c, d, e as Any)  // probe: {a} {c} {e} => printed // probe: hit if a > 1000 && c.hasPrefix("https:") && b.id == "6F9619FF-8B86-D011-B42D-00CF4FC964FF" => hit // probe: hit if b.id == "6F9619FF-8B86-D011-B42D-00CF4FC964FE" => never
        }
        @inline(never) func ids(_ a: [UUID], _ b: UUID?) {
          told("[" + a[0].uuidString.lowercased().filter { $0 != "-" } + "] nil", a, b as Any)  // probe: {a} {b} => printed
        }
        @inline(never) func bytes(_ a: Data, _ b: Data, _ c: Data, _ d: Data) {
          told("\(dashed(a.count, [UInt8](a))) \(dashed(b.count, [UInt8](b))) \(dashed(c.count, [UInt8](c))) \(dashed(d.count, [UInt8](d))) \(d.count)", a, b, c, d)  // probe: {a} {b} {c} {d} {d.count} => printed
        }
        @inline(never) func stamps(_ s: Stamp, _ t: Stamp) {
          told("https://a.example/b nil \(s.body.count) \(t.body.isEmpty)", s, t)  // probe: {s.link} {t.link} {s.body.count} {t.body.isEmpty} => printed
        }
        @inline(never) func references(_ p: Person) {
          told("\(p.me.title) \(p.boss!.title) nil CEO true", p)  // probe: {p.me.title} {p.boss?.title} {p.gone} {p.boss!.title} {p.gone == nil} => printed // probe: {p} => Person(name: "Ada", me: Owner(title: "CEO"), boss: Owner(title: "CEO"), gone: nil)
        }
        @inline(never) func nested(_ a: Int???, _ b: [Int?]?, _ c: String??, _ d: (Int?, Bool?)) {
          told("nil [1, nil] x (nil, true)", a as Any, b as Any, c as Any, d)  // probe: {a} {b} {c} {d} => printed
        }
        @inline(never) func texts(_ a: String, _ b: Substring, _ c: Character, _ d: String) {
          told("\(a) \(c) \(d) \(d.utf8.count)", a, b, c, d)  // probe: {a} {c} {d} {d.utf8.count} => printed
        }
        @main struct Main { static func main() {
          widths(-128, .min, .max, .min, Int128.max - 3)
          unsigned(255, .max, .max, .max, UInt128.max)
          floats(0.1, 0.1, .pi, 0.1, 2.5)
          tables(["a": 1, "bb": 2, "a key of more than fifteen bytes": 3], [4, 5, 70000], [1: ["x", "y"], -2: []], ["k": "v", "": "größe"])
          empty([:], [], nil)
          many(Set(0..<1000), Set((0..<40).map { "word \($0)" }), Dictionary(uniqueKeysWithValues: (0..<5000).map { ($0, $0) }))
          var few: [Int: Int] = Dictionary(minimumCapacity: 700)
          few[7] = 8; few[9] = 10
          hidden(few, [Pair(a: 5, b: "five")])
          let id = UUID(uuidString: "6F9619FF-8B86-D011-B42D-00CF4FC964FF")!
          let large = Data((0..<40).map { UInt8($0) })
          dates(Date(timeIntervalSinceReferenceDate: 790000000.25), Stamp(date: nil, id: id, link: nil, body: large), URL(string: "https://example.com/path?q=1")!, .seconds(1), nil)
          ids([id], nil)
          bytes(Data(), Data([1, 2, 255]), large, large[5..<9])
          stamps(Stamp(date: nil, id: id, link: URL(string: "https://a.example/b"), body: large), Stamp(date: Date(), id: id, link: nil, body: Data()))
          let owner = Owner()
          var lost: Owner? = Owner()
          let person = Person("Ada", owner)
          person.gone = lost
          lost = nil
          references(person)
          nested(.some(.some(nil)), [1, nil], "x", (nil, true))
          texts("e\u{301}\0€", "sub", "🇩🇪", "ein langer Text — mit Größe und 🎲")
          use(owner)
        } }
        """#
}
