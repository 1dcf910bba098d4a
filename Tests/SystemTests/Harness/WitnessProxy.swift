// SPDX-License-Identifier: Apache-2.0
// Stands between agents and the controller, and knows which lines were acknowledged.

import Foundation
import SondeHTTPClient
import SondeTestServer
import SondeWire
import Synchronization

/// A numbered line of one process.
struct NumberedLine: Hashable, Sendable {
    var instance: String
    var number: Int
}

/// Passes requests of agents on to the controller, loses some of them on the way there or back, and
/// notes which lines were sent and which of them the controller acknowledged to the agent.
final class WitnessProxy: Sendable {
    /// What it saw so far.
    struct Testimony: Sendable {
        /// Lines of pushes that the controller got, whatever became of them.
        var sent: Set<NumberedLine> = []
        /// Lines of pushes whose 2xx was passed on to the agent.
        var acknowledged: Set<NumberedLine> = []
        /// Pushes whose answer was kept from the agent.
        var lostAnswers = 0
        /// Pushes that were not passed on.
        var lostRequests = 0
        /// Answers to pushes, by status; 0 where there was none.
        var answers: [Int: Int] = [:]
    }

    private struct State: Sendable {
        var testimony = Testimony()
        var random: SeededRandom
        var isHonest = false
    }

    private let server: TestServer
    private let state: Mutex<State>

    /// A proxy in front of a controller that stays at its address when it is started again.
    init(to url: String, seed: UInt64) throws {
        let client = try HTTPClient(
            HTTPClientConfiguration(
                baseURL: url, maxResponseBytes: 64 << 20, userAgent: "sonde-tests"))
        server = try TestServer { _ in .reset }
        state = Mutex(State(random: SeededRandom(seed: seed)))
        server.behave { [weak self] request in self?.answer(request, client) ?? .reset }
    }

    var url: String { server.url }
    var testimony: Testimony { state.withLock { $0.testimony } }

    /// Loses nothing any more.
    func becomeHonest() { state.withLock { $0.isHonest = true } }
    func stop() { server.stop() }

    private func answer(_ request: TestRequest, _ client: HTTPClient) -> TestAnswer {
        guard request.target == "/loki/api/v1/push" else { return pass(request, client) ?? .reset }
        let (loses, hides) = state.withLock { state in
            let turn = state.isHonest ? 99 : Int(state.random.next() % 100)
            return (turn < 4, (4..<10).contains(turn))
        }
        guard !loses else {
            state.withLock { $0.testimony.lostRequests += 1 }
            return .reset
        }
        let lines = Self.lines(of: request)
        state.withLock { $0.testimony.sent.formUnion(lines) }
        let answer = pass(request, client)
        var status = 0
        if case .respond(let found, _, _) = answer { status = found }
        state.withLock { state in
            state.testimony.answers[status, default: 0] += 1
            if hides {
                state.testimony.lostAnswers += 1
            } else if (200..<300).contains(status) {
                state.testimony.acknowledged.formUnion(lines)
            }
        }
        return hides ? .reset : answer ?? .reset
    }

    private func pass(_ request: TestRequest, _ client: HTTPClient) -> TestAnswer? {
        let passed = ["content-type", "content-encoding", "authorization", "accept-encoding"]
        let headers = request.headers.filter { passed.contains($0.key) }
            .map { (name: $0.key, value: $0.value) }
        let answer = try? client.send(
            HTTPClientRequest(
                method: request.method, target: request.target, headers: headers,
                body: request.body, timeoutSeconds: 60))
        return answer.map { answer in
            let kept = answer.headers.filter { ["content-type", "retry-after"].contains($0.name) }
            return .respond(
                answer.status, headers: kept.map { ($0.name, $0.value) }, body: answer.body)
        }
    }

    private static func lines(of request: TestRequest) -> [NumberedLine] {
        guard let bytes = try? Gzip.expand(request.body, limit: 1 << 28),
            let push = try? JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any],
            let streams = push["streams"] as? [[String: Any]]
        else { return [] }
        return streams.flatMap { stream in
            (stream["values"] as? [[Any]] ?? []).compactMap { value in
                guard value.count == 3, let text = value[1] as? String, let number = Int(text),
                    let metadata = value[2] as? [String: String]
                else { return nil }
                return NumberedLine(instance: metadata["instance"] ?? "-", number: number)
            }
        }
    }
}
