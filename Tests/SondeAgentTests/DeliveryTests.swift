// SPDX-License-Identifier: Apache-2.0
// Profiles reach a controller, also one that was away, slow or broken for a while.

import Foundation
import Glibc
import SondeFormats
import SondeModel
import SondeTestServer
import SondeWire
import Testing

@testable import SondeAgent

struct DeliveryTests {
    @Test func profilesArriveWithTheirLabelsAsPyroscopeExpectsThem() throws {
        let controller = try FakeController()
        defer { controller.server.stop() }
        try HurriedAgent(controller.server.url).use { hurried in
            #expect(eventually { controller.profiles.count >= 3 })
            #expect(Array(controller.profiles.prefix(3)) == [1, 2, 3])
            let request = try #require(controller.server.requests(to: Path.push).first)
            #expect(request.headers["content-type"] == "application/proto")
            #expect(request.headers["authorization"] == "Bearer agent-token")
            let series = try #require(controller.lastPush?.series.first)
            let labels = Dictionary(uniqueKeysWithValues: series.labels.map { ($0.name, $0.value) })
            #expect(labels["__name__"] == "process_cpu")
            #expect(labels["service_name"] == "tested")
            #expect(labels["version"] == "1.0")
            #expect(labels["region"] == "eu")
            #expect(labels["instance"] == hurried.agent.identity.instance)
            #expect(labels["host"] == hurried.agent.identity.host)
            #expect(series.samples.first?.id.utf8.count == 36)
        }
    }

    @Test func theLastProfileIsDeliveredWhenTheAgentStops() throws {
        let controller = try FakeController()
        defer { controller.server.stop() }
        let hurried = try HurriedAgent(controller.server.url) { $0.interval = 3600 }
        hurried.agent.stop(within: 5)
        #expect(controller.profiles == [1])
        #expect(hurried.sampler.current.isStopped)
        #expect(hurried.losses["profiles_unsent_at_stop"] == nil)
    }

    @Test func anIdleProcessPushesNothing() throws {
        let controller = try FakeController()
        defer { controller.server.stop() }
        let hurried = try HurriedAgent(controller.server.url) { $0.interval = 3600 }
        hurried.sampler.rest()
        hurried.agent.stop(within: 5)
        #expect(controller.server.requests(to: Path.push).isEmpty)
    }

