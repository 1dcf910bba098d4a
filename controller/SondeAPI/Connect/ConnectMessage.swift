// SPDX-License-Identifier: Apache-2.0
// A message of a procedure, described once for both of its encodings.

/// A message of a Connect procedure: its fields are named once and serve protobuf and JSON.
///
///     struct LabelPair: ConnectMessage {
///         var name = ""
///         var value = ""
///         mutating func fields<V: FieldVisitor & ~Copyable>(
///             _ visitor: inout V
///         ) throws(V.Failure) {
///             try visitor.field(1, "name", &name)
///             try visitor.field(2, "value", &value)
///         }
///     }
///
/// Names are those of the `.proto` file; JSON's lowerCamelCase is made from them.
package protocol ConnectMessage: Sendable {
    /// The message with nothing set.
    init()

    /// Shows each field, in order of its number, to a visitor that reads or writes it.
    mutating func fields<V: FieldVisitor & ~Copyable>(_ visitor: inout V) throws(V.Failure)
}

/// An enumeration of a message: a number on the wire, a name in JSON.
package protocol ConnectEnum: RawRepresentable, CaseIterable, Sendable where RawValue == Int {
    /// The name in the `.proto` file, such as `TIME_SERIES_AGGREGATION_TYPE_SUM`.
    var name: String { get }
}

/// Reads or writes the fields that a message shows it.
package protocol FieldVisitor: ~Copyable {
    /// What reading may fail with; writing never fails.
    associatedtype Failure: Error

    mutating func field(_ number: Int, _ name: String, _ value: inout String) throws(Failure)
    mutating func field(_ number: Int, _ name: String, _ value: inout Int64) throws(Failure)
    mutating func field(_ number: Int, _ name: String, _ value: inout UInt64) throws(Failure)
    mutating func field(_ number: Int, _ name: String, _ value: inout UInt32) throws(Failure)
    mutating func field(_ number: Int, _ name: String, _ value: inout Double) throws(Failure)
    mutating func field(_ number: Int, _ name: String, _ value: inout Bool) throws(Failure)
    mutating func field(_ number: Int, _ name: String, _ value: inout [UInt8]) throws(Failure)
    /// A field with presence: a zero that was sent differs from none.
    mutating func field(_ number: Int, _ name: String, _ value: inout Int64?) throws(Failure)
    /// A field with presence: an empty text that was sent differs from none.
    mutating func field(_ number: Int, _ name: String, _ value: inout String?) throws(Failure)
    mutating func field(_ number: Int, _ name: String, _ values: inout [String]) throws(Failure)
    mutating func field(_ number: Int, _ name: String, _ values: inout [Int64]) throws(Failure)
    mutating func field(_ number: Int, _ name: String, _ values: inout [UInt64]) throws(Failure)
    mutating func field(_ number: Int, _ name: String, _ values: inout [Int32]) throws(Failure)
    mutating func field(_ number: Int, _ name: String, _ values: inout [Double]) throws(Failure)
    mutating func field<Value: ConnectEnum>(
        _ number: Int, _ name: String, _ value: inout Value
    ) throws(Failure)
    mutating func field<Value: ConnectMessage>(
        _ number: Int, _ name: String, _ value: inout Value?
    ) throws(Failure)
    mutating func field<Value: ConnectMessage>(
        _ number: Int, _ name: String, _ values: inout [Value]
    ) throws(Failure)
}

extension ConnectMessage {
    /// The most elements of a repeated field that are read from outside.
    package static var elementLimit: Int { 65_536 }
}

/// The name that a field has in protobuf's JSON: each underscore goes, what follows is a capital.
func jsonName(_ name: String) -> String {
    guard name.contains("_") else { return name }
    var result = ""
    var capital = false
    for character in name {
        if character == "_" {
            capital = true
            continue
        }
        result += capital ? character.uppercased() : String(character)
        capital = false
    }
    return result
}
