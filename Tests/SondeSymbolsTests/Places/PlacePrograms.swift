// SPDX-License-Identifier: Apache-2.0
// Small programs that print what their variables hold, for the tests of places.

import Foundation
import SondeSymbols
import Testing

/// A program and its source, compiled in one way.
struct PlaceProgram: Sendable {
    var program: CompiledProgram
    var source: String
    /// The recorded path ends with this.
    var file: String
    var image: ProbeImage {
        get throws { try ProbeImage(path: program.path) }
    }

    /// The lines that contain a text, from 1.
    func lines(with text: String) -> [UInt32] {
        source.split(separator: "\n", omittingEmptySubsequences: false).enumerated()
            .filter { $0.element.contains(text) }.map { UInt32($0.offset + 1) }
    }

    /// The only line that contains a text.
    func line(with text: String) throws -> UInt32 {
        let lines = lines(with: text)
        try #require(lines.count == 1, "\(text) is on the lines \(lines)")
        return lines[0]
    }

    static func compile(
        _ compiler: String, _ source: String, _ file: String, _ flags: [String]
    ) throws -> Self {
        // The compiler records the folder, so each way of compiling has its own.
        let folder = flags.joined().filter { $0.isLetter || $0.isNumber }
        let path = "\(folder)/\(file)"
        let program = try CompiledProgram.compile(compiler, source, path, "\(path).out", flags)
        return Self(program: program, source: source, file: path)
    }

    private static let framePointer = ["-Xcc", "-fno-omit-frame-pointer"]
    /// As SwiftPM builds: debug, release, release with DWARF 5; and release without frame pointers.
    static let swiftVariants = [
        ["-Onone"] + framePointer, ["-O"] + framePointer,
        ["-O", "-dwarf-version=5"] + framePointer, ["-O"],
    ]

    static func swift(_ variant: [String]) throws -> Self {
        try swiftPrograms[swiftVariants.firstIndex(of: variant) ?? 0].get()
    }

    private static let swiftPrograms = swiftVariants.map { variant in
        Result {
            try compile("swiftc", bets, "bets.swift", variant + ["-g", "-parse-as-library"])
        }
    }

    static let cVariants = [
        ["-O0", "-gdwarf-4"], ["-O0", "-gdwarf-5"], ["-O2", "-gdwarf-4"], ["-O2", "-gdwarf-5"],
        ["-O2", "-gdwarf-5", "-fomit-frame-pointer"], ["-O0", "-gdwarf-5", "-fomit-frame-pointer"],
    ]

    static func c(_ variant: [String]) throws -> Self {
        try cPrograms[cVariants.firstIndex(of: variant) ?? 0].get()
    }

    private static let cPrograms = cVariants.map { variant in
        Result { try compile("clang", counts, "counts.c", variant + ["-g"]) }
    }

