// SPDX-License-Identifier: Apache-2.0
// What the listener is at right now: shared with the endpoints that tell of it.

internal import Synchronization

/// What the listener is at right now.
final class ListenerState: Sendable {
    /// The open connections.
    let connections: ConnectionTable
    /// Requests that wait for something to change.
    let longPolls = LongPolls()
    /// Answers that go on, as lines and as WebSockets.
    let lineStreams = LineStreams()
    let webSockets = WebSocketPump()
    /// Threads that make what those send: a slow question must not hold up the lines of others.
    let streamWorkers = WorkerPool(name: "stream", threads: 4, queueLimit: 4096)
    /// Requests that are not over.
    let exchanges = Atomic<Int>(0)
    /// Bytes of bodies in memory.
    let bodyBytes = Atomic<Int>(0)
    /// Whether the controller is stopping.
    let isDraining = Atomic<Bool>(false)

    init(patience: ConnectionTable.Patience) {
        connections = ConnectionTable(patience: patience)
    }

    /// The figures for the metrics.
    var figures: [(name: String, help: String, value: Double)] {
        [
            ("sonde_http_connections", "Open connections.", Double(connections.count)),
            (
                "sonde_http_requests_in_flight", "Requests that are not over, long polls included.",
                Double(exchanges.load(ordering: .relaxed))
            ),
            (
                "sonde_http_streams", "Answers that go on: lines and WebSockets.",
                Double(lineStreams.count + webSockets.count)
            ),
            ("sonde_http_long_polls", "Requests that wait for a change.", Double(longPolls.count)),
            (
                "sonde_http_body_bytes_in_memory", "Bytes of request bodies in memory.",
                Double(bodyBytes.load(ordering: .relaxed))
            ),
        ]
    }
}
