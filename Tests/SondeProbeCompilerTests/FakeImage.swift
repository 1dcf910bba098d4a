// SPDX-License-Identifier: Apache-2.0
// Debug info from tables: hand-made places, variables and layouts.

import SondeModel
import SondeProbeCompiler
import SondeSymbols

/// Debug info from tables.
final class FakeImage: DebugInfoSource {
    var buildID = BuildID(hex: "0123456789abcdef")
    var sources: [String: [UInt32: [CodePlace]]] = [:]
    var names: [ImageAddress: [VisibleVariable]] = [:]
    var globals: [String: VisibleVariable] = [:]
    var layouts: [String: TypeLayout] = Layouts.standard

    func files(matching path: String) -> [String] {
        sources.keys.filter { $0 == path || $0.hasSuffix("/" + path) }.sorted()
    }

    func nearestFiles(to path: String, count: Int) -> [String] {
        Array(sources.keys.sorted().prefix(count))
    }

    func linesWithCode(in file: String) -> [UInt32] {
        (sources[file] ?? [:]).filter { !$0.value.isEmpty }.keys.sorted()
    }

    func places(file: String, line: UInt32) -> [CodePlace] { sources[file]?[line] ?? [] }

    func places(function: String) -> [CodePlace] {
        sources.values.flatMap(\.values).flatMap { $0 }.filter { $0.function == function }
    }

    func place(at address: ImageAddress) -> CodePlace? {
        sources.values.flatMap(\.values).flatMap { $0 }.first { $0.address == address }
    }

    func variables(at place: CodePlace) -> [VisibleVariable] { names[place.address] ?? [] }

    func nearestLines(where name: String, in place: CodePlace, count: Int) -> [UInt32] {
        linesWithCode(in: place.file).filter { line in
            line != place.line
                && places(file: place.file, line: line).contains { other in
                    variables(at: other).contains { $0.name == name && $0.availability == .full }
                }
        }
    }

    func global(named name: String) -> VisibleVariable? { globals[name] }

    func layout(of type: TypeID) -> TypeLayout {
        layouts[type.mangledName ?? ""]
            ?? TypeLayout(
                name: type.mangledName ?? "?", size: type.byteSize ?? 0, stride: 1, alignment: 1,
                kind: .opaque(reason: "not in the table"))
    }

    /// Adds an address of a line.
    @discardableResult
    func add(
        _ line: UInt32, at address: UInt64, function: String = "Checkout.settle()",
        file: String = "/src/Checkout.swift", _ variables: [VisibleVariable]
    ) -> CodePlace {
        var place = CodePlace(
            address: ImageAddress(address), file: file, line: line, column: 5)
        place.function = function
        place.functionStart = ImageAddress(address & ~0xFFF)
        place.functionEnd = ImageAddress((address & ~0xFFF) + 0x1000)
        sources[file, default: [:]][line, default: []].append(place)
        names[place.address] = variables
        return place
    }
}

/// The type that the tables call by a name.
func type(_ name: String) -> TypeID { TypeID(entry: nil, mangledName: name) }

/// A variable in pieces.
func variable(
    _ name: String, _ typeName: String, _ pieces: [LocationPiece], line: UInt32 = 1
) -> VisibleVariable {
    VisibleVariable(
        name: name, kind: .local, declaredLine: line, type: type(typeName),
        location: VariableLocation(pieces: pieces))
}

/// A variable in memory, at a distance from rbp.
func onStack(_ name: String, _ typeName: String, _ offset: Int64) -> VisibleVariable {
    variable(
        name, typeName,
        [
            LocationPiece(
                sizeBytes: 0, source: .memory(AddressExpression([.register(6, plus: offset)])))
        ])
}

/// A variable in a general register.
func inRegister(_ name: String, _ typeName: String, _ number: UInt8) -> VisibleVariable {
    variable(name, typeName, [LocationPiece(sizeBytes: 0, source: .register(number))])
}

/// A variable that is nowhere.
func missing(_ name: String, _ typeName: String, _ reason: String) -> VisibleVariable {
    variable(name, typeName, [LocationPiece(sizeBytes: 8, source: .missing(reason))])
}

