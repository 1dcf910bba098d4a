// SPDX-License-Identifier: Apache-2.0
// A small HTTP/1.1 server: one poller, several worker threads, connections that stay open.

import CBookmaker
import Glibc
import Synchronization

/// Serves requests on worker threads of its own.
final class HTTPServer: Sendable {
    typealias Handler = @Sendable (HTTPRequest) -> HTTPResponse

    /// What the poller calls itself; a literal lives as long as the program.
    private static let name: StaticString = "bookmaker-http"

    let address: SocketAddress
    private let listener: Int32
    /// Plain values that never change, so every worker may have a copy.
    private nonisolated(unsafe) let poller: bookmaker_poller
    private let limits: HTTPLimits
    private let handler: Handler
    private let connections = Mutex<[Int32: HTTPConnection]>([:])
    private let workers = Mutex<[NativeThread]>([])
    private let turnedAway = Atomic<Int>(0)

    /// Opens the socket; serving begins with ``start(threads:)``.
    init(listen: SocketAddress, limits: HTTPLimits, handler: @escaping Handler) throws(ListenError)
    {
        (listener, address) = try listen.listen()
        var poller = bookmaker_poller()
        // Safety: UInt8 and CChar have one layout, and a literal ends with a zero byte.
        let name = UnsafeRawPointer(Self.name.utf8Start).assumingMemoryBound(to: CChar.self)
        guard bookmaker_poller_open(&poller, listener, name) else {
            close(listener)
            throw ListenError(address: listen, reason: "the system gives no poller")
        }
        self.poller = poller
        self.limits = limits
        self.handler = handler
    }

    deinit {
        withUnsafePointer(to: poller) { bookmaker_poller_close($0) }
        close(listener)
    }

    /// How many connections are open, and how many found no room.
    var connectionCounts: (open: Int, turnedAway: Int) {
        (connections.withLock { $0.count }, turnedAway.load(ordering: .relaxed))
    }

    func start(threads: Int) {
        let started = (1...max(1, threads)).compactMap { number in
            NativeThread(name: "http-\(number)") { [self] in work(sweeps: number == 1) }
        }
        workers.withLock { $0 = started }
    }

    /// Ends the workers after the requests that they are serving.
    func stop() {
        withUnsafePointer(to: poller) { bookmaker_poller_stop($0) }
        let ended = workers.withLock { workers in
            defer { workers = [] }
            return workers
        }
        for worker in ended { worker.join() }
        connections.withLock { $0 = [:] }
    }

    /// What a worker does until the end; one of them also ends idle connections.
    private func work(sweeps: Bool) {
        while true {
            let event = withUnsafePointer(to: poller) {
                bookmaker_poller_wait($0, sweeps ? 1000 : -1)
            }
            if sweeps { sweep() }
            switch event.kind {
            case BOOKMAKER_EVENT_STOP: return
            case BOOKMAKER_EVENT_LISTENER: accept()
            case BOOKMAKER_EVENT_CONNECTION: serve(event.descriptor)
            default: continue
            }
        }
    }

    private func accept() {
        while true {
            let descriptor = withUnsafePointer(to: poller) { bookmaker_poller_accept($0) }
            guard descriptor >= 0 else { break }
            let connection = HTTPConnection(descriptor: descriptor)
            let hasRoom = connections.withLock { connections in
                guard connections.count < limits.connections else { return false }
                connections[descriptor] = connection
                return true
            }
            if hasRoom {
                arm(descriptor, isNew: true)
            } else {
                turnedAway.add(1, ordering: .relaxed)
            }
        }
        arm(listener, isNew: false)
    }

    private func serve(_ descriptor: Int32) {
        guard let connection = connections.withLock({ $0[descriptor] }) else { return }
        if connection.serve(limits: limits, handler: handler) {
            arm(descriptor, isNew: false)
        } else {
            // Forgotten before it is closed: the number may be given out again at once.
            connections.withLock { connections in _ = connections.removeValue(forKey: descriptor) }
        }
    }

    private func sweep() {
        let idle = connections.withLock { connections in
            connections.values.filter { $0.idleSeconds > limits.idleSeconds }
        }
        for connection in idle { connection.hangUp() }
    }

    /// Asks to be told once when there is something to read.
    private func arm(_ descriptor: Int32, isNew: Bool) {
        withUnsafePointer(to: poller) { _ = bookmaker_poller_arm($0, descriptor, isNew) }
    }
}
