// SPDX-License-Identifier: Apache-2.0
// How a captured value lies in a record: what the hit path writes and the renderer reads.

/// How a captured value lies in a record: little endian, unaligned, parts in order.
///
/// Shapes name their parts by index into ``ImageProgram/shapes``; a part comes before its whole.
package enum ValueShape: Hashable, Sendable {
    /// A whole number of 8, 16, 32 or 64 bits.
    case signed(bits: UInt8)
    case unsigned(bits: UInt8)
    /// One byte; 0 is false.
    case boolean
    /// 4 bytes.
    case float
    /// 8 bytes.
    case double
    /// 4 bytes.
    case unicodeScalar
    /// 8 bytes: an address.
    case pointer(typeName: String)
    /// u32 length in bytes, u32 captured length, the bytes.
    case string(quotedWhenNested: Bool)
    /// One byte, 0 for `nil`; then the value.
    case optional(Int)
    /// The fields.
    case structure(typeName: String, fields: [ShapeField])
    /// The elements; unlabelled ones have an empty name.
    case tuple([ShapeField])
    /// u64 address; unless it is 0, the fields.
    case object(typeName: String, fields: [ShapeField])
    /// u16 index of the case, then its payload; 0xFFFF and the raw u64 where it is none.
    case enumeration(typeName: String, cases: [ShapeCase])
    /// u64 count, u32 captured count, the elements.
    case array(element: Int, typeName: String)
    /// u64: the address of something that is not followed, or 0.
    case cut(typeName: String)
    /// One byte, 0 and the value, or a ``FaultKind`` and a u64 detail (the address).
    case guarded(Int)
    /// Nothing.
    case unavailable(reason: String)
    /// That many bytes.
    case raw(typeName: String, bytes: Int)
    /// u64 count of entries, u32 how many follow; each one byte, 0 where none was found, then the
    /// key and, but for a set, the value.
    case table(key: Int, value: Int?, typeName: String)
    /// 8 bytes: seconds since 2001 as a double.
    case date
    /// 16 bytes.
    case uuid
    /// 16 bytes: attoseconds.
    case duration
    /// Laid out as a string: bytes that are no text.
    case data
    /// A number that no register of the machine holds, in 2 or 16 bytes.
    case wide(WideNumber)

    /// The parts' indices.
    package var parts: [Int] {
        switch self {
        case .optional(let part), .guarded(let part), .array(let part, _): [part]
        case .structure(_, let fields), .tuple(let fields), .object(_, let fields):
            fields.map(\.shape)
        case .enumeration(_, let cases): cases.compactMap(\.payload)
        case .table(let key, let value, _): [key] + [value].compactMap(\.self)
        case .signed, .unsigned, .boolean, .float, .double, .unicodeScalar, .pointer, .string,
            .cut, .unavailable, .raw, .date, .uuid, .duration, .data,
            .wide:
            []
        }
    }
}

/// Numbers that are shown and not computed with; the numbers are part of the encoding.
package enum WideNumber: UInt8, Hashable, Sendable, CaseIterable {
    /// 2 bytes.
    case float16 = 1
    /// 16 bytes, of which 10 count.
    case float80 = 2
    /// 16 bytes.
    case signed128 = 3
    case unsigned128 = 4

    /// Its bytes in a record.
    package var bytes: Int { self == .float16 ? 2 : 16 }
}

/// A named part of a value.
package struct ShapeField: Hashable, Sendable {
    /// The name; may be empty.
    package var name: String
    /// Its shape's index.
    package var shape: Int

    /// A field from its parts.
    package init(name: String, shape: Int) {
        self.name = name
        self.shape = shape
    }
}

/// A case of an enum.
package struct ShapeCase: Hashable, Sendable {
    /// The name, without its dot.
    package var name: String
    /// Its payload's shape, or `nil` without one.
    package var payload: Int?

    /// A case from its parts.
    package init(name: String, payload: Int?) {
        self.name = name
        self.payload = payload
    }
}

/// How a value of a message is printed: `[<>^][0][width][.precision][f|e|x|X|o|b]`.
package struct ValueFormat: Hashable, Sendable {
    /// On which side of its width a value stands; numbers are part of the encoding.
    package enum Alignment: UInt8, Hashable, Sendable {
        /// As the type wants it: numbers right, the rest left.
        case natural = 0
        case left = 1
        case right = 2
        case center = 3
    }

    /// The notation of a number; numbers are part of the encoding.
    package enum Notation: UInt8, Hashable, Sendable {
        /// The type's own.
        case natural = 0
        /// A fixed count of digits behind the point.
        case fixed = 1
        /// With an exponent.
        case exponent = 2
        case hex = 3
        case upperHex = 4
        case octal = 5
        case binary = 6
    }

    /// The side.
    package var alignment: Alignment
    /// Whether zeros instead of blanks fill a number's width.
    package var zeroFilled: Bool
    /// The least characters, at most 256; 0 for as many as needed.
    package var width: UInt16
    /// Digits behind the point, at most 64, or a text's most characters; `nil` for the type's own.
    package var precision: UInt16?
    /// The notation.
    package var notation: Notation

    /// A format from its parts.
    package init(
        alignment: Alignment = .natural, zeroFilled: Bool = false, width: UInt16 = 0,
        precision: UInt16? = nil, notation: Notation = .natural
    ) {
        self.alignment = alignment
        self.zeroFilled = zeroFilled
        self.width = width
        self.precision = precision
        self.notation = notation
    }
}
