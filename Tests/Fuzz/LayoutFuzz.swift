// SPDX-License-Identifier: Apache-2.0
// Fuzzes the layouts of an image's types, and the reader of mangled types.

import Foundation
import SondeModel
import SondeSymbols

/// Opens an image and asks for the layouts of its types, and of the types in those.
enum LayoutFuzz {
    static let target = FuzzTarget(
        test: { data, size in
            check(bytes(data, size))
            return 0
        }, seeds: { try compiled() }, isImage: true)

    static func check(_ input: [UInt8]) {
        // A new file each time: the last one may still be mapped.
        unlink(ElfFuzz.path)
        guard FileManager.default.createFile(atPath: ElfFuzz.path, contents: Data(input)) else {
            preconditionFailure("cannot write \(ElfFuzz.path)")
        }
        guard let image = try? ProbeImage(path: ElfFuzz.path, limits: ElfFuzz.limits) else {
            return
        }
        var budget = 4000
        var seen: Set<TypeID> = []
        var next = Array(image.swiftTypes.prefix(500))
        for offset in stride(from: UInt64(11), to: 4096, by: 7) {
            next.append(TypeID(entry: offset))
        }
        while let type = next.popLast(), budget > 0 {
            budget -= 1
            guard seen.insert(type).inserted else { continue }
            let layout = image.layout(of: type)
            precondition(layout.stride >= 1, "BUG: a stride of 0")
            precondition(layout.alignment.nonzeroBitCount == 1, "BUG: an odd alignment")
            next += parts(of: layout)
        }
    }

    static func parts(of layout: TypeLayout) -> [TypeID] {
        switch layout.kind {
        case .structure(let fields), .tuple(let fields):
            for field in fields {
                precondition(field.offset <= layout.size, "BUG: a field behind its structure")
            }
            return fields.prefix(64).map(\.type)
        case .object(let fields, _, _): return fields.prefix(64).map(\.type)
        case .optional(let payload, let tag):
            use(tag, layout)
            return [payload]
        case .enumeration(let cases, let tag):
            use(tag, layout)
            return cases.prefix(64).compactMap(\.payload)
        case .array(let element), .cArray(let element, _), .weak(let element): return [element]
        case .hashed(let key, let value): return [key] + [value].compactMap(\.self)
        case .pointer(let pointee?): return [pointee]
        default: return []
        }
    }

    static func use(_ tag: TagRule, _ layout: TypeLayout) {
        let size = Int(min(layout.size, 4096))
        for byte in [0, 1, 0x7F, 0xFF] as [UInt8] {
            _ = tag.caseIndex(of: Array(repeating: byte, count: size))
        }
        _ = tag.foreignMask(byteOffset: 0, bytes: 8)
    }

    /// Small libraries with types of all kinds, as several compilers' settings.
    static func compiled() throws -> [[UInt8]] {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("sonde-fuzz-layouts-\(getpid())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let source = folder.appendingPathComponent("a.swift")
        try Data(swiftSource.utf8).write(to: source)
        let output = folder.appendingPathComponent("out.so")
        var files: [[UInt8]] = []
        for variant in [["-Osize", "-gdwarf-types"], ["-Osize", "-g"], ["-Onone", "-g"]] {
            let base = ["-emit-library", "-parse-as-library", "-module-name", "a", "-g"]
            guard
                run("swiftc", base + variant + [source.path, "-o", output.path]),
                // What nobody reads would only make the input large.
                run("objcopy", ["-R", ".debug_names", "-R", ".swift_ast", output.path])
            else { continue }
            files.append(Array(try Data(contentsOf: output)))
        }
        return files + (try ElfFuzz.compiled())
    }

    private static func run(_ tool: String, _ arguments: [String]) -> Bool {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["timeout", "120", tool] + arguments
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return false }
        process.waitUntilExit()
        return process.terminationStatus == 0
    }

    private static let swiftSource = """
        public final class Klass { public var n = 1; var t = "a"; weak var w: Klass? }
        public struct Pair<A, B> { public var a: A; public var b: B? }
        public enum Two { case a(Klass), b(Klass), c, d }
        public indirect enum Tree { case leaf(Int), node(Tree, Tree) }
        public protocol P {}
        struct Hold {
          var p: any P; var two: Two?; var tree: Tree; var pair: Pair<Int8, Bool>
          var f: () -> Int; var l: [Two]
        }
        @_optimize(none) func use(_ h: Hold) -> Any { h }
        """
}

/// Reads mangled types.
enum TypeNameFuzz {
    static let target = FuzzTarget(
        test: { data, size in
            let name = String(decoding: bytes(data, size), as: UTF8.self)
            // Without abbreviations a name may be too long to be read again.
            if let canonical = SwiftTypeName.canonical(name),
                canonical.utf8.count <= SymbolName.maxLength
            {
                let again = SwiftTypeName.canonical(canonical)
                precondition(again == canonical, "BUG: a type changed by being written and read")
            }
            _ = SwiftTypeName.readable(name)
            return 0
        },
        seeds: {
            [
                "$sSaySSGD", "$sSDySSSiSgGD", "$s4main5OuterV5InnerVySi_SbGD", "$sS2iYaKcD",
                "$s4main6Secret33_E98951FE73931D1C1D54AD234E836735LLVD", "$s4main1P_AA1QpD",
                "$s1d2goyySiF5LocalL_VD", "$sSS1dE3ExtVD", "$sSa1dSQRzlE4ConsVyx_GD",
                "$sSnySa5IndexaySnsSxRzSZ6StrideSxRpzrlE7ElementayAFy1a1BV_G_GGD", "$sypXpD",
                "$s4main3fooyyxAA1PRzlF3LocL_VyxGD", "$sSi1a_SStD", "$ss5UInt8V_A13BtD",
            ].map { Array($0.utf8) }
        })
}