    @Test func aControllerThatComesLaterGetsEverything() throws {
        let port = try unusedPort()
        try HurriedAgent("http://127.0.0.1:\(port)").use { hurried in
            #expect(eventually { hurried.agent.waitingProfiles >= 5 })
            #expect(
                eventually {
                    hurried.agent.report.problems.contains { $0.contains("Connection refused") }
                })
            let controller = try FakeController(port: port)
            defer { controller.server.stop() }
            #expect(eventually { controller.profiles.count >= 8 })
            #expect(Array(controller.profiles.prefix(8)) == Array(1...8))
            #expect(
                eventually {
                    !hurried.agent.report.problems.contains { $0.contains("Connection refused") }
                })
        }
    }

    @Test(arguments: [
        TestAnswer.hang, .drip(Array("HTTP/1.1 200 OK\r\n".utf8), milliseconds: 100),
        .respond(500, body: Array("sorry".utf8)), .respond(503), .respond(408),
        .raw(Array("\u{0}\u{1}garbage\r\n\r\n".utf8)), .reset, .resetInBody,
    ])
    func nothingIsLostWhileTheControllerMisbehaves(answer: TestAnswer) throws {
        let controller = try FakeController()
        defer { controller.server.stop() }
        controller.answer(Path.push, with: answer)
        try HurriedAgent(controller.server.url, adjust: HurriedAgent.impatient).use { hurried in
            #expect(eventually { controller.server.requests(to: Path.push).count >= 3 })
            #expect(controller.profiles.isEmpty)
            #expect(!hurried.agent.report.problems.isEmpty)
            controller.answer(Path.push, with: nil)
            #expect(eventually { controller.profiles.count >= 5 })
            #expect(Array(controller.profiles.prefix(5)) == Array(1...5))
            #expect(eventually { hurried.agent.report.problems == ["a problem of the sampler"] })
            #expect(hurried.losses == ["ring_full": 2])
        }
    }

    @Test func aRefusedProfileIsCountedSaidAndNotSentAgain() throws {
        let controller = try FakeController()
        defer { controller.server.stop() }
        controller.answer(Path.push, with: .respond(400, body: Array("no\nsuch label".utf8)))
        try HurriedAgent(controller.server.url).use { hurried in
            #expect(eventually { (hurried.losses["profiles_refused"] ?? 0) >= 2 })
            let bodies = controller.server.requests(to: Path.push).map(\.body)
            #expect(Set(bodies).count == bodies.count)
            #expect(
                hurried.agent.report.problems.contains {
                    $0.hasSuffix("got status 400 (no such label); want 200")
                })
            controller.answer(Path.push, with: nil)
            #expect(eventually { hurried.agent.report.profilesSent >= 1 })
        }
    }

    @Test func retryAfterIsHonored() throws {
        let controller = try FakeController()
        defer { controller.server.stop() }
        controller.answer(Path.push, with: .respond(429, headers: [("Retry-After", "1")]))
        try HurriedAgent(controller.server.url).use { hurried in
            #expect(eventually { controller.server.requests(to: Path.push).count == 1 })
            let begin = Date()
            controller.answer(Path.push, with: nil)
            #expect(eventually { controller.profiles.count >= 1 })
            #expect(Date().timeIntervalSince(begin) > 0.9)
            #expect(controller.profiles.first == 1)
        }
    }

    @Test func theOldestGoFirstWhenTheQueueIsFull() throws {
        let port = try unusedPort()
        try HurriedAgent("http://127.0.0.1:\(port)") { $0.queueBytes = 2000 }.use { hurried in
            #expect(eventually { (hurried.losses["profiles_queue_full"] ?? 0) >= 3 })
            #expect(hurried.agent.waitingProfiles < 40)
            let dropped = Int64(hurried.losses["profiles_queue_full"] ?? 0)
            let controller = try FakeController(port: port)
            defer { controller.server.stop() }
            #expect(eventually { !controller.profiles.isEmpty })
            #expect((controller.profiles.first ?? 0) > dropped)
        }
    }

    @Test func whatWaitedForTooLongIsDropped() throws {
        let port = try unusedPort()
        try HurriedAgent("http://127.0.0.1:\(port)") { $0.queueSeconds = 0.2 }.use { hurried in
            #expect(eventually { (hurried.losses["profiles_too_old"] ?? 0) >= 3 })
            #expect(hurried.agent.waitingProfiles < 60)
        }
    }

    @Test func stoppingTakesNoTimeWhenTheControllerIsAway() throws {
        let hurried = try HurriedAgent("http://127.0.0.1:\(try unusedPort())")
        #expect(eventually { !hurried.agent.report.problems.isEmpty })
        let begin = Date()
        hurried.agent.stop(within: 5)
        #expect(Date().timeIntervalSince(begin) < 4)
        #expect((hurried.losses["profiles_unsent_at_stop"] ?? 0) >= 1)
    }

    @Test func stoppingTakesNoLongerThanItMayWhenTheControllerHangs() throws {
        let server = try TestServer { _ in .hang }
        defer { server.stop() }
        let hurried = try HurriedAgent(server.url) { settings in
            settings.interval = 3600
            settings.pace.pushTimeout = 60
        }
        let begin = Date()
        hurried.agent.stop(within: 0.3)
        #expect(Date().timeIntervalSince(begin) < 20)
        #expect(hurried.losses["profiles_unsent_at_stop"] == 1)
    }
}
