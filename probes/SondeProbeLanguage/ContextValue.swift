// SPDX-License-Identifier: Apache-2.0
// What a hit knows about itself, beside the program's variables.

/// A value of the hit itself, written `#name`.
package enum ContextValue: String, Hashable, Sendable, CaseIterable {
    /// The kernel's number of the thread that came by.
    case thread
    /// The number of the Swift task that came by, or `nil` outside a task.
    case task
    /// The trace id that `Sonde.withTrace` set, as 32 hexadecimal digits, or `nil`.
    case trace
    /// The function that the place lies in.
    case function
    /// The source file's name.
    case file
    /// The line's number.
    case line

    /// All of them, for people.
    package static var list: String {
        allCases.map { "#\($0.rawValue)" }.joined(separator: ", ")
    }
}
