// SPDX-License-Identifier: Apache-2.0
// A controller of a test's own that listens on a free port.

import Foundation
import SondeAPI
import SondeServer
import Synchronization

/// A listening controller with a data folder of its own, ended and removed with this object.
final class RunningServer: Sendable {
    let server: ControllerServer
    let address: ServerAddress
    let folder: String
    let log = LogCollector()

    init(_ adjust: (inout ServerConfiguration) -> Void = { _ in }) throws {
        folder = NSTemporaryDirectory() + "sonde-server-\(UUID().uuidString)"
        var configuration = ServerConfiguration(dataFolder: folder)
        configuration.listen = "127.0.0.1:0"
        configuration.stopSeconds = 5
        adjust(&configuration)
        let log = log
        server = try ControllerServer(
            configuration, log: Log(level: .debug) { line in log.add(line) })
        address = try server.start()
    }

    deinit {
        server.stop()
        try? FileManager.default.removeItem(atPath: folder)
    }

    func connect() throws -> RawConnection { try RawConnection(port: address.port) }

    /// Whether a request is answered as it should be.
    func answers() throws -> Bool {
        let connection = try connect()
        connection.send("GET /ready HTTP/1.1\r\nHost: localhost\r\n\r\n")
        return connection.status() == 200
    }

    /// One value of `/metrics`.
    func metric(_ name: String) throws -> Double {
        let connection = try connect()
        connection.send("GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        let line = connection.receive().split(separator: "\n").first { $0.hasPrefix(name + " ") }
        return line?.split(separator: " ").last.flatMap { Double($0) } ?? .nan
    }
}

/// Collects the lines of a log.
final class LogCollector: Sendable {
    private let lines = Mutex<[String]>([])
    func add(_ line: String) { lines.withLock { $0.append(line) } }
    var text: String { lines.withLock { $0.joined(separator: "\n") } }
}

/// Waits until something is so; `false` when it is not so within 20 s.
func eventually(_ isSo: () throws -> Bool) rethrows -> Bool {
    let deadline = ContinuousClock.now + .seconds(60)
    while ContinuousClock.now < deadline {
        if try isSo() { return true }
        Thread.sleep(forTimeInterval: 0.01)
    }
    return false
}
