// SPDX-License-Identifier: Apache-2.0
// Types of the toolchain's libraries, and what is left when the compiler dropped metadata.

import SondeSymbols
import Testing

@Suite struct LibraryTypeTests {
    static let source = """
        import Dispatch
        import Foundation
        import Synchronization
        func type<T: ~Copyable>(_ name: String, _: T.Type) {
          print("T", name, MemoryLayout<T>.size, MemoryLayout<T>.stride, MemoryLayout<T>.alignment)
        }
        func maybe<T>(_ value: T) {
          let name = _mangledTypeName(T.self) ?? "?"
          type(name, T.self)
          for (some, item) in [(1, Optional(value)), (0, nil)] {
            var copy = item
            let bytes = withUnsafeBytes(of: &copy) { bytes in
              bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
            }
            print("O", _mangledTypeName(Optional<T>.self) ?? "?", bytes, some)
          }
        }
        maybe(Date()); maybe(UUID()); maybe(Data()); maybe(Data([1, 2, 3]))
        maybe(Data(count: 100)); maybe(URL(string: "http://a.b/c")!); maybe(Decimal(3))
        maybe(Locale.current); maybe(TimeZone.current); maybe(Calendar.current)
        maybe(DateInterval()); maybe(CharacterSet()); maybe(DispatchTime.now())
        maybe(Task { 1 }); maybe(TaskPriority.high); maybe(AnyHashable(1))
        maybe(StaticString("a")); maybe("abc".utf8); maybe("abc".unicodeScalars)
        maybe(AsyncStream<Int> { _ in }); maybe("abc".startIndex); maybe(ContinuousClock())
        maybe(ContinuousClock.now); maybe(Duration.seconds(1))
        AsyncStream<Int> { maybe($0) }.makeAsyncIterator()
        type("15Synchronization5MutexVys4Int8VG", Mutex<Int8>.self)
        type("15Synchronization5MutexVySSG", Mutex<String>.self)
        type("15Synchronization6AtomicVySbG", Atomic<Bool>.self)
        type("15Synchronization6AtomicVySiG", Atomic<Int>.self)
        """

    @Test func typesOfTheLibrariesAreThoseOfThisToolchain() throws {
        let program = try CompiledProgram.compile(
            "swiftc", Self.source, "library.swift", "library",
            ["-g", "-Onone", "-swift-version", "5", "-suppress-warnings"])
        let output = try #require(CompiledProgram.run(program.path, []))
        let image = try ProbeImage(path: program.path)
        var counts: [String: Int] = [:]
        for line in output.split(separator: "\n") {
            let words = line.split(separator: " ").map(String.init)
            counts[words[0], default: 0] += 1
            let layout = image.layout(of: LayoutProgram.type(words[1]))
            if words[0] == "T" {
                #expect(
                    ["\(layout.size)", "\(layout.stride)", "\(layout.alignment)"]
                        == Array(words[2...]), "\(layout.name): \(layout.kind)")
            } else {
                guard case .optional(_, let tag) = layout.kind else {
                    Issue.record("\(layout.name) is \(layout.kind)")
                    continue
                }
                let bytes = try #require(SwiftLayoutTests.bytes(words[2]))
                #expect(tag.caseIndex(of: bytes) == (words[3] == "1" ? 0 : 1), "\(line)")
            }
        }
        #expect(counts["T"] ?? 0 > 25)
        #expect(counts["O"] ?? 0 > 48)
    }

    static let dropping = """
        struct Dropped { var a: Int8; var b: Int; var s: Inner; var t: Int16 }
        struct Inner { var f: Float; var c: Color }
        enum Color: Int8 { case red, green, blue }
        enum Pay { case card(Int), cash }
        @_optimize(none) func pay(_ d: Dropped, _ p: Pay) -> Int {
          if case .card(let n) = p { return n + d.b }
          return Int(d.t)
        }
        print(MemoryLayout<Dropped>.size, MemoryLayout.offset(of: \\Dropped.b)!,
          MemoryLayout.offset(of: \\Dropped.s)!, MemoryLayout.offset(of: \\Dropped.t)!)
        let count = Int(CommandLine.argc)
        let inner = Inner(f: 1, c: count > 1 ? .green : .blue)
        print(pay(Dropped(a: 1, b: count, s: inner, t: 1), count > 1 ? .cash : .card(3)))
        """

    @Test func droppedMetadataIsSaidAndDebugInfoStepsIn() throws {
        let flags =
            ["-O", "-wmo", "-g", "-module-name", "subject", "-Xcc"]
            + ["-fno-omit-frame-pointer"]
        let plain = try CompiledProgram.compile(
            "swiftc", Self.dropping, "dropped.swift", "dropped", flags)
        let full = try CompiledProgram.compile(
            "swiftc", Self.dropping, "dropped-types.swift", "dropped-types",
            flags + ["-gdwarf-types"])
        let printed = try #require(CompiledProgram.run(full.path, [])).split(separator: "\n")
        let numbers = try #require(printed.first).split(separator: " ").map(String.init)
        let name = LayoutProgram.type("7subject7DroppedV")
        guard case .opaque(let reason) = try ProbeImage(path: plain.path).layout(of: name).kind
        else {
            Issue.record("metadata that is not there was read")
            return
        }
        #expect(reason.contains("dropped"))
        #expect(reason.contains("-gdwarf-types"))
        let image = try ProbeImage(path: full.path)
        let layout = image.layout(of: name)
        let fields = try #require(SwiftLayoutTests.fields(of: layout), "\(layout.kind)")
        #expect(fields.map(\.name) == ["a", "b", "s", "t"])
        // The compiler states wrong offsets here: 0, 1, 9, 14.
        #expect([layout.size] + fields.dropFirst().map(\.offset) == numbers.map { UInt64($0) })
        // Which cases are indirect is not stated, so an enum that carries something stays closed.
        let pay = image.layout(of: LayoutProgram.type("7subject3PayO"))
        if case .opaque = pay.kind {} else { Issue.record("an enum is guessed: \(pay.kind)") }
    }
}
