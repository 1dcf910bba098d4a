// SPDX-License-Identifier: Apache-2.0
// Why the agent could not be started.

/// Why ``Sonde/start(_:)`` could not start the agent.
///
/// The program itself is as it was before the call: no thread runs and no signal is taken.
public struct SondeError: Error, Sendable, CustomStringConvertible {
    /// The kind of failure; more kinds may be added.
    public var code: Code
    /// What went wrong, in one sentence: `cannot <do what>: <what was found>; want <what>`.
    public var message: String

    /// The kinds of failure.
    ///
    /// This is not an enumeration, so that a later version can add one without breaking a `switch`.
    public struct Code: RawRepresentable, Hashable, Sendable {
        /// The kind's name, such as `invalidConfiguration`.
        public var rawValue: String

        /// A kind from its name.
        public init(rawValue: String) { self.rawValue = rawValue }

        /// A value, given by the program or by the environment, cannot be used.
        public static let invalidConfiguration = Code(rawValue: "invalidConfiguration")
        /// An agent with other settings runs in this process.
        public static let alreadyRunning = Code(rawValue: "alreadyRunning")
        /// The sampler cannot work here.
        public static let noSampler = Code(rawValue: "noSampler")
        /// The system gives no thread.
        public static let noThread = Code(rawValue: "noThread")
    }

    /// An error from its parts.
    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// The message.
    public var description: String { message }
}
