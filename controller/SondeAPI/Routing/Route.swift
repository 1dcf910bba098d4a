// SPDX-License-Identifier: Apache-2.0
// One endpoint as the router knows it: where it lies, who may call it, what body it takes.

/// One endpoint.
package struct Route: Sendable {
    /// The method; `GET` answers `HEAD` too.
    package var method: String
    /// The path, with parameters in braces: `/api/v1/debuginfo/{buildID}`.
    package var path: String
    /// What the caller must be allowed to do; `nil` when anybody may call it.
    package var permission: Permission?
    /// What body it takes.
    package var body: BodyRule
    /// Whether it is answered without any waiting, on the thread that read the request: such an
    /// endpoint answers even when all workers are busy.
    package var isImmediate = false
    /// Whether an error is its sentence as plain text, as Loki's clients want it, and not JSON.
    package var errorsAreText = false
    /// The code of an error that tells of a body, or an answer, beyond its limit: procedures have
    /// another one, for the Connect protocol has no word for 413.
    package var tooLargeCode = APIError.Code.tooLarge
    /// Content encodings that are the endpoint's own matter.
    package var passedEncodings: Set<String> = []
    /// Answers a request.
    package var handler: @Sendable (APIRequest) throws(APIError) -> Reply

    /// An endpoint whose answer is at hand at once.
    ///
    /// - Parameters:
    ///   - method: The method.
    ///   - path: The path, with parameters in braces.
    ///   - permission: What the caller must be allowed to do.
    ///   - body: What body it takes.
    ///   - answer: Makes the answer.
    package init(
        _ method: String, _ path: String, _ permission: Permission?, body: BodyRule = .none,
        answer: @escaping @Sendable (APIRequest) throws(APIError) -> HTTPResponse
    ) {
        self.init(method, path, permission, body: body) { request throws(APIError) -> Reply in
            .answer(try answer(request))
        }
    }

    /// An endpoint whose answer may have to wait.
    ///
    /// - Parameters:
    ///   - method: The method.
    ///   - path: The path, with parameters in braces.
    ///   - permission: What the caller must be allowed to do.
    ///   - body: What body it takes.
    ///   - reply: Makes the answer, or says what it waits for.
    package init(
        _ method: String, _ path: String, _ permission: Permission?, body: BodyRule,
        reply: @escaping @Sendable (APIRequest) throws(APIError) -> Reply
    ) {
        self.method = method
        self.path = path
        self.permission = permission
        self.body = body
        self.handler = reply
    }

    /// The values of the path's parameters when the segments fit, in order; otherwise `nil`.
    func match(_ segments: [String]) -> [String]? {
        let pattern = path.split(separator: "/")
        guard pattern.count == segments.count else { return nil }
        var parameters: [String] = []
        for (part, segment) in zip(pattern, segments) {
            if part.hasPrefix("{") {
                parameters.append(segment)
            } else if part != segment {
                return nil
            }
        }
        return parameters
    }
}

/// What body an endpoint takes.
package enum BodyRule: Sendable {
    /// None; one that comes nevertheless is refused.
    case none
    /// One that is kept in memory, expanded when it comes as gzip, up to so many bytes.
    case collected(limit: Int)
    /// One that goes piece by piece into a sink, which is opened before the first piece comes.
    case streamed(limit: Int64, open: @Sendable (APIRequest) throws(APIError) -> any BodySink)
}

/// Takes a body that is too large for memory, piece by piece.
package protocol BodySink: AnyObject, Sendable {
    /// Takes the next piece.
    func append(_ bytes: UnsafeRawBufferPointer) throws(APIError)
    /// Gives up: the body does not come to its end. Also called after a failure of ``append(_:)``,
    /// and harmless after the handler finished the sink.
    func cancel()
}
