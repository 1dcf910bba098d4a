// SPDX-License-Identifier: Apache-2.0
// Why bytes are no acceptable pprof profile.

package import SondeWire

/// Why a pprof profile was refused.
package enum PprofError: Error, Hashable, CustomStringConvertible {
    /// There are no bytes.
    case empty
    /// The protobuf framing is broken.
    case wire(ProtobufError)
    /// More of something than the limits allow.
    case tooMany(what: String, limit: Int)
    /// An index points outside the string table.
    case badStringIndex(UInt64, count: Int)
    /// The string table does not begin with the empty string.
    case badFirstString
    /// A profile was appended to another one: `time_nanos` stands twice.
    case concatenated
    /// There are samples, or profiles are wanted, but no kind of value is declared.
    case noSampleTypes
    /// A sample has not one value for each kind of value.
    case valueCount(sample: Int, got: Int, want: Int)
    /// An id is 0 or stands twice in its table.
    case badID(table: String, id: UInt64)
    /// Something refers to an id that its table does not hold.
    case unknownID(from: String, table: String, id: UInt64)
    /// A kind of value, or a series' name, cannot be part of a profile type.
    case badName(what: String, name: String)

    package var description: String {
        switch self {
        case .empty:
            "cannot read pprof: got no bytes; want a profile"
        case .wire(let error):
            "cannot read pprof: \(error)"
        case .tooMany(let what, let limit):
            "cannot read pprof: got more than \(limit) \(what); want at most \(limit)"
        case .badStringIndex(let index, let count):
            "cannot read pprof: got the string index \(Int64(bitPattern: index)); want 0..<\(count)"
        case .badFirstString:
            "cannot read pprof: got a string table without \"\" at 0; want \"\" at 0"
        case .concatenated:
            "cannot read pprof: got two profiles one after the other; want one"
        case .noSampleTypes:
            "cannot read pprof: got no sample types; want at least one"
        case .valueCount(let sample, let got, let want):
            "cannot read pprof: got \(got) values in sample \(sample); want \(want)"
        case .badID(let table, let id):
            "cannot read pprof: got the \(table) id \(id) where it is 0 or stands twice;"
                + " want ids from 1, each once"
        case .unknownID(let from, let table, let id):
            "cannot read pprof: got a \(from) that refers to \(table) \(id); want one that exists"
        case .badName(let what, let name):
            "cannot read pprof: got the \(what) \"\(name)\"; want a name without a colon"
        }
    }

    /// Whether the profile may be valid but is larger than the limits allow.
    package var isTooLarge: Bool {
        if case .tooMany = self { true } else { false }
    }
}