    /// Each line with `emit` prints the line's number and what the variables hold there.
    static let bets = """
        struct Point { var x: Int; var y: Double }
        final class User { var id: Int; init(_ id: Int) { self.id = id } }
        nonisolated(unsafe) var counter = 40
        enum Limits { nonisolated(unsafe) static var most = 17 }
        @inline(never) func emit(_ names: StaticString, _ values: [Any], _ line: Int = #line) {
          var text = "T \\(line)"
          let names = "\\(names)".split(separator: ",")
          for (name, value) in zip(names, values) {
            let shown = (value as? User).map { "\\($0.id)" } ?? "\\(value)"
            text += "|\\(name)=\\(shown)"
          }
          print(text)
        }
        @inline(never) func add(_ left: Int, _ right: Int, rate: Double, on: Bool, times: Int) -> Int {
          let sum = left + right
          emit("left,right,sum,rate,on", [left, right, sum, rate, on])
          var total = 0
          for step in 0..<times {
            total += step * sum
            emit("step,total,sum", [step, total, sum])
          }
          if let total = Optional(total + 1), total > 2 {
            emit("total", [total])
          }
          emit("total,left", [total, left])
          return total
        }
        @inline(__always) func scaled(_ value: Int, by factor: Int) -> Int {
          let product = value * factor
          emit("value,factor,product", [value, factor, product])
          return product + 1
        }
        @inline(never) func twice(_ start: Int) -> Int {
          let once = scaled(start, by: 3)
          return scaled(once, by: 5)
        }
        @inline(never) func describe(_ user: User, note: String, at point: Point) -> String {
          let label = note + "!"
          emit("user,note,label", [user, note, label])
          emit("user,note", [user, note])
          return label + "\\(point.x) \\(point.y)"
        }
        @inline(never) func generic<T: Hashable>(_ items: [T], extra: T) -> Int {
          var seen: Set<T> = [extra]
          for item in items {
            seen.insert(item)
          }
          let count = seen.count
          emit("count", [count])
          return count
        }
        @inline(never) func raise(_ amount: inout Int, by step: Int) {
          emit("amount,step", [amount, step])
          amount += step
          emit("amount,step", [amount, step])
        }
        @inline(never) func closures(_ base: Int) -> [Int] {
          let offset = base * 2
          return [1, 2, 3].map { element in
            let moved = element + offset
            emit("element,moved,offset", [element, moved, offset])
            return moved + base
          }
        }
        @inline(never) func maybe(_ value: Int?) -> Int {
          guard let value else {
            return -1
          }
          emit("value", [value])
          return value
        }
        actor Ledger {
          var balance = 100
          func bump(_ amount: Int, label: String) async -> Int {
            let before = balance
            balance += amount
            emit("amount,label,before", [amount, label, before])
            await Task.yield()
            let middle = balance + before
            emit("amount,label,before,middle", [amount, label, before, middle])
            let doubled = await double(middle, label)
            emit("amount,label,middle,doubled", [amount, label, middle, doubled])
            return doubled + middle
          }
        }
        @inline(never) func double(_ number: Int, _ text: String) async -> Int {
          let result = number * 2
          emit("number,text,result", [number, text, result])
          await Task.yield()
          emit("number,text,result", [number, text, result])
          return result
        }
        @inline(never) func fixed(
          _ seven: Int, _ user: User, _ half: Double, _ yes: Bool, _ name: String
        ) async -> Int {
          print(seven)
          await Task.yield()
          let more = await double(seven, name)
          print(more, user.id, half, yes, name)
          await Task.yield()
          var sum = 0
          for index in 0..<2 {
            sum += await double(index, name)
          }
          print(sum, seven, user.id, half, yes, name)
          return sum
        }
        struct Mixed { var small: UInt8; var number: Int; var on: Bool; var rate: Double }
        struct Narrow { var low: Int32; var high: Int }
        @inline(never) func scattered(_ mixed: Mixed, _ narrow: Narrow, _ pair: (Int8, Int)) -> Int {
          print(mixed.number, narrow.high)
          let copy = mixed
          print(copy.on, copy.rate, pair.1)
          return mixed.number &+ Int(mixed.small) &+ narrow.high &+ Int(narrow.low) &+ Int(pair.0)
        }
        @inline(never) func changed(_ count: Int) -> Mixed {
          var mixed = Mixed(small: 9, number: count, on: count > 3, rate: Double(count))
          for step in 0..<count {
            mixed.number &+= step
            mixed.on.toggle()
            print(mixed.number)
          }
          return mixed
        }
        @main struct Main {
          static func main() async {
            let user = User(77)
            print(add(2, 5, rate: 1.5, on: true, times: 3), twice(4))
            print(describe(user, note: "a note", at: Point(x: 3, y: 0.5)))
            print(describe(user, note: "a note that is longer than fifteen bytes", at: Point(x: 4, y: 1.5)))
            print(generic([1, 2, 2], extra: 9), generic(["a"], extra: "b"))
            var amount = 6
            raise(&amount, by: 4)
            print(closures(10), maybe(3), maybe(nil))
            let ledger = Ledger()
            print(await ledger.bump(4, label: "label"))
            print(await fixed(7, User(55), 0.5, true, "fixed"))
            let mixed = Mixed(small: 5, number: 7, on: true, rate: 2.5)
            print(scattered(mixed, Narrow(low: 3, high: 4), (1, 2)), changed(amount))
            counter += 2
            Limits.most += 1
            print(counter, Limits.most)
          }
        }
        """

    /// Each line with `EMIT` prints the line's number and what the variables hold there.
    static let counts = """
        #include <stdio.h>
        #define EMIT(...) printf("T %d" __VA_ARGS__), puts("")
        struct pair { long first; int second; };
        static long hits = 5;
        __thread int local_to_thread = 3;
        long shared_total = 11;
        static inline __attribute__((always_inline)) long square(long base) {
          long result = base * base;
          EMIT("|base=%ld|result=%ld", __LINE__, base, result);
          return result;
        }
        __attribute__((noinline)) long work(int count, unsigned char tag, double rate, struct pair *pair) {
          long sum = 0;
          for (int step = 0; step < count; step++) {
            sum += square(step + 2);
            EMIT("|step=%d|sum=%ld|count=%d", __LINE__, step, sum, count);
          }
          short small = (short)(sum - 70000);
          EMIT("|sum=%ld|tag=%d|small=%d", __LINE__, sum, tag, small);
          {
            long sum = pair->first + 1;
            EMIT("|sum=%ld", __LINE__, sum);
            shared_total += sum;
          }
          EMIT("|sum=%ld|rate=%g", __LINE__, sum, rate);
          hits += sum + local_to_thread;
          return sum + (long)rate + small;
        }
        int main(void) {
          struct pair pair = {41, 2};
          printf("%ld\\n", work(3, 200, 2.25, &pair));
          printf("%ld %ld\\n", hits, shared_total);
          return 0;
        }
        """
}
