// SPDX-License-Identifier: Apache-2.0
// Broken metadata and debug info of types give poor layouts: never a crash or a hang.

import Foundation
import SondeSymbols
import Testing

@Suite struct HostileLayoutTests {
    static let source = """
        public final class Klass { public var n = 1; var t = "a"; weak var w: Klass? }
        public struct Pair<A, B> { public var a: A; public var b: B? }
        public enum Two { case a(Klass), b(Klass), c, d }
        public indirect enum Tree { case leaf(Int), node(Tree, Tree) }
        public protocol P {}
        struct Hold {
          var p: any P; var two: Two?; var tree: Tree; var pair: Pair<Int8, Bool>
          var f: () -> Int; var l: [Two]; var k: Klass
        }
        @_optimize(none) func use(_ h: Hold) -> Any { h }
        """

    private static let library = Result {
        try CompiledProgram.compile(
            "swiftc", source, "hostile.swift", "hostile.so",
            ["-emit-library", "-parse-as-library", "-Onone", "-g", "-module-name", "a"])
    }

    /// Asks for all types and for those in them; only that it returns matters.
    static func use(_ path: String) -> Int {
        guard let image = try? ProbeImage(path: path) else { return 0 }
        var next = image.swiftTypes
        for offset in stride(from: UInt64(11), to: 2000, by: 13) {
            next.append(TypeID(entry: offset))
        }
        var seen: Set<TypeID> = []
        while let type = next.popLast(), seen.count < 3000 {
            guard seen.insert(type).inserted else { continue }
            switch image.layout(of: type).kind {
            case .structure(let fields), .tuple(let fields), .object(let fields, _, _):
                next += fields.map(\.type)
            case .optional(let payload, _): next.append(payload)
            case .enumeration(let cases, _): next += cases.compactMap(\.payload)
            case .array(let element), .cArray(let element, _): next.append(element)
            default: break
            }
        }
        return seen.count
    }

    @Test(.timeLimit(.minutes(5))) func mutatedSectionsAreHarmless() throws {
        let path = try Self.library.get().path
        #expect(Self.use(path) > 50)
        let bytes = Array(try Data(contentsOf: URL(fileURLWithPath: path)))
        let sections = HostileImageTests.sections(of: bytes)
        var generator = SplitMix(seed: 7)
        for _ in 0..<400 {
            var mutated = bytes
            for _ in 0...Int.random(in: 0..<6, using: &generator) {
                guard let section = sections.randomElement(using: &generator) else { continue }
                mutated[Int.random(in: section, using: &generator)] = UInt8.random(
                    in: 0...255, using: &generator)
            }
            _ = Self.use(try HostileImageTests.write(mutated, "mutated-layouts"))
        }
    }

    @Test(.timeLimit(.minutes(5))) func everyTruncationIsHarmless() throws {
        let bytes = try Data(contentsOf: URL(fileURLWithPath: Self.library.get().path))
        for length in stride(from: 0, to: bytes.count, by: 499) {
            _ = Self.use(try HostileImageTests.write(bytes.prefix(length), "truncated-layouts"))
        }
    }
}
