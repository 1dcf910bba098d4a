// SPDX-License-Identifier: Apache-2.0
// The layouts of the standard library's types, which an image that links it has no metadata of.

extension SwiftLayouts {
    /// The layout of a type of the standard library; `nil` for all others.
    ///
    /// Source: the library's frozen types, which never change.
    func standard(
        _ nominal: SwiftNominal, _ arguments: [[SwiftType]]
    ) throws(LayoutProblem) -> ValueLayout? {
        if let layout = Self.foreign[nominal.key] { return layout }
        if nominal.key == "15Synchronization6AtomicV", let value = arguments.last?.first {
            return try atomic(value)
        }
        guard nominal.key.hasPrefix("s"), let first = nominal.key.dropFirst().utf8.first,
            first >= UInt8(ascii: "0"), first <= UInt8(ascii: "9")
        else { return nil }
        if let layout = Self.scalars[nominal.key] { return layout }
        let last = arguments.last ?? []
        switch last.count {
        case 0:
            guard let fields = Self.composites[nominal.key] else { return nil }
            return try record(fields, isTuple: false)
        case 1: return try standard(nominal, of: last[0])
        case 2:
            switch nominal.name {
            case "Dictionary": return Self.hashed(lazyID(last[0]), lazyID(last[1]))
            case "Result" where nominal.key == "s6ResultO":
                return try enumeration(nominal, [last], Self.result)
            default: return nil
            }
        default: return nil
        }
    }

    private func standard(
        _ nominal: SwiftNominal, of argument: SwiftType
    ) throws(LayoutProblem) -> ValueLayout? {
        guard nominal.enclosing.isEmpty else { return nil }
        switch nominal.name {
        case "Optional": return try optional(argument)
        case "Array", "ContiguousArray": return .reference(.array(element: lazyID(argument)))
        case "Set": return Self.hashed(lazyID(argument), nil)
        case "UnsafePointer", "UnsafeMutablePointer", "AutoreleasingUnsafeMutablePointer":
            return Self.pointer(lazyID(argument))
        case "UnsafeBufferPointer", "UnsafeMutableBufferPointer":
            let pointer = SwiftType.nominal(
                .standard("UnsafePointer", .structure), arguments: [[argument]])
            let position = SwiftType.nominal(StandardTypes.optional, arguments: [[pointer]])
            return try record([("baseAddress", position), ("count", Self.int)], isTuple: false)
        case "Unmanaged":
            return try record([("_value", .reference(.unowned, argument))], isTuple: false)
        case "Range", "ClosedRange":
            return try record(
                [("lowerBound", argument), ("upperBound", argument)], isTuple: false)
        case "PartialRangeFrom":
            return try record([("lowerBound", argument)], isTuple: false)
        case "PartialRangeUpTo", "PartialRangeThrough":
            return try record([("upperBound", argument)], isTuple: false)
        case "ArraySlice":
            return try record(
                [
                    ("owner", .existential(.init(protocols: [], isAnyObject: true))),
                    ("subscriptBaseAddress", .builtin("p")), ("startIndex", Self.int),
                    ("endIndexAndFlags", Self.uint),
                ], isTuple: false)
        default: return nil
        }
    }

    /// An atomic number or pointer takes the room of the number; of other types it is not known.
    private func atomic(_ value: SwiftType) throws(LayoutProblem) -> ValueLayout {
        let layout = try layout(of: value)
        switch layout.kind {
        case .signed, .unsigned, .boolean, .pointer:
            var stored = ValueLayout(
                size: layout.size, alignment: layout.size, kind: layout.kind)
            stored.isLoadable = false
            return stored
        default: throw LayoutProblem(reason: "Atomic<\(value.readable)> is not read")
        }
    }

    static let int = SwiftType.nominal(.standard("Int", .structure), arguments: [])
    private static let uint = SwiftType.nominal(.standard("UInt", .structure), arguments: [])
    private static let int64 = SwiftType.nominal(.standard("Int64", .structure), arguments: [])
    private static let uint64 = SwiftType.nominal(.standard("UInt64", .structure), arguments: [])
    private static let string = SwiftType.nominal(.standard("String", .structure), arguments: [])

