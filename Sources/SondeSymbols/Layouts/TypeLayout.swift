// SPDX-License-Identifier: Apache-2.0
// How a value of a type lies in memory: what a probe has to know to read it.

/// How a value of a type lies in memory.
///
/// The types of members, elements and payloads are named, not expanded: a class may hold itself, and
/// only what an expression names is asked for.
package struct TypeLayout: Hashable, Sendable {
    /// The type as people write it, such as `[String: Int?]`.
    package var name: String
    /// Bytes of a value: 0 for a type without any, and for an opaque type of unknown size.
    package var size: UInt64
    /// Bytes from one element of an array to the next, at least 1.
    package var stride: UInt64
    /// What a value's address is a multiple of: a power of two.
    package var alignment: UInt64
    /// What the bytes are.
    package var kind: Kind

    /// A layout from its parts.
    package init(name: String, size: UInt64, stride: UInt64, alignment: UInt64, kind: Kind) {
        self.name = name
        self.size = size
        self.stride = stride
        self.alignment = alignment
        self.kind = kind
    }

    /// What a value's bytes are.
    package indirect enum Kind: Hashable, Sendable {
        /// A signed integer of 8, 16, 32 or 64 bits (128: two words, the low one first).
        case signed(bits: UInt8)
        /// An unsigned integer, or a C character type without a sign.
        case unsigned(bits: UInt8)
        /// One byte, 0 or 1.
        case boolean
        /// A `Float`, 4 bytes.
        case float
        /// A `Double`, 8 bytes.
        case double
        /// A `Float16`, 2 bytes.
        case float16
        /// A `Float80` or C's `long double`, 16 bytes of which 10 are used.
        case float80
        /// A `Unicode.Scalar`, 4 bytes.
        case unicodeScalar
        /// An address, 8 bytes; the pointee is `nil` when it is unknown or `void`.
        case pointer(pointee: TypeID?)
        /// A C pointer to `char`, 8 bytes.
        case cString
        /// A Swift `String` or `Character`, 16 bytes.
        case swiftString
        /// Stored properties, or members of a C structure or union, in the order of declaration.
        case structure([Field])
        /// Elements of a tuple; those without a label have an empty name.
        case tuple([Field])
        /// A reference to an object, 8 bytes, 0 for none.
        ///
        /// The fields lie at offsets from the object's address (at least 16), those of the
        /// superclass first. `incomplete` says why some are not known; it is `nil` when all are.
        case object(fields: [Field], isActor: Bool, incomplete: String?)
        /// A Swift `Optional`: case 0 of the rule is some value, case 1 is `nil`.
        case optional(payload: TypeID, tag: TagRule)
        /// A Swift enum, or a C enumeration (whose cases have raw values, and no rule).
        case enumeration(cases: [Case], tag: TagRule)
        /// An `Array` or `ContiguousArray`, 8 bytes: the address of an object with the count of
        /// elements at +16 and the first element at ``ArrayObject/firstElement(alignment:)``.
        case array(element: TypeID)
        /// A `Dictionary`, or a `Set` without values, 8 bytes: the address of a hash table with
        /// things where ``HashTable`` says.
        case hashed(key: TypeID, value: TypeID?)
        /// A `weak` reference, 8 bytes, 0 for none: the address of a side table, where things lie as
        /// ``SideTable`` says.
        case weak(object: TypeID)
        /// The address of an object that leads to a Swift `String`, 8 bytes in front of the rest: for
        /// each offset but the last an address lies there. A `URL`.
        case objectText(path: [UInt64])
        /// Seconds since 2001 as a `Double`, 8 bytes: a `Date`.
        case date
        /// 16 bytes, a `UUID`.
        case uuid
        /// Attoseconds as a signed integer of 16 bytes: a `Duration`.
        case duration
        /// A `Data`, 16 bytes, of which the two highest bits say where its bytes are.
        case data
        /// Elements side by side, as many as stated.
        case cArray(element: TypeID, count: UInt64)
        /// A function or closure: the address of its code in the first word.
        case function
        /// A value behind a protocol, whose type is only known at run time.
        case existential(typeName: String)
        /// A type whose contents cannot be read, for a reason in words.
        case opaque(reason: String)
    }

    /// One stored property, member or element.
    package struct Field: Hashable, Sendable {
        /// Its name; empty for a tuple's element without a label and for an anonymous C member.
        package var name: String
        /// Bytes from the start of the value, or of the object.
        package var offset: UInt64
        /// Its type.
        package var type: TypeID
        /// For a C bit field: which bits of the integer of `type` that lies at `offset`.
        package var bits: BitRange?
        /// What a reference does to the object it refers to.
        package var ownership: Ownership

        /// A field from its parts.
        package init(
            name: String, offset: UInt64, type: TypeID, bits: BitRange? = nil,
            ownership: Ownership = .strong
        ) {
            self.name = name
            self.offset = offset
            self.type = type
            self.bits = bits
            self.ownership = ownership
        }
    }

    /// What a stored reference does to the object it refers to.
    package enum Ownership: Hashable, Sendable {
        /// An ordinary reference, or no reference.
        case strong
        /// `unowned`: the object's address.
        case unowned
        /// `weak`: a side table's address, with marks in its two lowest bits; the object's address
        /// is the table's first word. Read it as a pointer.
        case weak
    }

    /// Bits of an integer.
    package struct BitRange: Hashable, Sendable {
        /// The lowest bit, counted from the integer's lowest.
        package var first: UInt8
        /// How many bits.
        package var count: UInt8

        /// A range of bits.
        package init(first: UInt8, count: UInt8) {
            self.first = first
            self.count = count
        }
    }

    /// One case of an enum.
    package struct Case: Hashable, Sendable {
        /// Its name.
        package var name: String
        /// The type of what it carries: a tuple for several values.
        package var payload: TypeID?
        /// Whether the value holds the address of a box, with the payload at ``boxOffset`` in it.
        package var isIndirect: Bool
        /// For an indirect case: bytes from the box's address to the payload.
        package var boxOffset: UInt64
        /// A C enumerator's value, as 64 bits.
        package var rawValue: UInt64?

        /// A case from its parts.
        package init(
            name: String, payload: TypeID? = nil, isIndirect: Bool = false, boxOffset: UInt64 = 0,
            rawValue: UInt64? = nil
        ) {
            self.name = name
            self.payload = payload
            self.isIndirect = isIndirect
            self.boxOffset = boxOffset
            self.rawValue = rawValue
        }
    }
}

