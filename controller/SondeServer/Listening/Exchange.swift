// SPDX-License-Identifier: Apache-2.0
// One request and its answer, on their way between the library's callbacks and our workers.

internal import CMicroHTTPD
internal import Glibc
internal import SondeAPI

/// One request and its answer.
///
/// Safety: the listener's thread touches it until it suspends the connection, whoever makes the
/// answer touches it until the connection is resumed, then the listener's thread again. Suspending
/// and resuming order these.
final class Exchange: @unchecked Sendable {
    /// Where the exchange stands.
    enum Phase {
        /// The head is not complete yet.
        case begun
        /// The body is coming; when it is there, the request goes to a worker.
        case receiving(APIRequest)
        /// The answer is known, but the rest of a body that nobody wants is still coming.
        case discarding(HTTPResponse)
        /// A worker or a long poll has it; the connection is suspended.
        case working
        /// The answer is ready to be sent.
        case answered(HTTPResponse)
        /// The answer goes on, and is ready to begin.
        case streaming(StreamingAnswer)
        /// The answer was handed over.
        case sent
    }

    /// The request's target, as it was sent.
    let target: String
    /// When the exchange began; from the body's last byte on, when that came.
    var start = ContinuousClock.now
    /// The connection's record in the table.
    let record: ConnectionRecord?
    var phase = Phase.begun
    var method = ""
    /// The endpoint's name, for the metrics.
    var route = "other"
    /// The body so far, unless it goes into a sink.
    var body: [UInt8] = []
    /// Bytes of the body that came.
    var receivedBytes = 0
    /// Bytes of ``body`` that are counted against the budget for all bodies.
    var budgetedBytes = 0
    /// What a WebSocket will send that is not open yet.
    var upgrading: LiveStream?
    /// The status that was sent.
    var status = 0

    init(target: String, record: ConnectionRecord?) {
        self.target = target
        self.record = record
    }

    /// POLLRDHUP of <poll.h>, which Swift does not import: the peer sends no more.
    private static let closedByPeer: Int16 = 0x2000

    /// Whether the client has closed its side of a suspended connection.
    static func isGone(socket: Int32) -> Bool {
        // The socket's state is asked for, and nothing is read: bytes may wait there that only the
        // library can read when the connection resumes, such as the next request or TLS's goodbye.
        let gone = closedByPeer | Int16(POLLHUP) | Int16(POLLERR)
        var descriptor = pollfd(fd: socket, events: closedByPeer, revents: 0)
        return poll(&descriptor, 1, 0) > 0 && descriptor.revents & gone != 0
    }
}
