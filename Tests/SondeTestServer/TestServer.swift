// SPDX-License-Identifier: Apache-2.0
// An HTTP server on raw sockets that behaves as badly as a test asks it to.

import Foundation
import Glibc
import Synchronization

/// A request as the server got it.
package struct TestRequest: Sendable {
    package var method: String
    package var target: String
    /// Lower-case names.
    package var headers: [String: String]
    package var body: [UInt8]
    /// Counts connections from 1.
    package var connection: Int
}

/// What the server does after a request.
package enum TestAnswer: Sendable {
    /// Answers in full and keeps the connection.
    case respond(Int, headers: [(String, String)] = [], body: [UInt8] = [])
    /// Answers nothing and keeps the connection until the server stops.
    case hang
    /// Sends these bytes, one each `milliseconds`, and never ends.
    case drip([UInt8], milliseconds: Int32)
    /// Sends these bytes as they are and closes.
    case raw([UInt8])
    /// Announces a body of 1000 bytes, sends 10 and resets the connection.
    case resetInBody
    /// Resets the connection without an answer.
    case reset
}

/// A server on 127.0.0.1 with one thread for each connection.
package final class TestServer: Sendable {
    package typealias Behavior = @Sendable (TestRequest) -> TestAnswer

    /// The port that it listens on.
    package let port: UInt16
    private let listener: Int32
    private let state: Mutex<State>

    private struct State {
        var behavior: Behavior
        var requests: [TestRequest] = []
        var connections: Set<Int32> = []
        var connectionCount = 0
        var isStopped = false
    }

    /// Starts a server.
    ///
    /// - Parameters:
    ///   - port: Where to listen; 0 for any free port.
    ///   - behavior: Called on the connection's thread for each request.
    /// - Throws: ``TestServerError`` when the port cannot be had.
    package init(port: UInt16 = 0, _ behavior: @escaping Behavior) throws {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var yes: Int32 = 1
        setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = withUnsafeMutableBytes(of: &address) { bytes in
            // Safety: a sockaddr_in is a sockaddr to the kernel; both live for the calls.
            guard let pointer = bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self) else {
                return false
            }
            return bind(listener, pointer, length) == 0 && listen(listener, 64) == 0
                && getsockname(listener, pointer, &length) == 0
        }
        guard bound else {
            close(listener)
            throw TestServerError.cannotListen(port: port, errno: errno)
        }
        self.listener = listener
        self.port = UInt16(bigEndian: address.sin_port)
        state = Mutex(State(behavior: behavior))
        Thread.detachNewThread { [self] in acceptConnections() }
    }

    /// Its address.
    package var url: String { "http://127.0.0.1:\(port)" }

    /// Every request so far.
    package var requests: [TestRequest] { state.withLock { $0.requests } }

    /// Requests to this path so far.
    package func requests(to path: String) -> [TestRequest] {
        requests.filter { $0.target == path }
    }

    /// Behaves in another way from the next request on.
    package func behave(_ behavior: @escaping Behavior) {
        state.withLock { $0.behavior = behavior }
    }

    /// Closes the port and every connection.
    package func stop() {
        state.withLock { state in
            guard !state.isStopped else { return }
            state.isStopped = true
            shutdown(listener, Int32(SHUT_RDWR))
            for connection in state.connections { shutdown(connection, Int32(SHUT_RDWR)) }
        }
    }

    private func acceptConnections() {
        while true {
            let connection = accept(listener, nil, nil)
            guard connection >= 0 else { break }
            _ = fcntl(connection, F_SETFD, FD_CLOEXEC)
            let number: Int? = state.withLock { state in
                guard !state.isStopped else { return nil }
                state.connections.insert(connection)
                state.connectionCount += 1
                return state.connectionCount
            }
            guard let number else {
                close(connection)
                break
            }
            Thread.detachNewThread { [self] in
                serve(TestConnection(connection), number)
                state.withLock { _ = $0.connections.remove(connection) }
                close(connection)
            }
        }
        close(listener)
    }

    private func serve(_ connection: TestConnection, _ number: Int) {
        while let request = connection.readRequest(connection: number) {
            let behavior = state.withLock { state in
                state.requests.append(request)
                return state.behavior
            }
            guard connection.carryOut(behavior(request)) else { return }
        }
    }
}

/// Why a test server does not start.
package enum TestServerError: Error {
    case cannotListen(port: UInt16, errno: Int32)
}

/// A port of 127.0.0.1 on which nobody listens just after the call.
package func unusedPort() throws -> UInt16 {
    let server = try TestServer { _ in .reset }
    defer { server.stop() }
    return server.port
}

/// Waits until a condition holds, looking every few milliseconds; false after `seconds`.
package func eventually(
    within seconds: Double = 30, _ condition: () throws -> Bool
) rethrows -> Bool {
    let deadline = Date().addingTimeInterval(seconds)
    while try !condition() {
        guard Date() < deadline else { return false }
        poll(nil, 0, 5)
    }
    return true
}

/// Waits as `eventually` does, and leaves the thread to other tests meanwhile.
///
/// Tests share as many threads as there are processors. One that blocks its own keeps the others
/// waiting, also what it has started itself and waits for. Not for a forked child, which has no such
/// threads.
package func becomesTrue(
    within seconds: Double = 30, _ condition: () throws -> Bool
) async rethrows -> Bool {
    let deadline = Date().addingTimeInterval(seconds)
    while try !condition() {
        guard Date() < deadline else { return false }
        try? await Task.sleep(for: .milliseconds(5))
    }
    return true
}
