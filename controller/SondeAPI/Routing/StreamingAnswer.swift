// SPDX-License-Identifier: Apache-2.0
// An answer that goes on: messages that are sent when they come, until one side ends it.

/// Where the messages of a streaming answer come from.
///
/// Whoever sends asks for messages on a thread of its own, one call at a time.
package protocol MessageSource: AnyObject, Sendable {
    /// The messages that are ready; none when there are none now, `nil` when no more will come.
    func take() -> [[UInt8]]?

    /// Why the messages ended before their time, in words; `nil` when they did not.
    var failure: String? { get }

    /// Has a closure called whenever there may be something to take.
    ///
    /// - Parameter wake: Returns at once; called on any thread, holding none of the source's locks.
    func onReady(_ wake: @escaping @Sendable () -> Void)

    /// Ends the messages, for nobody reads them any more; harmless when repeated.
    func end()
}

/// An answer that goes on until its source or its reader ends it.
package struct StreamingAnswer: Sendable {
    /// How messages are told apart.
    package enum Framing: Hashable, Sendable {
        /// Each message is a line; empty lines say only that the connection lives.
        case lines
        /// Each message is a text of a WebSocket that the client asked for with this key.
        case webSocket(key: String)
    }

    /// The status and header fields; the body is not used.
    package var head: HTTPResponse
    /// How messages are told apart.
    package var framing: Framing
    /// Where the messages come from.
    package var source: any MessageSource

    /// An answer from its parts.
    package init(head: HTTPResponse, framing: Framing, source: any MessageSource) {
        self.head = head
        self.framing = framing
        self.source = source
    }
}
