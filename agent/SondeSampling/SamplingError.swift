// SPDX-License-Identifier: Apache-2.0
// Why the sampler cannot be started here.

/// Why the sampler cannot be started here.
package struct SamplingError: Error, Hashable, CustomStringConvertible {
    /// What kind of failure it is.
    package enum Code: String, Hashable, Sendable {
        /// A sampler already runs in this process.
        case alreadyRunning
        /// Every signal that could be used has a handler of somebody else.
        case noFreeSignal
        /// The system refused memory, a thread or a timer.
        case systemRefused
        /// The threads of this process cannot be listed (`/proc` is missing or hidden).
        case threadsHidden
    }

    /// What kind of failure it is.
    package let code: Code
    /// What was tried, what was found and what would have been needed.
    package let message: String

    /// The message.
    package var description: String { message }

    init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }
}
