// SPDX-License-Identifier: Apache-2.0
// The stored properties of library types that many programs hold, by Swift 6's libraries.

/// What is stored in types of Foundation, Synchronization and the standard library.
///
/// A program that links these libraries has no metadata of their types. They may change with the
/// toolchain, so they are only used for images that a known compiler made; a test compares them with
/// the toolchain at hand, and `noSizeIsOtherThanTheDebugInfoStates` finds what they would do wrong.
enum LibraryTypes {
    /// Whether these layouts hold for what a compiler made, by the name it gives itself.
    static func areKnown(to producer: String) -> Bool { producer.contains("Swift version 6.") }

    /// The fields or cases of a type.
    static func descriptor(of nominal: SwiftNominal) -> ReflectionTables.Descriptor? {
        descriptors[nominal.key]
    }

    /// Types whose fields lead to what they stand for.
    static let kinds: [String: TypeLayout.Kind] = [
        data: .data, essentials + "3URLV": .objectText(path: [16, 16]),
    ]

    /// Fields in order, each as a name and a mangled type.
    private typealias Fields = [(name: String, type: String?)]

    private static let descriptors: [String: ReflectionTables.Descriptor] = {
        var table: [String: ReflectionTables.Descriptor] = [:]
        for (key, fields) in structures {
            table[key] = .init(kind: .structure, superclass: nil, records: records(fields))
        }
        for (key, cases) in enumerations {
            table[key] = .init(
                kind: .multiPayloadEnumeration, superclass: nil, records: records(cases))
        }
        return table
    }()

    private static func records(_ fields: Fields) -> [ReflectionTables.Record] {
        fields.map { name, type in
            let read = type.map { try? SwiftTypeParser.type(Array($0.utf8), resolve: nil) }
            return .init(
                name: name, type: read.map { $0 ?? .unknown("a type that is not understood") },
                isIndirect: false)
        }
    }

    private static func tuple(_ count: Int, of type: String) -> String {
        type + "_" + String(repeating: type, count: count - 1) + "t"
    }

    private static let essentials = "20FoundationEssentials"
    private static let data = essentials + "4DataV"

    private static let structures: [String: Fields] = [
        data: [("_representation", data + "15_RepresentationO")],
        data + "10InlineDataV": [("bytes", tuple(14, of: "s5UInt8V")), ("length", "s5UInt8V")],
        data + "11InlineSliceV": [
            ("slice", "Snys5Int32VG"), ("storage", essentials + "13__DataStorageC"),
        ],
        data + "10LargeSliceV": [
            ("slice", data + "10LargeSliceV14RangeReferenceC"),
            ("storage", essentials + "13__DataStorageC"),
        ],
        essentials + "3URLV": [("_url", essentials + "9_SwiftURLC"), ("_padding", "yXlSg")],
        essentials + "7DecimalV": [("storage", essentials + "7DecimalV7StorageV")],
        essentials + "7DecimalV7StorageV": [
            ("exponent", "s4Int8V"), ("lengthFlagsAndReserved", "s5UInt8V"),
            ("reserved", "s6UInt16V"), ("mantissa", tuple(8, of: "s6UInt16V")),
        ],
        essentials + "6LocaleV": [("_locale", essentials + "15_LocaleProtocol_Xl")],
        essentials + "8TimeZoneV": [("_tz", essentials + "17_TimeZoneProtocol_Xl")],
        essentials + "8CalendarV": [("_calendar", essentials + "17_CalendarProtocol_Xl")],
        essentials + "12DateIntervalV": [("start", essentials + "4DateV"), ("duration", "Sd")],
        "10Foundation12CharacterSetV": [("_wrapped", "10Foundation14NSCharacterSetC")],
        "15Synchronization5MutexV": [("handle", "s6UInt32V"), ("value", "x")],
        "s4TaskV": [("_task", "Bo")],
        "s19CheckedContinuationV": [("canary", "s24CheckedContinuationCanaryC")],
        "s12TaskPriorityV": [("rawValue", "s5UInt8V")],
        "s11AsyncStreamV": [("context", "s11AsyncStreamV8_ContextC")],
        "s11AsyncStreamV12ContinuationV": [("storage", "s11AsyncStreamV8_StorageC")],
        "s19AsyncThrowingStreamV12ContinuationV": [("storage", "s11AsyncStreamV8_StorageC")],
        "s12StaticStringV": [
            ("_startPtrOrData", "Bw"), ("_utf8CodeUnitCount", "Bw"), ("_flags", "Bi8_"),
        ],
        "s11AnyHashableV": [("_box", "s15_AnyHashableBox_p")],
        "s6StringV8UTF8ViewV": [("_guts", "SS")],
        "s6StringV17UnicodeScalarViewV": [("_guts", "SS")],
        "s15ContinuousClockV": [], "s15SuspendingClockV": [],
        "s27SystemRandomNumberGeneratorV": [],
        "8Dispatch12DispatchTimeV": [("rawValue", "s6UInt64V")],
    ]

    private static let enumerations: [String: Fields] = [
        data + "15_RepresentationO": [
            ("inline", data + "10InlineDataV"), ("slice", data + "11InlineSliceV"),
            ("large", data + "10LargeSliceV"), ("empty", nil),
        ]
    ]
}
