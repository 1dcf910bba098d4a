// SPDX-License-Identifier: Apache-2.0
// The agent registers, does what the controller wants, and lives without one.

import Foundation
import Glibc
import SondeModel
import SondeSampling
import SondeTestServer
import SondeWire
import Synchronization
import Testing

@testable import SondeAgent

struct ControlTests {
    private func settings(
        _ enabled: Bool, _ hertz: Double, revision: String
    ) -> (inout DesiredState) -> Void {
        { desired in
            desired.revision = revision
            desired.cpu = SamplerSettings()
            desired.cpu?.enabled = enabled
            desired.cpu?.hertz = hertz
        }
    }

    @Test func aRegistrationSaysWhoThisIsAndWhatIsLoaded() throws {
        let controller = try FakeController()
        defer { controller.server.stop() }
        try HurriedAgent(controller.server.url, images: ImageCatalog()).use { hurried in
            #expect(eventually { controller.polls.count >= 1 })
            let registration = try #require(controller.registrations.first)
            #expect(registration.service == "tested")
            #expect(registration.version == "1.0")
            #expect(registration.instance == hurried.agent.identity.instance)
            #expect(registration.pid == UInt64(getpid()))
            #expect(registration.labels == [Label(name: "region", value: "eu")])
            #expect(registration.agentVersion == Sonde.version)
            #expect(registration.notes.first == "CPU time: on at 100.0 Hz, by SIGFAKE")
            #expect(registration.modules.contains { $0.path.hasSuffix("libc.so.6") })
            #expect(registration.modules.allSatisfy { $0.loadStart < $0.loadEnd })
            #expect(controller.polls.first?.instance == registration.instance)
        }
    }

    @Test func aPollReportsTheAgentsCostLossesAndProblems() throws {
        let controller = try FakeController()
        defer { controller.server.stop() }
        try HurriedAgent(controller.server.url).use { hurried in
            #expect(eventually { (controller.polls.last?.report?.profilesSent ?? 0) > 0 })
            let report = try #require(controller.polls.last?.report)
            #expect(report.cpu?.enabled == true)
            #expect(report.cpu?.hertz == 100)
            #expect(report.cpu?.samples == 7)
            #expect(report.threads == 3)
            // The process counts invalid traces for all of its agents.
            let losses = report.losses.map(\.reason).filter { $0 != "traceparents_invalid" }
            #expect(losses == ["ring_full"])
            #expect(report.problems == ["a problem of the sampler"])
            // More than the sampler's own 1500 ns: the agent's threads did something.
            #expect(report.ownCPUNanos > 10_000)
            #expect(report.processCPUNanos >= report.ownCPUNanos / 2)
            #expect(report.ownMemoryBytes > 4096)
        }
    }

