// SPDX-License-Identifier: Apache-2.0
// Programs that count the passes over their own lines, for the tests of places.

import Foundation

/// A program that prints `P <line> <count>` for each of its lines that calls `tick`.
enum PassProgram {
    static let swiftVariants = [PlaceProgram.swiftVariants[0], PlaceProgram.swiftVariants[1]]
    static let cVariants = [["-O0"], ["-O2"]]

    static func swift(_ variant: [String]) throws -> PlaceProgram {
        try PlaceProgram.compile(
            "swiftc", swiftSource, "passes.swift", variant + ["-g", "-parse-as-library"])
    }

    static func c(_ compiler: String, _ variant: [String]) throws -> PlaceProgram {
        try PlaceProgram.compile(
            compiler, cSource, "\(compiler)-passes.c", variant + ["-g", "-gdwarf-5"])
    }

    /// The passes that a run of the program printed, by line.
    static func printed(_ output: String) -> [UInt32: Int] {
        var passes: [UInt32: Int] = [:]
        for text in output.split(separator: "\n") where text.hasPrefix("P ") {
            let words = text.split(separator: " ")
            if let line = UInt32(words[1]) { passes[line] = Int(words[2]) }
        }
        return passes
    }

    private static let swiftSource = """
        import Glibc
        nonisolated(unsafe) var passes = [Int](repeating: 0, count: 400)
        nonisolated(unsafe) let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
        @inline(never) func tick(_ line: Int = #line) -> Bool {
          pthread_mutex_lock(lock)
          passes[line] += 1
          pthread_mutex_unlock(lock)
          return true
        }
        struct Ticking: Sequence, IteratorProtocol {
          var left: Int
          let line: Int
          init(_ left: Int, _ line: Int = #line) { self.left = left; self.line = line }
          @inline(never) mutating func next() -> Int? {
            _ = tick(line)
            if left == 0 { return nil }
            left -= 1
            return left
          }
        }
        final class Box {
          var value: Int
          init(_ value: Int) { self.value = value }
          @inline(never) func adding(_ other: Int, to more: Int) -> Box { Box(value + other + more) }
        }
        enum State { case small(Int), big(Int), box(Box), none }
        struct Wrong: Error {}
        @inline(never) func other(_ value: Int) -> Int { value &* 3 }
        @inline(never) func half(_ value: Int) -> Int? { value % 2 == 0 ? value / 2 : nil }
        @inline(never) func checked(_ number: Int) throws -> String {
          if number > 100 { throw Wrong() }
          return "\\(number)"
        }
        @inline(never) func conditions(_ value: Int) -> Int {
          var result = 0
          if tick(), let small = half(value), small > 1 {
            result += small
          } else if tick(), value > 3 {
            result += 1
          } else {
            result -= tick() ? 1 : 0
          }
          if tick() && result > 0 || value == 2 { result += 2 }
          if tick(), let box = Optional(Box(value)), let small = half(box.value), small > 1 {
            result += tick() ? box.value : 0
          }
          return tick() ? result : 0
        }
        @inline(never) func early(_ value: Int?) -> Int {
          guard tick(), let value else { return -1 }
          if tick(), value > 10 { return value }
          let box = Box(value)
          defer {
            box.value += tick() ? 1 : 0
          }
          if tick(), value == 7 { return box.value }
          let text = tick() ? "a\\(value) and \\(box.value)" : ""
          return text.utf8.count
        }
        @inline(never) func loops(_ count: Int) -> Int {
          var sum = 0
          for number in Ticking(count) {
            if number % 2 == 0 {
              sum += tick() ? 1 : 0
              continue
            }
            sum += tick() ? number : 0
          }
          var left = count
          while tick(), left > 0 {
            left -= 1
            if tick(), left == 1 { break }
          }
          repeat {
            left += 1
          } while tick() && left < count
          for number in Ticking(count) where number > 1 {
            for inner in Ticking(number) {
              sum += tick() ? inner : 0
            }
          }
          for number in Ticking(count) {
            let box = Box(number)
            defer {
              box.value += tick(#line - 1) ? 1 : 0
            }
            if tick(), number % 3 == 2 { continue }
            if tick(), let half = half(number) {
              sum += tick() ? half : 0
              continue
            }
            sum += tick() ? box.value : 0
          }
          return tick() ? sum : 0
        }
        @inline(never) func calls(_ value: Int) -> Int {
          let box = Box(tick() ? value : 0).adding(
            other(value),
            to: other(2))
          let total = max(tick() ? box.value : 0,
            other(box.value),
            other(3))
          return other(tick() ? total : 0)
            + other(box.value)
            + other(4)
        }
        @inline(never) func judge(_ state: State) -> Int {
          var result = 0
          switch tick() ? state : .none {
          case .small(let value):
            result += tick() ? value : 0
          case .big(let size) where size > 10:
            result += tick() ? size : 0
          case .big, .none:
            result -= tick() ? 1 : 0
          case .box(let box):
            result += tick() ? box.value : 0
          }
          return tick() ? result : 0
        }
        @inline(never) func tried(_ number: Int) -> Int {
          do {
            let text = try checked(tick() ? number : 0)
            let count = try checked(tick() ? text.utf8.count : 0).utf8.count + text.utf8.count
            return tick() ? count : 0
          } catch {
            return tick() ? 1000 : 0
          }
        }
        @inline(never) func recursive(_ depth: Int) -> Int {
          if tick(), depth == 0 { return 0 }
          let below = tick() ? recursive(depth - 1) : 0
          return tick() ? below + depth : 0
        }
        @inline(__always) func inlined(_ value: Int) -> Int {
          var value = value
          if tick(), value > 2 {
            value += tick() ? 1 : 0
          }
          return tick() ? value : 0
        }
        @inline(never) func callers(_ count: Int) -> Int {
          var sum = inlined(count)
          for number in Ticking(count) {
            sum += inlined(number) + inlined(number + 1)
          }
          return sum
        }
        @inline(never) func closures(_ numbers: [Int]) -> Int {
          let doubled = numbers.map { number in
            tick() ? number * 2 : 0
          }
          var sum = 0
          doubled.forEach { number in
            if tick(), number == 4 { return }
            sum += tick() ? number : 0
          }
          return sum
        }
        actor Desk {
          var count = 0
          func add(_ value: Int) -> Int {
            count += tick() ? value : 0
            return count
          }
        }
        @inline(never) func waits(_ desk: Desk, _ values: [Int]) async -> Int {
          var sum = 0
          for value in values {
            let first = await desk.add(tick() ? value : 0)
            if tick(), first > 2 { sum += await desk.add(first) }
            sum += tick() ? first : 0
          }
          async let beside = desk.add(1)
          guard tick(), await beside > 0 else { return -1 }
          return tick() ? sum : 0
        }
        @main struct Main {
          static func main() async {
            pthread_mutex_init(lock, nil)
            var sum = 0
            for value in 0..<6 { sum += conditions(value) }
            for value in [nil, 3, 7, 20, 4] { sum += early(value) }
            sum += loops(0) + loops(1) + loops(4) + loops(5)
            sum += calls(3) + calls(4)
            for state in [State.small(1), .big(3), .big(30), .none, .box(Box(4))] { sum += judge(state) }
            for number in [5, 500, 99] { sum += tried(number) }
            sum += recursive(4) + callers(3) + closures([1, 2, 3])
            sum += await waits(Desk(), [1, 2, 3])
            await withTaskGroup(of: Int.self) { group in
              for number in 0..<4 {
                group.addTask { loops(number) + recursive(number) + (await waits(Desk(), [number])) }
              }
              for await part in group { sum += part }
            }
            for line in passes.indices where passes[line] > 0 { print("P", line, passes[line]) }
            print(sum)
          }
        }
        """

