// SPDX-License-Identifier: Apache-2.0
// The example service of a test, and the load on it.

import Foundation
import SondeHTTPClient

/// A running Bookmaker.
final class Bookmaker {
    private let workshop: Workshop
    let process: ChildProcess
    let address: String

    /// Starts one on a free port.
    init(
        _ workshop: Workshop, _ arguments: [String] = [], program: URL? = nil,
        environment: [String: String] = [:]
    ) async throws {
        self.workshop = workshop
        let program = try program ?? Workshop.program("bookmaker")
        let process = try workshop.start(
            program, ["--listen", "127.0.0.1:0"] + arguments, environment)
        self.process = process
        var found: String?
        _ = await eventually(within: 20) {
            found = process.text.firstMatch(of: /"address":"([0-9.:]+)"/).map { String($0.1) }
            return found != nil || !process.isRunning
        }
        guard let found else { throw Stuck("bookmaker does not start: \(process.text)") }
        address = found
    }

    /// Customers for some seconds; they run beside the test.
    func load(
        seconds: Double, connections: Int = 6, rate: Double? = nil
    ) throws -> Load {
        let rateWords = rate.map { ["--rate", "\($0)"] } ?? []
        let process = try workshop.start(
            try Workshop.program("bookmaker-load"),
            [
                "--target", "http://\(address)", "--duration", "\(seconds)", "--connections",
                "\(connections)",
            ] + rateWords)
        return Load(process: process, seconds: seconds)
    }

    func get<Value: Decodable>(_ target: String, as type: Value.Type = Value.self) throws -> Value {
        let client = try HTTPClient(
            HTTPClientConfiguration(
                baseURL: "http://\(address)", maxResponseBytes: 16 << 20,
                userAgent: "sonde-tests"))
        let answer = try client.send(HTTPClientRequest(method: "GET", target: target))
        guard answer.status == 200 else { throw Stuck("GET \(target): \(answer.status)") }
        return try JSONDecoder().decode(Value.self, from: Data(answer.body))
    }

    func meters() throws -> MeterAnswer { try get("/debug/cpu") }
    func agentStatus() throws -> StatusAnswer { try get("/debug/agent") }

    /// The agent's status for a message.
    var agentText: String { (try? agentStatus()).map { "\($0)" } ?? "no status" }
}

/// Load that was started.
struct Load {
    let process: ChildProcess
    let seconds: Double

    /// Waits for its end and gives what the customers saw.
    func result() async throws -> LoadAnswer {
        guard await process.ended(within: seconds + 40) == 0 else {
            throw Stuck("bookmaker-load failed: \(process.text)")
        }
        return try JSONDecoder().decode(LoadAnswer.self, from: Data(process.text.utf8))
    }
}
