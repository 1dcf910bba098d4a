// SPDX-License-Identifier: Apache-2.0
// The open connections and how long each has been at what it does: slow ones are cut off.

internal import Glibc
internal import Synchronization

/// One open connection.
final class ConnectionRecord: Sendable {
    /// What the connection is doing.
    enum Phase: Sendable {
        /// Waiting for a request's head to be complete: idle, or slow.
        case head
        /// Receiving a body.
        case body
        /// The controller's turn: it makes an answer, or holds a long poll.
        case answering
        /// Sending an answer.
        case sending
    }

    struct State: Sendable {
        var phase = Phase.head
        var since = ContinuousClock.now
        /// Bytes of the body that came, or of the answer that is to be sent.
        var bytes = 0
        /// Whether the last look found that the client had closed its side.
        var isLeft = false
    }

    /// The connection's socket; valid until the record leaves its table.
    let socket: Int32
    let state = Mutex(State())

    init(socket: Int32) { self.socket = socket }

    /// Notes that another phase begins.
    func enter(_ phase: Phase, bytes: Int = 0) {
        state.withLock { $0 = State(phase: phase, since: .now, bytes: bytes) }
    }

    /// Notes that more of the body came.
    func received(_ count: Int) {
        state.withLock { state in
            state.bytes += count
            state.isLeft = false
        }
    }

    /// Notes whether the client closed its side; whether it had at the last look too, with the
    /// request incomplete all the while.
    func noteLeft(_ isLeft: Bool) -> Bool {
        state.withLock { state in
            defer { state.isLeft = isLeft }
            return isLeft && state.isLeft && (state.phase == .head || state.phase == .body)
        }
    }
}

/// The open connections.
final class ConnectionTable: Sendable {
    /// How long a client may take.
    struct Patience: Sendable {
        /// For a request's head, counted from the connection's begin or from the last answer.
        var head: Duration
        /// For a body or for reading an answer, beside the time that its bytes need.
        var transfer: Duration
        /// Bytes a second that are expected of a client.
        var bytesPerSecond: Int
    }

    private let records = Mutex<[ObjectIdentifier: ConnectionRecord]>([:])
    private let patience: Patience

    init(patience: Patience) { self.patience = patience }

    /// How many connections are open.
    var count: Int { records.withLock { $0.count } }

    func add(_ record: ConnectionRecord) {
        records.withLock { $0[ObjectIdentifier(record)] = record }
    }

    /// Must be called before the connection's socket is closed: afterwards its number may be
    /// another connection's.
    func remove(_ record: ConnectionRecord) {
        records.withLock { _ = $0.removeValue(forKey: ObjectIdentifier(record)) }
    }

    /// Cuts off the connections that took too long or that the client left, and says how many by
    /// reason.
    ///
    /// libmicrohttpd does not end a connection whose client closes it in the middle of a request:
    /// it waits for the rest of the body.
    func cutOff(now: ContinuousClock.Instant = .now) -> [String: Int] {
        records.withLock { records in
            var reasons: [String: Int] = [:]
            let left = Self.left(Array(records.values))
            for record in records.values {
                let wasLeft = record.noteLeft(left.contains(record.socket))
                let reason = wasLeft ? "left" : overdue(record.state.withLock { $0 }, now)
                guard let reason else { continue }
                // The socket is still this connection's: `remove` waits for the lock.
                shutdown(record.socket, Int32(SHUT_RDWR))
                record.enter(.answering)
                reasons[reason, default: 0] += 1
            }
            return reasons
        }
    }

    /// What `poll` calls `POLLRDHUP`; glibc shows the name only to C programs that ask for it.
    ///
    /// Source: poll(2).
    private static let readHangUp: Int16 = 0x2000

    /// The sockets whose clients have closed their side and of which nothing is left to be read.
    private static func left(_ records: [ConnectionRecord]) -> Set<Int32> {
        var entries = records.map {
            pollfd(fd: $0.socket, events: Self.readHangUp, revents: 0)
        }
        guard poll(&entries, nfds_t(entries.count), 0) > 0 else { return [] }
        var byte: UInt8 = 0
        return Set(
            entries.lazy.filter { $0.revents != 0 }.map(\.fd).filter {
                recv($0, &byte, 1, Int32(MSG_PEEK) | Int32(MSG_DONTWAIT)) <= 0
            })
    }

    private func overdue(
        _ state: ConnectionRecord.State, _ now: ContinuousClock.Instant
    ) -> String? {
        let elapsed = state.since.duration(to: now)
        let allowance = patience.transfer + .seconds(state.bytes / max(1, patience.bytesPerSecond))
        return switch state.phase {
        case .head: elapsed > patience.head ? "idle" : nil
        case .body: elapsed > allowance ? "slow_body" : nil
        case .sending: elapsed > allowance ? "slow_reader" : nil
        case .answering: nil
        }
    }
}