    private static let cSource = """
        #include <stdio.h>
        static int passes[200];
        static int __attribute__((noinline)) tick(int line) { passes[line]++; return 1; }
        #define TICK tick(__LINE__)
        static int __attribute__((noinline)) other(int value) { return value * 3; }
        static int __attribute__((noinline)) conditions(int value)
        {
            int result = 0;
            if (TICK && value > 3)
                result += 2;
            else if (TICK && value == 2)
                result += TICK ? 1 : 0;
            else
                result -= TICK;
            if (value == 5)
                return TICK;
            result += TICK ? value : other(value);
            return TICK ? result : 0;
        }
        static int __attribute__((noinline)) loops(int count)
        {
            int sum = 0, left = count;
            for (int i = 0; TICK && i < count; i++) {
                if (i == 2)
                    continue;
                sum += TICK ? i : 0;
            }
            while (TICK && left > 0) {
                left--;
                if (TICK && left == 3)
                    break;
            }
            do {
                left++;
            } while (TICK && left < count);
            return TICK ? sum : 0;
        }
        static int __attribute__((noinline)) calls(int value)
        {
            int total = other(TICK ? value : 0) +
                        other(value + 1) +
                        other(value + 2);
            return TICK ? total : 0;
        }
        static int __attribute__((noinline)) judge(int value)
        {
            int result = 0;
            switch (TICK ? value : 0) {
            case 0: result += TICK; break;
            case 1: result += other(TICK);
            case 2: result += TICK; break;
            case 3: return TICK;
            case 4: goto out;
            default: result -= TICK;
            }
        out:
            return TICK ? result : 0;
        }
        static int __attribute__((noinline)) recursive(int depth)
        {
            if (TICK && depth == 0)
                return 0;
            return (TICK ? recursive(depth - 1) : 0) + depth;
        }
        static inline __attribute__((always_inline)) int inlined(int value)
        {
            if (TICK && value > 2)
                value += TICK;
            return TICK ? value : 0;
        }
        static int __attribute__((noinline)) callers(int count)
        {
            int sum = inlined(count);
            for (int i = 0; i < count; i++)
                sum += inlined(i) + inlined(i + 1);
            return sum;
        }
        int main(void)
        {
            int sum = 0;
            for (int i = 0; i < 7; i++)
                sum += conditions(i) + loops(i) + calls(i) + judge(i) + recursive(i) + callers(i);
            for (int line = 0; line < 200; line++)
                if (passes[line] > 0)
                    printf("P %d %d\\n", line, passes[line]);
            printf("%d\\n", sum);
        }
        """
}
