// SPDX-License-Identifier: Apache-2.0
// Layouts of Swift types are those that programs themselves see, for all kinds of types.

import Foundation
import SondeSymbols
import Testing

/// How the subjects are built.
enum LayoutBuild: String, CaseIterable, Sendable {
    case debug, release, staticLibraries, stripped

    var flags: [String] {
        let base = [
            "-g", "-parse-as-library", "-Xcc", "-fno-omit-frame-pointer", "-module-name", "subject",
        ]
        switch self {
        case .debug: return base + ["-Onone"]
        case .release, .stripped: return base + ["-O", "-wmo"]
        case .staticLibraries: return base + ["-Onone", "-static-stdlib"]
        }
    }
}

/// The subject with many types, compiled once for each build.
struct LayoutProgram: Sendable {
    let path: String
    /// What the program printed, line by line and word by word.
    let lines: [[String]]

    private static let debug = Result { try compile(.debug) }
    private static let release = Result { try compile(.release) }
    private static let staticLibraries = Result { try compile(.staticLibraries) }
    // Without symbols, names come from context descriptors; the debug info stays.
    private static let stripped = Result {
        let program = try release.get()
        let copy = try CompiledProgram(path: program.path).copy(
            "stripped", "objcopy", ["--strip-unneeded", "--keep-section=.debug*"])
        return LayoutProgram(path: copy.path, lines: program.lines)
    }

    private static func compile(_ build: LayoutBuild) throws -> LayoutProgram {
        let name = "layouts-\(build.rawValue)"
        let program = try CompiledProgram.compile(
            "swiftc", LayoutSubject.source, "\(name).swift", name, build.flags)
        let output = try #require(CompiledProgram.run(program.path, []))
        let lines = output.split(separator: "\n").map {
            $0.split(separator: " ", maxSplits: 4).map(String.init)
        }
        return LayoutProgram(path: program.path, lines: lines)
    }

    static func of(_ build: LayoutBuild) throws -> LayoutProgram {
        switch build {
        case .debug: try debug.get()
        case .release: try release.get()
        case .staticLibraries: try staticLibraries.get()
        case .stripped: try stripped.get()
        }
    }

    func image() throws -> ProbeImage { try ProbeImage(path: path) }

    static func type(_ name: String) -> TypeID { TypeID(entry: nil, mangledName: "$s\(name)D") }
}

@Suite struct SwiftLayoutTests {
    @Test(arguments: LayoutBuild.allCases)
    func sizesAreThoseOfTheProgram(build: LayoutBuild) throws {
        let program = try LayoutProgram.of(build)
        let image = try program.image()
        let lines = program.lines.filter { $0[0] == "T" }
        #expect(lines.count > 40)
        for line in lines {
            let layout = image.layout(of: LayoutProgram.type(line[1]))
            if case .opaque(let reason) = layout.kind { Issue.record("\(line[1]): \(reason)") }
            #expect("\(layout.size)" == line[2], "\(layout.name)")
            #expect("\(layout.stride)" == line[3], "\(layout.name)")
            #expect("\(layout.alignment)" == line[4], "\(layout.name)")
        }
    }

    @Test(arguments: LayoutBuild.allCases)
    func fieldsLieWhereTheProgramHasThem(build: LayoutBuild) throws {
        let program = try LayoutProgram.of(build)
        let image = try program.image()
        var expected: [String: [[String]]] = [:]
        for line in program.lines where line[0] == "F" {
            expected[line[1], default: []].append(line)
        }
        #expect(expected.count > 15)
        for (name, lines) in expected {
            let layout = image.layout(of: LayoutProgram.type(name))
            switch layout.kind {
            // The program shows what is inside; what is read are elements.
            case .array, .hashed: continue
            default: break
            }
            guard let fields = Self.fields(of: layout) else {
                Issue.record("\(layout.name) has no fields: \(layout.kind)")
                continue
            }
            let printed = lines.filter { $0[2] != "$defaultActor" }
            #expect(fields.count == printed.count, "\(layout.name)")
            for (field, line) in zip(fields, printed) {
                // The program calls elements without a label by their number.
                #expect(field.name == (line[2].hasPrefix(".") ? "" : line[2]))
                let own = image.layout(of: field.type)
                // Where nothing is stored the program says 0.
                if own.size > 0 || line[3] != "0" {
                    #expect("\(field.offset)" == line[3], "\(layout.name).\(field.name)")
                }
                guard field.ownership == .strong else { continue }
                let other = image.layout(of: LayoutProgram.type(line[4]))
                #expect(own.name == other.name, "\(layout.name).\(field.name)")
            }
        }
    }

    static func fields(of layout: TypeLayout) -> [TypeLayout.Field]? {
        switch layout.kind {
        case .structure(let fields), .tuple(let fields): fields
        case .object(let fields, _, nil): fields
        default: nil
        }
    }

    @Test(arguments: LayoutBuild.allCases)
    func valuesReadAsTheProgramPrintsThem(build: LayoutBuild) throws {
        let program = try LayoutProgram.of(build)
        let reader = ValueReader(image: try program.image())
        var count = 0
        for line in program.lines where line[0] == "V" {
            let bytes = line[2] == "-" ? [] : try #require(Self.bytes(line[2]))
            let text = reader.read(LayoutProgram.type(line[1]), bytes[...])
            #expect(text == line[3...].joined(separator: " "), "\(line[1]) \(line[2])")
            count += 1
        }
        #expect(count > 250)
    }

    static func bytes(_ hex: String) -> [UInt8]? {
        let digits = Array(hex.utf8)
        var bytes: [UInt8] = []
        for index in stride(from: 0, to: digits.count - 1, by: 2) {
            let pair = String(decoding: digits[index...index + 1], as: UTF8.self)
            guard let byte = UInt8(pair, radix: 16) else { return nil }
            bytes.append(byte)
        }
        return bytes
    }

    @Test(arguments: LayoutBuild.allCases)
    func noSizeIsOtherThanTheDebugInfoStates(build: LayoutBuild) throws {
        let image = try LayoutProgram.of(build).image()
        let types = image.swiftTypes
        #expect(types.count > 30)
        for type in types {
            let bare = TypeID(entry: nil, mangledName: type.mangledName)
            let layout = image.layout(of: bare)
            if case .opaque = layout.kind { continue }
            #expect(layout.size == type.byteSize, "\(layout.name)")
        }
    }
}
