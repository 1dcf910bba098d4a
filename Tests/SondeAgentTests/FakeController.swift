// SPDX-License-Identifier: Apache-2.0
// A controller that understands the agent, and misbehaves where a test says so.

import Glibc
import SondeFormats
import SondeModel
import SondeTestServer
import SondeWire
import Synchronization

/// The controller's paths.
enum Path {
    static let push = "/push.v1.PusherService/Push"
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
        }

        let state = Mutex(State())

        init() { state.withLock { $0.desired.revision = "r0" } }

        func answer(_ request: TestRequest) -> TestAnswer {
            if let answer = state.withLock({ $0.answers[request.target] }) { return answer }
            switch request.target {
            case Path.push: return take(request)
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