    /// A hash table.
    ///
    /// It shares its bits with Objective-C where there is one, so none is spare.
    private static func hashed(_ key: TypeID, _ value: TypeID?) -> ValueLayout {
        ValueLayout(
            size: 8, alignment: 8, kind: .hashed(key: key, value: value),
            extraInhabitants: .object(at: 0))
    }

    static func pointer(_ pointee: TypeID?) -> ValueLayout {
        ValueLayout(
            size: 8, alignment: 8, kind: .pointer(pointee: pointee), extraInhabitants: .null)
    }

    private static let result = ReflectionTables.Descriptor(
        kind: .multiPayloadEnumeration, superclass: nil,
        records: [
            .init(name: "success", type: .parameter(depth: 0, index: 0), isIndirect: false),
            .init(name: "failure", type: .parameter(depth: 0, index: 1), isIndirect: false),
        ])

    private static let scalars: [String: ValueLayout] = {
        var table: [String: ValueLayout] = [:]
        func set(_ name: String, _ size: UInt64, _ kind: TypeLayout.Kind) {
            table[SwiftNominal.standard(name, .structure).key] = ValueLayout(
                size: size, alignment: size, kind: kind)
        }
        set("Int", 8, .signed(bits: 64))
        set("UInt", 8, .unsigned(bits: 64))
        for bits in [8, 16, 32, 64] as [UInt8] {
            set("Int\(bits)", UInt64(bits / 8), .signed(bits: bits))
            set("UInt\(bits)", UInt64(bits / 8), .unsigned(bits: bits))
        }
        set("Float", 4, .float)
        set("Double", 8, .double)
        set("Float16", 2, .float16)
        set("Float80", 16, .float80)
        set("Int128", 16, .signed(bits: 128))
        set("UInt128", 16, .unsigned(bits: 128))
        table["s4BoolV"] = ValueLayout(
            size: 1, kind: .boolean, extraInhabitants: .above(2, bytes: 1),
            spareBits: BitMask(bytes: [0xFE]))
        table["s7UnicodeO6ScalarV"] = ValueLayout(size: 4, alignment: 4, kind: .unicodeScalar)
        for name in ["String", "Character"] {
            table[SwiftNominal.standard(name, .structure).key] = ValueLayout(
                size: 16, alignment: 8, kind: .swiftString, extraInhabitants: .object(at: 8))
        }
        for name in [
            "UnsafeRawPointer", "UnsafeMutableRawPointer", "OpaquePointer", "ObjectIdentifier",
        ] {
            table[SwiftNominal.standard(name, .structure).key] = pointer(nil)
        }
        table["s8DurationV"] = ValueLayout(size: 16, alignment: 8, kind: .duration)
        table["s5NeverO"] = ValueLayout(
            size: 0, kind: .enumeration(cases: [], tag: TagRule(steps: [], otherwise: nil)))
        return table
    }()

    private static let composites: [String: [(name: String, type: SwiftType)]] = [
        "s6StringV5IndexV": [("_rawBits", uint64)],
        "s9SubstringV": [("_start", uint64), ("_end", uint64), ("_base", string)],
        "s22UnsafeRawBufferPointerV": [("baseAddress", rawPosition), ("count", int)],
        "s29UnsafeMutableRawBufferPointerV": [("baseAddress", rawPosition), ("count", int)],
        "s15ContinuousClockV7InstantV": [("_value", duration)],
        "s15SuspendingClockV7InstantV": [("_value", duration)],
        "s17CancellationErrorV": [],
    ]

    private static let duration = SwiftType.nominal(
        .standard("Duration", .structure), arguments: [])

    private static let rawPosition = SwiftType.nominal(
        StandardTypes.optional,
        arguments: [[.nominal(.standard("UnsafeRawPointer", .structure), arguments: [])]])

    /// Types of Foundation that are a number or a few bytes.
    private static let foreign: [String: ValueLayout] = {
        let date = ValueLayout(size: 8, alignment: 8, kind: .date)
        let uuid = ValueLayout(size: 16, kind: .uuid)
        var table: [String: ValueLayout] = [:]
        for module in ["20FoundationEssentials", "10Foundation"] {
            table[module + "4DateV"] = date
            table[module + "4UUIDV"] = uuid
            // On 64-bit systems a Double in a structure.
            table[module + "7CGFloatV"] = ValueLayout(size: 8, alignment: 8, kind: .double)
        }
        return table
    }()
}
