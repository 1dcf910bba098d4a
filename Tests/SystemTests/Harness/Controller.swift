// SPDX-License-Identifier: Apache-2.0
// A controller of a test: `sonde serve` on a free port, and its HTTP API.

import Foundation
import Glibc
import SondeHTTPClient

/// A running controller.
final class Controller {
    private let workshop: Workshop
    private let data: URL
    private let arguments: [String]
    private(set) var process: ChildProcess
    private(set) var url: String
    var token: String?
    /// Whose data is asked for.
    var tenant: String?

    /// Starts one on a free port with a data folder of its own.
    init(_ workshop: Workshop, _ arguments: [String] = [], listen: String = "127.0.0.1:0")
        async throws
    {
        self.workshop = workshop
        self.arguments = arguments
        data = workshop.path("data")
        (process, url) = try await Self.launch(workshop, data, listen, arguments)
    }

    /// Kills the process as a power cut would, and starts another one on the same port and data.
    func kill() {
        process.signal(SIGKILL)
        process.end()
    }

    func startAgain() async throws {
        let address = url.replacingOccurrences(of: "http://", with: "")
        (process, url) = try await Self.launch(workshop, data, address, arguments)
    }

    private static func launch(
        _ workshop: Workshop, _ data: URL, _ listen: String, _ arguments: [String]
    ) async throws -> (ChildProcess, String) {
        let process = try workshop.start(
            try Workshop.program("sonde"),
            ["serve", "--listen", listen, "--data", data.path] + arguments)
        var found: String?
        let isReady = await eventually(within: 20) {
            found = process.text.firstMatch(of: /https?:\/\/[0-9.]+:[0-9]+/).map {
                String($0.output)
            }
            return found != nil || !process.isRunning
        }
        guard isReady, let found else {
            throw Stuck("the controller does not start: \(process.text)")
        }
        return (process, found)
    }

    /// Sends a request; an answer of any status.
    func send(
        _ method: String, _ target: String, body: [UInt8] = [], token: String? = nil,
        timeout: Double = 20
    ) throws -> HTTPClientResponse {
        var configuration = HTTPClientConfiguration(
            baseURL: url, token: token ?? self.token, maxResponseBytes: 256 << 20,
            userAgent: "sonde-tests")
        configuration.tenant = tenant
        let client = try HTTPClient(configuration)
        let headers = body.isEmpty ? [] : [(name: "Content-Type", value: "application/json")]
        return try client.send(
            HTTPClientRequest(
                method: method, target: target, headers: headers, body: body,
                timeoutSeconds: timeout))
    }

    /// Reads a JSON answer of status 200.
    func get<Value: Decodable>(_ target: String, as type: Value.Type = Value.self) throws -> Value {
        let answer = try send("GET", target)
        guard answer.status == 200 else {
            throw Stuck(
                "GET \(target): \(answer.status) \(String(decoding: answer.body, as: UTF8.self))")
        }
        return try JSONDecoder().decode(Value.self, from: Data(answer.body))
    }

    func top(_ selector: String, from: String = "now-1h", limit: Int = 1000) throws -> TopAnswer {
        try get("/api/v1/top?selector=\(selector)&from=\(from)&limit=\(limit)")
    }

    func flame(_ selector: String, from: String = "now-1h") throws -> FlameAnswer {
        try get("/api/v1/flame?selector=\(selector)&from=\(from)")
    }

    func agents() throws -> [AgentAnswer] {
        try get("/api/v1/agents", as: AgentsAnswer.self).agents
    }

    /// Waits until an agent of a service fulfils a condition, and gives it.
    func agent(
        of service: String = "bookmaker", within seconds: Double = 30,
        where condition: (AgentAnswer) -> Bool = { _ in true }
    ) async throws -> AgentAnswer {
        var last: [AgentAnswer] = []
        var found: AgentAnswer?
        _ = await eventually(within: seconds) {
            last = try self.agents()
            found = last.first { $0.service == service && condition($0) }
            return found != nil
        }
        guard let found else {
            throw Stuck("no agent of \(service) as wanted after \(seconds) s: \(last)")
        }
        return found
    }
}
