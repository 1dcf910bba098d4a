// SPDX-License-Identifier: Apache-2.0
// A controller that understands the agent, and misbehaves where a test says so.

import Foundation
import Glibc
import SondeFormats
import SondeModel
import SondeTestServer
import SondeWire
import Synchronization

/// The controller's paths.
enum Path {
    static let push = "/push.v1.PusherService/Push"
    static let logs = "/loki/api/v1/push"
    static let register = "/sonde.control.v1.ControlService/Register"
    static let poll = "/sonde.control.v1.ControlService/Poll"
    static let upload = "/sonde.control.v1.ControlService/UploadImage/"
}

/// A controller on a socket of its own.
final class FakeController: Sendable {
    let server: TestServer
    private let script: Script

    init(port: UInt16 = 0) throws {
        let script = Script()
        self.script = script
        server = try TestServer(port: port) { script.answer($0) }
    }

    /// What agents should do; polls that wait are answered soon.
    func desire(_ change: (inout DesiredState) -> Void) {
        script.state.withLock { change(&$0.desired) }
    }

    /// Answers this path in this way, or as usual again.
    func answer(_ path: String, with answer: TestAnswer?) {
        script.state.withLock { $0.answers[path] = answer }
    }

    /// The profiles that were accepted, by the number of their collection.
    var profiles: [Int64] { script.state.withLock { $0.profiles } }

    /// The lines that were accepted.
    var lines: [ReceivedLine] { script.state.withLock { $0.lines } }

    /// The CPU time of each sample that was accepted, in nanoseconds.
    var samples: [Int64] { script.state.withLock { $0.samples } }

    /// The instance that each push named.
    var instances: [String] {
        server.requests(to: Path.push).compactMap { request in
            let push = try? PushRequest(decoding: request.body[...])
            return push?.series.first?.labels.first { $0.name == "instance" }?.value
        }
    }

    /// The last push.
    var lastPush: PushRequest? {
        server.requests(to: Path.push).last.flatMap { try? PushRequest(decoding: $0.body[...]) }
    }

    /// Every registration.
    var registrations: [RegisterRequest] {
        server.requests(to: Path.register).compactMap {
            try? RegisterRequest(decoding: $0.body[...])
        }
    }

    /// Every poll.
    var polls: [PollRequest] {
        server.requests(to: Path.poll).compactMap { try? PollRequest(decoding: $0.body[...]) }
    }

    private final class Script: Sendable {
        struct State {
            var desired = DesiredState()
            var answers: [String: TestAnswer] = [:]
            var profiles: [Int64] = []
            var samples: [Int64] = []
            var lines: [ReceivedLine] = []
        }

        let state = Mutex(State())

        init() { state.withLock { $0.desired.revision = "r0" } }

        func answer(_ request: TestRequest) -> TestAnswer {
            if let answer = state.withLock({ $0.answers[request.target] }) { return answer }
            switch request.target {
            case Path.push: return take(request)
            case Path.logs: return takeLines(request)
            case Path.register:
                var answer = RegisterResponse()
                answer.pollWaitMs = 1000
                return .respond(200, body: answer.encode())
            case Path.poll: return poll(request)
            default: return .respond(request.target.hasPrefix(Path.upload) ? 200 : 404)
            }
        }

        private func take(_ request: TestRequest) -> TestAnswer {
            guard let push = try? PushRequest(decoding: request.body[...]),
                let raw = push.series.first?.samples.first?.rawProfile,
                let bytes = try? Gzip.expand(raw, limit: 1 << 20),
                let document = try? PprofDocument(decoding: bytes[...])
            else { return .respond(400) }
            state.withLock { state in
                state.profiles.append(document.timeNanos)
                state.samples += document.samples.map { $0.values[1] }
            }
            return .respond(200)
        }

        private func takeLines(_ request: TestRequest) -> TestAnswer {
            guard request.headers["content-encoding"] == "gzip",
                request.headers["content-type"] == "application/json",
                let bytes = try? Gzip.expand(request.body, limit: 64 << 20),
                let lines = ReceivedLine.all(inPush: bytes)
            else { return .respond(400) }
            state.withLock { $0.lines += lines }
            return .respond(204)
        }

        private func poll(_ request: TestRequest) -> TestAnswer {
            let seen = (try? PollRequest(decoding: request.body[...]))?.revision
            for _ in 0..<20 {
                let desired = state.withLock { $0.desired }
                if desired.revision != seen { return .respond(200, body: desired.encode()) }
                Glibc.poll(nil, 0, 5)
            }
            return .respond(304)
        }
    }
}

/// A line as it arrived in a push of Loki's.
struct ReceivedLine: Hashable, Sendable {
    var labels: [String: String]
    var time: String
    var text: String
    var metadata: [String: String]
    /// When it came, in nanoseconds since the Unix epoch.
    var arrived: Double

    /// The lines of a push, as any reader of JSON finds them; `nil` when it is none.
    static func all(inPush bytes: [UInt8]) -> [ReceivedLine]? {
        guard
            let push = try? JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any],
            let streams = push["streams"] as? [[String: Any]]
        else { return nil }
        var lines: [ReceivedLine] = []
        for stream in streams {
            guard let labels = stream["stream"] as? [String: String],
                let values = stream["values"] as? [[Any]]
            else { return nil }
            for value in values {
                guard value.count >= 2, let time = value[0] as? String,
                    let text = value[1] as? String
                else { return nil }
                let metadata = value.count > 2 ? value[2] as? [String: String] : [:]
                lines.append(
                    ReceivedLine(
                        labels: labels, time: time, text: text, metadata: metadata ?? [:],
                        arrived: Date().timeIntervalSince1970 * 1e9))
            }
        }
        return lines
    }
}