/// Where things lie in the object of a Swift dictionary or set, in bytes from its address.
///
/// Source: the standard library's `__RawDictionaryStorage` and `__RawSetStorage`.
package enum HashTable {
    /// The 64-bit count of entries.
    package static let count: UInt64 = 16
    /// One byte: the binary logarithm of the number of buckets.
    package static let scale: UInt64 = 32
    /// The address of the keys, one for each bucket.
    package static let keys: UInt64 = 48
    /// The address of the values.
    package static let values: UInt64 = 56

    /// The words with a bit for each bucket that is used; unused bits of the last may be set.
    package static func usedBuckets(hasValues: Bool) -> UInt64 { hasValues ? 64 : 56 }
}

/// Where things lie in the side table that a weak reference leads to.
///
/// Source: the runtime's `HeapObjectSideTableEntry` and `RefCountBitsT`.
package enum SideTable {
    /// The bits of a weak reference that are no part of the table's address.
    package static let marks: UInt64 = 3
    /// The object's address, also when it has gone.
    package static let object: UInt64 = 0
    /// The reference counts.
    package static let counts: UInt64 = 16
    /// The bit of them that says that the object is going or has gone.
    package static let goneBit: UInt64 = 32
}

/// Where things lie in the objects of a `Data`, in bytes from their addresses.
package enum DataStorage {
    /// The address of the bytes.
    package static let bytes: UInt64 = 16
    /// The position of the first of them in the `Data`'s own count.
    package static let offset: UInt64 = 40
    /// The bounds of a large one, in an object of their own.
    package static let lowerBound: UInt64 = 16
    package static let upperBound: UInt64 = 24
}

/// Where things lie in the object of a Swift array.
package enum ArrayObject {
    /// Bytes from the object's address to the 64-bit count of elements.
    package static let count: UInt64 = 16

    /// Bytes from the object's address to the first element.
    package static func firstElement(alignment: UInt64) -> UInt64 {
        let mask = max(1, alignment) &- 1
        return (32 &+ mask) & ~mask
    }
}
