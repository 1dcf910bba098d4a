// SPDX-License-Identifier: Apache-2.0
// A controller of a test's own, asked through its router or through a socket.

import Foundation
import SondeAPI
import SondeHTTPClient
import SondeServer
import Synchronization

/// How a test asks the controller: the same requests must get the same answers either way.
enum Transport: String, CaseIterable, Sendable {
    case router, socket
}

/// A controller with a data folder of its own, ended and removed with this object.
final class TestController: Sendable {
    let server: ControllerServer
    let address: ServerAddress
    let folder: DataPlace
    let lines = LogLines()
    private let client: HTTPClient

    /// Starts a controller.
    ///
    /// - Parameters:
    ///   - folder: Its data; a new folder unless given.
    ///   - adjust: Changes the configuration.
    /// - Throws: What the controller throws at its start.
    init(
        in folder: DataPlace = DataPlace(),
        _ adjust: (inout ServerConfiguration) -> Void = { _ in }
    ) throws {
        self.folder = folder
        var configuration = ServerConfiguration(dataFolder: folder.path)
        configuration.listen = "127.0.0.1:0"
        configuration.stopSeconds = 5
        adjust(&configuration)
        let lines = lines
        server = try ControllerServer(
            configuration, log: Log(level: .debug) { line in lines.add(line) })
        address = try server.start()
        client = try HTTPClient(
            HTTPClientConfiguration(baseURL: address.url, userAgent: "sonde-tests"))
    }

    deinit { server.stop() }

    /// Sends a request and waits for the answer.
    func send(
        _ method: String = "GET", _ target: String, over transport: Transport = .socket,
        headers: [(String, String)] = [], body: [UInt8] = []
    ) throws -> Answer {
        switch transport {
        case .socket:
            let response = try client.send(
                HTTPClientRequest(
                    method: method, target: target,
                    headers: headers.map { (name: $0.0, value: $0.1) }, body: body))
            return Answer(
                status: response.status, headers: response.headers.map { ($0.name, $0.value) },
                body: response.body)
        case .router: return try route(method, target, headers, body)
        }
    }

    private func route(
        _ method: String, _ target: String, _ headers: [(String, String)], _ body: [UInt8]
    ) throws -> Answer {
        var fields = headers.map { HTTPHeader($0.0, $0.1) }
        fields.append(HTTPHeader("Host", "127.0.0.1:\(address.port)"))
        if !body.isEmpty { fields.append(HTTPHeader("Content-Length", "\(body.count)")) }
        let head = RequestHead(method: method, target: target, headers: fields)
        guard case .admitted(var request) = server.router.admit(head) else {
            guard case .refused(let response, _) = server.router.admit(head) else {
                throw CocoaError(.featureUnsupported)
            }
            return Answer(response)
        }
        if let sink = request.sink {
            try body.withUnsafeBytes { try sink.append($0) }
        } else {
            request.body = body
        }
        switch server.router.respond(to: request) {
        case .answer(let response): return Answer(response)
        case .wait(let pending):
            while ContinuousClock.now < pending.deadline {
                if let response = pending.attempt() { return Answer(response) }
                Thread.sleep(forTimeInterval: 0.002)
            }
            return Answer(pending.expired)
        case .stream(let streaming):
            streaming.source.end()
            return Answer(streaming.head)
        }
    }
}

/// A folder for data, removed with this object.
final class DataPlace: Sendable {
    let path = NSTemporaryDirectory() + "sonde-api-\(UUID().uuidString)"
    deinit { try? FileManager.default.removeItem(atPath: path) }
}

/// An answer, the same over both transports.
struct Answer: Sendable {
    var status: Int
    var headers: [(String, String)]
    var body: [UInt8]

    init(status: Int, headers: [(String, String)], body: [UInt8]) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    init(_ response: HTTPResponse) {
        self.init(
            status: response.status,
            headers: response.headers.map { ($0.name.lowercased(), $0.value) }, body: response.body)
    }

    func header(_ name: String) -> String? { headers.first { $0.0 == name }?.1 }

    var text: String { String(decoding: body, as: UTF8.self) }

    /// The body as JSON.
    var json: [String: Any] {
        (try? JSONSerialization.jsonObject(with: Data(body))) as? [String: Any] ?? [:]
    }

    var code: String { json["code"] as? String ?? "" }
    var message: String { json["message"] as? String ?? "" }
}

/// The lines that a controller logged.
final class LogLines: Sendable {
    private let lines = Mutex<[String]>([])
    func add(_ line: String) { lines.withLock { $0.append(line) } }
    var all: [String] { lines.withLock { $0 } }
}
