// SPDX-License-Identifier: Apache-2.0
// Where a variable's bytes are while a thread stands at a place.

package import SondeModel

/// Where the bytes of a variable's value are.
package struct VariableLocation: Hashable, Sendable {
    /// The pieces of the value, in the order of its bytes; one of the whole size is the usual case.
    package var pieces: [LocationPiece]

    /// A location from its pieces.
    package init(pieces: [LocationPiece]) { self.pieces = pieces }

    /// A location of nothing, with the reason.
    package static func missing(_ reason: String, sizeBytes: UInt64) -> Self {
        Self(pieces: [LocationPiece(sizeBytes: sizeBytes, source: .missing(reason))])
    }

    /// How much of the value can be read.
    package var availability: Availability {
        var reason: String?
        var isAnythingThere = false
        for piece in pieces {
            if case .missing(let why) = piece.source {
                reason = reason ?? why
            } else {
                isAnythingThere = true
            }
        }
        if pieces.isEmpty { return .missing("optimized out") }
        guard let reason else { return .full }
        return isAnythingThere ? .partial(reason) : .missing(reason)
    }
}

/// How much of a variable's value can be read at a place.
package enum Availability: Hashable, Sendable {
    /// All bytes.
    case full
    /// Some bytes; others are missing for the reason.
    case partial(String)
    /// No byte, for the reason.
    case missing(String)
}

/// Some consecutive bytes of a value.
package struct LocationPiece: Hashable, Sendable {
    /// How many bytes; 0 when the value is in one piece and debug info does not say its size.
    package var sizeBytes: UInt64
    /// Where they are.
    package var source: Source

    /// A piece from its size and source.
    package init(sizeBytes: UInt64, source: Source) {
        self.sizeBytes = sizeBytes
        self.source = source
    }

    /// Where bytes are.
    package enum Source: Hashable, Sendable {
        /// The low bytes of a general register, by its DWARF number, 0...15.
        case register(UInt8)
        /// The low bytes of a vector register, XMM 0...15.
        case vector(UInt8)
        /// Memory from this address on.
        case memory(AddressExpression)
        /// The number that the expression yields is the value, its low byte first.
        case value(AddressExpression)
        /// These bytes; at least as many as the piece has.
        case implicit([UInt8])
        /// Nowhere, for the reason, such as `optimized out`.
        case missing(String)
    }
}

/// How an address, or a number, is computed at a hit: a small program for a stack of 64-bit words.
///
/// Operations are in postfix order and each word is used exactly once: there is nothing that copies
/// or reorders words. The program begins with an empty stack and leaves exactly one word.
/// Arithmetic wraps around.
package struct AddressExpression: Hashable, Sendable {
    /// The operations, 1...``maxOperations``.
    package var operations: [Operation]

    /// The most operations of an expression.
    package static let maxOperations = 64

    /// An expression from its operations.
    package init(_ operations: [Operation]) { self.operations = operations }

    /// One operation; those of two operands take the upper one as the right-hand side.
    package enum Operation: Hashable, Sendable {
        /// Pushes a general register, by its DWARF number 0...15, plus a constant.
        case register(UInt8, plus: Int64)
        /// Pushes a number.
        case constant(UInt64)
        /// Pushes where an address of the image is in the process.
        case imageAddress(ImageAddress)
        /// Replaces an address by the bytes at it, 1...8, low byte first, extended with zeros.
        case load(bytes: UInt8)
        /// Adds a constant to a word.
        case plusConstant(Int64)
        /// Adds, subtracts, multiplies two words.
        case add, sub, mul
        /// Divides two signed words, or takes the rest of two unsigned ones; by zero is a fault.
        case divS, remU
        /// Combines two words bit by bit.
        case and, or, xor
        /// Shifts by the upper word; by 64 or more leaves no bit of the original.
        case shl, shrU, shrS
        /// Replaces a word by its negative, or by its bits reversed in value.
        case neg, not
        /// Compares two signed words: 1 or 0.
        case eq, ne, ltS, leS
    }
}