/// Layouts as Swift and C lay types out.
enum Layouts {
    static let standard: [String: TypeLayout] = [
        "Int": scalar("Int", 8, .signed(bits: 64)),
        "Int8": scalar("Int8", 1, .signed(bits: 8)),
        "Int16": scalar("Int16", 2, .signed(bits: 16)),
        "Int32": scalar("Int32", 4, .signed(bits: 32)),
        "UInt": scalar("UInt", 8, .unsigned(bits: 64)),
        "UInt8": scalar("UInt8", 1, .unsigned(bits: 8)),
        "UInt32": scalar("UInt32", 4, .unsigned(bits: 32)),
        "Bool": scalar("Bool", 1, .boolean),
        "Double": scalar("Double", 8, .double),
        "Float": scalar("Float", 4, .float),
        "Int128": scalar("Int128", 16, .signed(bits: 128)),
        "Unicode.Scalar": scalar("Unicode.Scalar", 4, .unicodeScalar),
        "String": scalar("String", 16, .swiftString),
        "any Odds": scalar("any Odds", 40, .existential(typeName: "any Odds")),
        "Secret": scalar("Secret", 8, .opaque(reason: "its fields are not recorded")),
        "() -> ()": scalar("() -> ()", 16, .function),
        "Int?": TypeLayout(
            name: "Int?", size: 9, stride: 16, alignment: 8,
            kind: .optional(payload: type("Int"), tag: byteTag(at: 8))),
        "String?": TypeLayout(
            name: "String?", size: 16, stride: 16, alignment: 8,
            kind: .optional(payload: type("String"), tag: zeroWord(at: 8))),
        "User?": TypeLayout(
            name: "User?", size: 8, stride: 8, alignment: 8,
            kind: .optional(payload: type("User"), tag: zeroWord(at: 0))),
        "User": TypeLayout(
            name: "User", size: 8, stride: 8, alignment: 8,
            kind: .object(
                fields: [
                    field("name", 16, "String"), field("age", 32, "Int"),
                    field("boss", 40, "User?"),
                ], isActor: false, incomplete: nil)),
        "Bet": TypeLayout(
            name: "Bet", size: 40, stride: 40, alignment: 8,
            kind: .structure([
                field("id", 0, "Int"), field("stake", 8, "Double"), field("user", 16, "User"),
                field("note", 24, "String"),
            ])),
        "Point": TypeLayout(
            name: "Point", size: 16, stride: 16, alignment: 8,
            kind: .structure([field("x", 0, "Int"), field("y", 8, "Int")])),
        "(Int, label: Bool)": TypeLayout(
            name: "(Int, label: Bool)", size: 9, stride: 16, alignment: 8,
            kind: .tuple([field("", 0, "Int"), field("label", 8, "Bool")])),
        "[Int]": array("[Int]", "Int"),
        "[Bet]": array("[Bet]", "Bet"),
        "[[Int]]": array("[[Int]]", "[Int]"),
        "Set<Int>": scalar("Set<Int>", 8, .hashed(key: type("Int"), value: nil)),
        "State": TypeLayout(
            name: "State", size: 9, stride: 16, alignment: 8,
            kind: .enumeration(
                cases: [
                    .init(name: "won", payload: type("Double")),
                    .init(name: "open"), .init(name: "lost"),
                ],
                tag: TagRule(
                    steps: [
                        .init(
                            parts: [part(at: 8, bytes: 1)],
                            choices: [.init(numbers: 0...0, firstCase: 0)]),
                        .init(
                            parts: [part(at: 0, bytes: 8)],
                            choices: [.init(numbers: 0...1, firstCase: 1)]),
                    ], otherwise: nil))),
        "Suit": TypeLayout(
            name: "Suit", size: 1, stride: 1, alignment: 1,
            kind: .enumeration(
                cases: [.init(name: "hearts"), .init(name: "spades")],
                tag: TagRule(
                    steps: [
                        .init(
                            parts: [part(at: 0, bytes: 1)],
                            choices: [.init(numbers: 0...1, firstCase: 0)])
                    ], otherwise: nil))),
        "color": TypeLayout(
            name: "color", size: 4, stride: 4, alignment: 4,
            kind: .enumeration(
                cases: [
                    .init(name: "RED", rawValue: 1),
                    .init(name: "BLUE", rawValue: UInt64(bitPattern: -5)),
                ], tag: TagRule(steps: [], otherwise: nil))),
        "char": scalar("char", 1, .signed(bits: 8)),
        "char *": scalar("char *", 8, .cString),
        "char[8]": TypeLayout(
            name: "char[8]", size: 8, stride: 8, alignment: 1,
            kind: .cArray(element: type("char"), count: 8)),
        "int[4]": TypeLayout(
            name: "int[4]", size: 16, stride: 16, alignment: 4,
            kind: .cArray(element: type("Int32"), count: 4)),
        "node": TypeLayout(
            name: "node", size: 24, stride: 24, alignment: 8,
            kind: .structure([
                field("value", 0, "Int32"),
                .init(
                    name: "flag", offset: 4, type: type("UInt32"),
                    bits: .init(first: 3, count: 2)),
                field("next", 8, "node *"), field("name", 16, "char *"),
            ])),
        "node *": scalar("node *", 8, .pointer(pointee: type("node"))),
        "void *": scalar("void *", 8, .pointer(pointee: nil)),
    ]

    static func scalar(_ name: String, _ size: UInt64, _ kind: TypeLayout.Kind) -> TypeLayout {
        TypeLayout(
            name: name, size: size, stride: max(1, size), alignment: min(8, max(1, size)),
            kind: kind)
    }

    static func array(_ name: String, _ element: String) -> TypeLayout {
        TypeLayout(
            name: name, size: 8, stride: 8, alignment: 8, kind: .array(element: type(element)))
    }

    static func field(_ name: String, _ offset: UInt64, _ typeName: String) -> TypeLayout.Field {
        .init(name: name, offset: offset, type: type(typeName))
    }

    static func part(at offset: UInt64, bytes: UInt8) -> TagRule.Part {
        .init(byteOffset: offset, bytes: bytes, firstBit: 0, bitCount: bytes * 8, position: 0)
    }

    /// A tag byte behind the payload: 0 some, 1 none.
    static func byteTag(at offset: UInt64) -> TagRule {
        TagRule(
            steps: [
                .init(
                    parts: [part(at: offset, bytes: 1)],
                    choices: [
                        .init(numbers: 0...0, firstCase: 0), .init(numbers: 1...1, firstCase: 1),
                    ])
            ], otherwise: nil)
    }

    /// A word that is 0 for nil.
    static func zeroWord(at offset: UInt64) -> TagRule {
        TagRule(
            steps: [
                .init(
                    parts: [part(at: offset, bytes: 8)],
                    choices: [.init(numbers: 0...0, firstCase: 1)])
            ], otherwise: 0)
    }
}
