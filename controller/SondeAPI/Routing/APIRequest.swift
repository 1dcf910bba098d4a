// SPDX-License-Identifier: Apache-2.0
// A request as an endpoint sees it.

/// A request as an endpoint sees it: routed, allowed, its body expanded.
package struct APIRequest: Sendable {
    /// The method, target and header fields.
    package var head: RequestHead
    /// The target, taken apart.
    package var target: RequestTarget
    /// The values of the path's parameters, in order.
    package var parameters: [String]
    /// Who asks.
    package var principal: Principal
    /// The endpoint.
    package var route: Route
    /// The body; empty when it went into ``sink``.
    package var body: [UInt8] = []
    /// Where a streamed body went.
    package var sink: (any BodySink)?
    /// Whether the client left before its answer; may be asked while the answer is made.
    package var isGone: @Sendable () -> Bool = { false }

    /// The value of a query item; `nil` when there is none or it is empty.
    package func query(_ name: String) -> String? { target.value(name) }

    /// The value of a query item that is an integer.
    ///
    /// - Parameters:
    ///   - name: The item's name.
    ///   - fallback: What counts when the item is absent.
    ///   - range: The values that are allowed.
    /// - Throws: ``APIError`` when it is no integer, or outside of the range.
    /// - Returns: The value, or the fallback.
    package func integer(
        _ name: String, default fallback: Int, in range: ClosedRange<Int>
    ) throws(APIError) -> Int {
        guard let text = query(name) else { return fallback }
        guard let value = Int(text), range.contains(value) else {
            throw APIError(
                .invalidArgument,
                "cannot read \(name): got \(text.quotedForMessage); want \(range.lowerBound)...\(range.upperBound)"
            )
        }
        return value
    }
}

/// What became of a request.
package enum Reply: Sendable {
    /// The answer.
    case answer(HTTPResponse)
    /// No answer yet; it comes when something changes, or at the deadline.
    case wait(PendingAnswer)
    /// An answer that goes on.
    case stream(StreamingAnswer)
}

/// An answer that waits for something to change.
package struct PendingAnswer: Sendable {
    /// What it waits for: its ``attempt`` is made again whenever this topic changes.
    package var topic: String
    /// When ``expired`` is the answer.
    package var deadline: ContinuousClock.Instant
    /// The answer, when there is one now.
    package var attempt: @Sendable () -> HTTPResponse?
    /// The answer when nothing changed.
    package var expired: HTTPResponse
    /// Called when the client left before there was an answer.
    package var abandoned: @Sendable () -> Void

    /// A pending answer from its parts.
    package init(
        topic: String, deadline: ContinuousClock.Instant,
        attempt: @escaping @Sendable () -> HTTPResponse?, expired: HTTPResponse,
        abandoned: @escaping @Sendable () -> Void = {}
    ) {
        self.topic = topic
        self.deadline = deadline
        self.attempt = attempt
        self.expired = expired
        self.abandoned = abandoned
    }
}
