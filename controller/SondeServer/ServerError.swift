// SPDX-License-Identifier: Apache-2.0
// Why the controller could not start.

/// Why the controller could not start.
package struct ServerError: Error, Sendable, CustomStringConvertible {
    /// The kind of failure.
    package var code: Code
    /// `cannot <do what>: <what was found>; want <what>`.
    package var message: String

    /// An error from its parts.
    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    package var description: String { message }

    /// The kinds of failure.
    package enum Code: String, Sendable {
        /// The configuration is wrong, or would be unsafe.
        case badConfiguration
        /// The address cannot be listened on.
        case cannotListen
        /// The certificate or its key cannot be used.
        case badCertificate
        /// The data folder cannot be used.
        case dataFolder
    }
}
