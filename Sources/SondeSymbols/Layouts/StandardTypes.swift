// SPDX-License-Identifier: Apache-2.0
// The abbreviations that manglings have for types of the standard library.

/// Types of the standard library that manglings abbreviate.
enum StandardTypes {
    static let optional = SwiftNominal.standard("Optional", .enumeration)
    static let array = SwiftNominal.standard("Array", .structure)
    static let dictionary = SwiftNominal.standard("Dictionary", .structure)

    /// The type behind `S` and a letter.
    static func abbreviated(_ letter: UInt8) -> SwiftNominal? {
        abbreviations[letter].map { SwiftNominal.standard($0.0, $0.1) }
    }

    /// The type behind `Sc` and a letter, of the concurrency library.
    static func abbreviatedSecond(_ letter: UInt8) -> SwiftNominal? {
        secondAbbreviations[letter].map { SwiftNominal.standard($0.0, $0.1) }
    }

    // Source: Swift's ABI/Mangling document, KNOWN-TYPE-KIND.
    private static let abbreviations: [UInt8: (String, SwiftNominal.Kind)] = [
        UInt8(ascii: "A"): ("AutoreleasingUnsafeMutablePointer", .structure),
        UInt8(ascii: "a"): ("Array", .structure),
        UInt8(ascii: "B"): ("BinaryFloatingPoint", .protocolType),
        UInt8(ascii: "b"): ("Bool", .structure),
        UInt8(ascii: "D"): ("Dictionary", .structure),
        UInt8(ascii: "d"): ("Double", .structure),
        UInt8(ascii: "E"): ("Encodable", .protocolType),
        UInt8(ascii: "e"): ("Decodable", .protocolType),
        UInt8(ascii: "F"): ("FloatingPoint", .protocolType),
        UInt8(ascii: "f"): ("Float", .structure),
        UInt8(ascii: "G"): ("RandomNumberGenerator", .protocolType),
        UInt8(ascii: "H"): ("Hashable", .protocolType),
        UInt8(ascii: "h"): ("Set", .structure),
        UInt8(ascii: "I"): ("DefaultIndices", .structure),
        UInt8(ascii: "i"): ("Int", .structure),
        UInt8(ascii: "J"): ("Character", .structure),
        UInt8(ascii: "j"): ("Numeric", .protocolType),
        UInt8(ascii: "K"): ("BidirectionalCollection", .protocolType),
        UInt8(ascii: "k"): ("RandomAccessCollection", .protocolType),
        UInt8(ascii: "L"): ("Comparable", .protocolType),
        UInt8(ascii: "l"): ("Collection", .protocolType),
        UInt8(ascii: "M"): ("MutableCollection", .protocolType),
        UInt8(ascii: "m"): ("RangeReplaceableCollection", .protocolType),
        UInt8(ascii: "N"): ("ClosedRange", .structure),
        UInt8(ascii: "n"): ("Range", .structure),
        UInt8(ascii: "O"): ("ObjectIdentifier", .structure),
        UInt8(ascii: "P"): ("UnsafePointer", .structure),
        UInt8(ascii: "p"): ("UnsafeMutablePointer", .structure),
        UInt8(ascii: "Q"): ("Equatable", .protocolType),
        UInt8(ascii: "q"): ("Optional", .enumeration),
        UInt8(ascii: "R"): ("UnsafeBufferPointer", .structure),
        UInt8(ascii: "r"): ("UnsafeMutableBufferPointer", .structure),
        UInt8(ascii: "S"): ("String", .structure),
        UInt8(ascii: "s"): ("Substring", .structure),
        UInt8(ascii: "T"): ("Sequence", .protocolType),
        UInt8(ascii: "t"): ("IteratorProtocol", .protocolType),
        UInt8(ascii: "U"): ("UnsignedInteger", .protocolType),
        UInt8(ascii: "u"): ("UInt", .structure),
        UInt8(ascii: "V"): ("UnsafeRawPointer", .structure),
        UInt8(ascii: "v"): ("UnsafeMutableRawPointer", .structure),
        UInt8(ascii: "W"): ("UnsafeRawBufferPointer", .structure),
        UInt8(ascii: "w"): ("UnsafeMutableRawBufferPointer", .structure),
        UInt8(ascii: "X"): ("RangeExpression", .protocolType),
        UInt8(ascii: "x"): ("Strideable", .protocolType),
        UInt8(ascii: "Y"): ("RawRepresentable", .protocolType),
        UInt8(ascii: "y"): ("StringProtocol", .protocolType),
        UInt8(ascii: "Z"): ("SignedInteger", .protocolType),
        UInt8(ascii: "z"): ("BinaryInteger", .protocolType),
    ]

    private static let secondAbbreviations: [UInt8: (String, SwiftNominal.Kind)] = [
        UInt8(ascii: "A"): ("Actor", .protocolType),
        UInt8(ascii: "C"): ("CheckedContinuation", .structure),
        UInt8(ascii: "c"): ("UnsafeContinuation", .structure),
        UInt8(ascii: "E"): ("CancellationError", .structure),
        UInt8(ascii: "e"): ("UnownedSerialExecutor", .structure),
        UInt8(ascii: "F"): ("Executor", .protocolType),
        UInt8(ascii: "f"): ("SerialExecutor", .protocolType),
        UInt8(ascii: "G"): ("TaskGroup", .structure),
        UInt8(ascii: "g"): ("ThrowingTaskGroup", .structure),
        UInt8(ascii: "h"): ("TaskExecutor", .protocolType),
        UInt8(ascii: "I"): ("AsyncIteratorProtocol", .protocolType),
        UInt8(ascii: "i"): ("AsyncSequence", .protocolType),
        UInt8(ascii: "J"): ("UnownedJob", .structure),
        UInt8(ascii: "M"): ("MainActor", .classType),
        UInt8(ascii: "P"): ("TaskPriority", .structure),
        UInt8(ascii: "S"): ("AsyncStream", .structure),
        UInt8(ascii: "s"): ("AsyncThrowingStream", .structure),
        UInt8(ascii: "T"): ("Task", .structure),
        UInt8(ascii: "t"): ("UnsafeCurrentTask", .structure),
    ]
}