    @Test func theDesiredStateIsAppliedAndGivenBack() throws {
        let controller = try FakeController()
        defer { controller.server.stop() }
        try HurriedAgent(controller.server.url).use { hurried in
            controller.desire(settings(true, 49, revision: "r1"))
            #expect(eventually { hurried.sampler.current.hertz == 49 })
            #expect(eventually { controller.polls.last?.revision == "r1" })
            #expect(eventually { controller.polls.last?.report?.cpu?.hertz == 49 })
            controller.desire(settings(false, 0, revision: "r2"))
            #expect(eventually { !hurried.sampler.current.enabled })
            controller.desire { desired in
                desired.revision = "r3"
                desired.cpu = nil
            }
            #expect(
                eventually {
                    hurried.sampler.current.enabled && hurried.sampler.current.hertz == 100
                })
        }
    }

    @Test(arguments: [0, -1, 1001, .infinity, .nan])
    func aRateThatCannotBeIsRefusedAndSaid(hertz: Double) throws {
        let controller = try FakeController()
        defer { controller.server.stop() }
        try HurriedAgent(controller.server.url).use { hurried in
            controller.desire(settings(true, hertz, revision: "r1"))
            #expect(
                eventually {
                    hurried.agent.report.problems.contains { $0.contains("want 1 to 1000") }
                })
            #expect(hurried.sampler.current.hertz == 100)
        }
    }

    @Test func anUnknownInstanceRegistersAgainAndAsksForEverythingAgain() throws {
        let controller = try FakeController()
        defer { controller.server.stop() }
        try HurriedAgent(controller.server.url).use { hurried in
            #expect(eventually { controller.polls.last?.revision == "r0" })
            controller.answer(Path.poll, with: .respond(404))
            #expect(eventually { controller.registrations.count >= 2 })
            controller.answer(Path.poll, with: nil)
            let polls = controller.polls.count
            #expect(eventually { controller.polls.dropFirst(polls).contains { $0.revision == "" } })
            #expect(eventually { hurried.agent.contact == .connected })
        }
    }

    @Test func anInstanceThatIsForgottenAgainAndAgainSlowsDown() throws {
        let controller = try FakeController()
        defer { controller.server.stop() }
        controller.answer(Path.poll, with: .respond(404))
        let adjust: (inout AgentSettings) -> Void = { settings in
            settings.pace.firstRetry = 30
            settings.pace.longestRetry = 30
        }
        try HurriedAgent(controller.server.url, adjust: adjust).use { hurried in
            #expect(eventually { hurried.agent.contact == .unreachable })
            #expect(
                hurried.agent.report.problems.contains { $0.contains("cannot stay registered") })
            #expect(controller.registrations.count < 5)
        }
    }

    @Test func imagesThatAreLoadedLaterAreRegistered() throws {
        let controller = try FakeController()
        defer { controller.server.stop() }
        let changes = Atomic<UInt64>(1)
        let catalog = TestImages.catalog(changes: { changes.load(ordering: .relaxed) })
        try HurriedAgent(controller.server.url, images: catalog).use { _ in
            #expect(eventually { controller.polls.count >= 1 })
            #expect(controller.registrations.count == 1)
            changes.store(2, ordering: .relaxed)
            #expect(eventually { controller.registrations.count == 2 })
        }
    }

    @Test(arguments: [404, 405, 501])
    func aServerWithoutControlGetsProfilesAndIsAskedAgainNowAndThen(status: Int) throws {
        let controller = try FakeController()
        defer { controller.server.stop() }
        controller.answer(Path.register, with: .respond(status))
        try HurriedAgent(controller.server.url).use { hurried in
            #expect(eventually { hurried.agent.contact == .noControl })
            #expect(eventually { controller.profiles.count >= 3 })
            #expect(hurried.agent.report.problems == ["a problem of the sampler"])
            controller.answer(Path.register, with: nil)
            #expect(eventually { hurried.agent.contact == .connected })
        }
    }

    @Test(
        arguments: [
            TestAnswer.hang, .respond(500), .respond(200, body: [0xFF, 0xFF]), .reset, .resetInBody,
            .respond(429, headers: [("Retry-After", "0")]), .raw([0, 1, 2]), .respond(401),
        ], [Path.register, Path.poll])
    func controlRecoversFromBadAnswers(answer: TestAnswer, path: String) throws {
        let controller = try FakeController()
        defer { controller.server.stop() }
        controller.answer(path, with: answer)
        try HurriedAgent(controller.server.url, adjust: HurriedAgent.impatient).use { hurried in
            #expect(eventually { hurried.agent.contact == .unreachable })
            #expect(eventually { controller.profiles.count >= 2 })
            controller.answer(path, with: nil)
            controller.desire(settings(true, 7, revision: "after"))
            #expect(eventually { hurried.sampler.current.hertz == 7 })
            #expect(eventually { hurried.agent.contact == .connected })
        }
    }

    @Test func aControllerThatAnswersAtOnceDoesNotKeepTheAgentBusy() throws {
        let controller = try FakeController()
        defer { controller.server.stop() }
        controller.answer(Path.poll, with: .respond(304))
        try HurriedAgent(controller.server.url) { $0.pace.quietPoll = 0.1 }.use { hurried in
            #expect(eventually { controller.profiles.count >= 15 })
            // 15 profiles take 300 ms or more; without a pause there would be hundreds of polls.
            #expect(controller.polls.count <= 4 + controller.profiles.count / 2)
        }
    }
}
