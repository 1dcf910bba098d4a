// SPDX-License-Identifier: Apache-2.0
// The one thread that serves all WebSockets.

internal import Foundation
internal import Glibc
internal import Synchronization

/// Reads from and writes to all WebSockets.
///
/// The thread begins with the first connection.
final class WebSocketPump: Sendable {
    private struct State {
        var arrived: [WebSocketConnection] = []
        var isRunning = false
        var isStopping = false
    }

    /// How long connections get to be closed politely.
    private static let goodbye: Duration = .seconds(1)

    private let state = Mutex(State())
    /// A pipe that wakes the thread; full is as good as one byte.
    private let bell: (rope: Int32, clapper: Int32)
    private let open = Atomic(0)

    init() {
        var ends: [Int32] = [-1, -1]
        pipe(&ends)
        for end in ends {
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
        }
        bell = (rope: ends[1], clapper: ends[0])
    }

    deinit {
        Glibc.close(bell.rope)
        Glibc.close(bell.clapper)
    }

    /// How many connections there are.
    var count: Int { open.load(ordering: .relaxed) }

    /// Takes a connection over.
    func add(_ connection: WebSocketConnection) {
        let (isTaken, starts) = state.withLock { state in
            guard !state.isStopping else { return (false, false) }
            state.arrived.append(connection)
            defer { state.isRunning = true }
            return (true, !state.isRunning)
        }
        guard isTaken else { return }
        open.add(1, ordering: .relaxed)
        if starts {
            let thread = Thread { [self] in run() }
            thread.name = "websocket"
            thread.start()
        }
        ring()
    }

    /// Closes all connections; returns when they are, or at the deadline.
    func stop(by deadline: Date) {
        state.withLock { $0.isStopping = true }
        ring()
        while state.withLock({ $0.isRunning }), Date() < deadline {
            Thread.sleep(forTimeInterval: 0.002)
        }
    }

    private func ring() {
        var byte: UInt8 = 1
        _ = write(bell.rope, &byte, 1)
    }

    private func run() {
        var connections: [WebSocketConnection] = []
        var stopsAt: ContinuousClock.Instant?
        var rings = [UInt8](repeating: 0, count: 64)
        let wake: @Sendable () -> Void = { [weak self] in self?.ring() }
        while true {
            var entries = [pollfd(fd: bell.clapper, events: Int16(POLLIN), revents: 0)]
            entries += connections.map {
                let write = $0.wantsToWrite ? Int16(POLLOUT) : 0
                return pollfd(fd: $0.socket, events: Int16(POLLIN) | write, revents: 0)
            }
            poll(&entries, nfds_t(entries.count), stopsAt == nil ? 1000 : 20)
            while read(bell.clapper, &rings, rings.count) == rings.count {}
            let now = ContinuousClock.now
            var living: [WebSocketConnection] = []
            for (connection, entry) in zip(connections, entries.dropFirst()) {
                let isReadable = entry.revents & ~Int16(POLLOUT) != 0
                if connection.turn(isReadable: isReadable, now: now, wake: wake) {
                    living.append(connection)
                }
            }
            open.subtract(connections.count - living.count, ordering: .relaxed)
            let (arrived, isStopping) = state.withLock { state in
                defer { state.arrived = [] }
                return (state.arrived, state.isStopping)
            }
            connections = living
            for connection in arrived {
                if connection.turn(isReadable: false, now: now, wake: wake) {
                    connections.append(connection)
                } else {
                    open.subtract(1, ordering: .relaxed)
                }
            }
            guard isStopping else { continue }
            if stopsAt == nil {
                stopsAt = now + Self.goodbye
                for connection in connections { connection.close(.goingAway, "stopping") }
                ring()
            }
            guard connections.isEmpty || now > stopsAt ?? now else { continue }
            open.subtract(connections.count, ordering: .relaxed)
            connections = []
            return state.withLock { $0.isRunning = false }
        }
    }
}
