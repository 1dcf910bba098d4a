// SPDX-License-Identifier: Apache-2.0
// Why the store could not do what it was asked for.

/// Why the store could not do what it was asked for.
package struct StoreError: Error, Sendable, CustomStringConvertible {
    /// The kind of failure.
    package var code: Code
    /// `cannot <do what>: <what was found>; want <what>`.
    package var message: String

    /// A store error from its parts.
    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    package var description: String { message }

    /// The kinds of failure.
    package enum Code: String, Sendable {
        /// The data folder cannot be opened, created or written: not writable, locked by another.
        case cannotOpen
        /// The disk is full; the same call may work later.
        case diskFull
        /// The disk answered with an error; the same call may work later.
        case inputOutput
        /// A stored file is damaged or of a version this program does not know.
        case corrupt
        /// What was asked for does not exist.
        case notFound
        /// What was to be stored is there already.
        case alreadyExists
    }
}
