// SPDX-License-Identifier: Apache-2.0
// What an agent says to the controller, and what a reader sees of it.

import Dispatch
import Foundation
import SondeHTTPClient
import SondeModel
import SondeServer
import SondeWire

extension TestController {
    @discardableResult
    func register(
        _ instance: String, modules: [Module] = [module("/opt/bookmaker", "ab")],
        over transport: Transport = .socket
    ) throws -> Answer {
        var request = RegisterRequest()
        request.service = "bookmaker"
        request.instance = instance
        request.host = "testhost"
        request.pid = 4711
        request.startedUnixNanos = UInt64((Date().timeIntervalSince1970 - 100) * 1e9)
        request.modules = modules
        request.labels = [Label(name: "region", value: "eu-1")]
        return try send(
            "POST", "/sonde.control.v1.ControlService/Register", over: transport,
            headers: [("Content-Type", "application/proto")], body: request.encode())
    }

    func poll(
        _ instance: String, revision: String = "", waitMs: UInt64 = 0, report: AgentReport? = nil,
        over transport: Transport = .socket
    ) throws -> Answer {
        try send(
            "POST", "/sonde.control.v1.ControlService/Poll", over: transport,
            headers: [("Content-Type", "application/proto")],
            body: pollBody(instance, revision, waitMs, report))
    }

    func agents(over transport: Transport = .socket) throws -> [[String: Any]] {
        let answer = try send("GET", "/api/v1/agents", over: transport)
        return answer.json["agents"] as? [[String: Any]] ?? []
    }
}

/// A second connection to a controller.
final class TestClient {
    private let client: HTTPClient

    init(_ controller: TestController) throws {
        client = try HTTPClient(
            HTTPClientConfiguration(baseURL: controller.address.url, userAgent: "sonde-tests"))
    }

    func poll(
        _ instance: String, revision: String = "", waitMs: UInt64 = 0, timeout: Double = 30
    ) throws -> Answer {
        let response = try client.send(
            HTTPClientRequest(
                method: "POST", target: "/sonde.control.v1.ControlService/Poll",
                headers: [(name: "Content-Type", value: "application/proto")],
                body: pollBody(instance, revision, waitMs, nil), timeoutSeconds: timeout))
        return Answer(
            status: response.status, headers: response.headers.map { ($0.name, $0.value) },
            body: response.body)
    }
}

private func pollBody(
    _ instance: String, _ revision: String, _ waitMs: UInt64, _ report: AgentReport?
) -> [UInt8] {
    var request = PollRequest()
    request.instance = instance
    request.revision = revision
    request.waitMs = waitMs
    request.report = report
    return request.encode()
}

/// A module whose build id is 20 times the same two digits.
func module(_ path: String, _ digits: String) -> Module {
    var module = Module()
    module.path = path
    module.buildID = String(repeating: digits, count: 20)
    return module
}

/// Waits until something is so; `false` when it is not so in time.
func eventually(
    within limit: Duration = .seconds(60), _ isSo: () throws -> Bool
) rethrows -> Bool {
    let deadline = ContinuousClock.now + limit
    while ContinuousClock.now < deadline {
        if try isSo() { return true }
        Thread.sleep(forTimeInterval: 0.01)
    }
    return false
}

/// Something that runs on a thread of its own: tests must not block the tasks' few threads.
final class Background<Value: Sendable>: @unchecked Sendable {
    // Safety: `result` is written before the semaphore is signaled and read after it was waited for.
    private var result: Result<Value, any Error>?
    private let done = DispatchSemaphore(value: 0)

    init(_ body: @escaping @Sendable () throws -> Value) {
        Thread.detachNewThread { [self] in
            result = Result { try body() }
            done.signal()
        }
    }

    /// What came of it, within 40 s.
    func value() throws -> Value {
        guard done.wait(timeout: .now() + 40) == .success, let result else {
            throw CocoaError(.userCancelled)
        }
        return try result.get()
    }
}
