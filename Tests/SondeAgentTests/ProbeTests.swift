// SPDX-License-Identifier: Apache-2.0
// Probes of the desired state are installed, reported at once, and their lines arrive.

import Foundation
import Glibc
import SondeModel
import SondeProbeRuntime
import SondeTestServer
import SondeWire
import Synchronization
import Testing

@testable import SondeAgent
@testable import SondeSampling

struct ProbeTests {
    private let images = TestImages.catalog([TestImages.image("/bin/shop", TestImages.buildID)])

    private func report(_ controller: FakeController, _ id: String) -> ProbeReport? {
        controller.polls.last?.report?.probes.first { $0.id == id }
    }

    private func desire(_ controller: FakeController, _ revision: String, _ probes: [ProbeState]) {
        controller.desire { desired in
            desired.revision = revision
            desired.probes = probes
        }
    }

    @Test func aProbeIsInstalledReportedAndItsLinesArrive() throws {
        let controller = try FakeController()
        defer { controller.server.stop() }
        try HurriedAgent(controller.server.url, images: images).use { hurried in
            #expect(eventually { controller.polls.count >= 1 })
            #expect(hurried.agent.probeThreads == 0)
            desire(controller, "r1", [SampleProbe.wanted("p-1", tag: "billing")])
            #expect(eventually { report(controller, "p-1")?.state == "installed" })
            #expect(hurried.agent.probeThreads == 2)
            #expect(hurried.patcher.hit("p-1", 250))
            #expect(eventually { controller.lines.count == 1 })
            let line = try #require(controller.lines.first)
            #expect(line.text == "paid 250" && line.time == "5")
            #expect(
                line.labels == ["service_name": "tested", "level": "info", "probe": "billing"])
            #expect(line.metadata["probe_id"] == "p-1" && line.metadata["sequence"] == "1")
            #expect(line.metadata["instance"] == hurried.agent.identity.instance)
            #expect(line.metadata["host"] == hurried.agent.identity.host)
            #expect(line.metadata["region"] == "eu" && line.metadata["version"] == "1.0")
            #expect(line.metadata["file"] == "/src/Shop.swift" && line.metadata["line"] == "7")
            #expect(line.metadata["v_total"] == "250")
            #expect(eventually { report(controller, "p-1")?.lines == 1 })
            desire(controller, "r2", [])
            #expect(eventually { hurried.patcher.installed.isEmpty })
            #expect(eventually { controller.polls.last?.report?.probes.isEmpty == true })
        }
    }

    @Test func hitsAreReportedSoonWithoutAChangeOfState() throws {
        let controller = try FakeController()
        defer { controller.server.stop() }
        // From the install on, polls wait for longer than this test does.
        let patient = try HurriedAgent(controller.server.url, images: images) {
            $0.pace.pollGrace = 600
            $0.pace.hitReport = 0.05
        }
        patient.use { hurried in
            desire(controller, "r1", [SampleProbe.wanted("p-1")])
            #expect(eventually { report(controller, "p-1")?.state == "installed" })
            controller.answer("/sonde.control.v1.ControlService/Poll", with: .hang)
            for hits in [1, 7] as [UInt64] {
                hurried.patcher.state.withLock { $0.activity.hits = hits }
                #expect(eventually { report(controller, "p-1")?.hits == hits })
            }
        }
    }

    @Test func reportsOfHitsAreRareAndEndWithThem() {
        var pace = HitReportPace(1)
        let second: UInt64 = 1_000_000_000
        var told: [Double] = []
        // A look each tenth of a second; hits from 0.5 s to 6.5 s.
        for tenth in 1...200 as ClosedRange<UInt64> {
            let hits = tenth < 5 ? 0 : min(tenth, 65)
            if pace.isDue(hits: hits, now: tenth * second / 10) { told.append(Double(tenth) / 10) }
        }
        #expect(told == [0.5, 1.5, 3.5, 5.5, 7.5])
        var idle = HitReportPace(1)
        let reports = (1...100).filter { idle.isDue(hits: 0, now: UInt64($0) * second) }
        #expect(reports.isEmpty)
    }

    @Test func theFirstPollAfterADesiredStateTellsHowItsProbesAre() throws {
        let controller = try FakeController()
        defer { controller.server.stop() }
        try HurriedAgent(controller.server.url, images: images).use { hurried in
            hurried.patcher.state.withLock { $0.refusal = "the bytes are others" }
            desire(controller, "r1", [SampleProbe.wanted("p-1")])
            #expect(eventually { controller.polls.contains { $0.revision == "r1" } })
            let first = controller.polls.first { $0.revision == "r1" }
            let report = try #require(first?.report?.probes.first)
            #expect(report.state == "failed" && report.reason == "the bytes are others")
        }
    }

    @Test func aChangeOfStateInterruptsThePollThatWaits() throws {
        // A poll that knows the state waits for ever: only an interruption brings the news.
        let server = try TestServer { request in
            switch request.target {
            case Path.register: return .respond(200, body: RegisterResponse().encode())
            case Path.poll:
                let poll = try? PollRequest(decoding: request.body[...])
                if poll?.revision == "r1" { return .hang }
                var desired = DesiredState()
                desired.revision = "r1"
                desired.probes = [SampleProbe.wanted("p-1", seconds: 0.6)]
                return .respond(200, body: desired.encode())
            default: return .respond(200)
            }
        }
        defer { server.stop() }
        let adjust: (inout AgentSettings) -> Void = { $0.pace.pollGrace = 30 }
        try HurriedAgent(server.url, images: images, adjust: adjust).use { _ in
            let states = {
                server.requests(to: Path.poll).compactMap {
                    try? PollRequest(decoding: $0.body[...]).report?.probes.first?.state
                }
            }
            #expect(eventually { states().last == "installed" })
            let begin = Date()
            #expect(eventually { states().last == "expired" })
            #expect(Date().timeIntervalSince(begin) < 20)
        }
    }

    @Test func anImageThatIsLoadedLaterGetsItsProbe() throws {
        let controller = try FakeController()
        defer { controller.server.stop() }
        let isLoaded = Atomic<Bool>(false)
        let image = TestImages.image("/lib/plugin", TestImages.buildID)
        let late = ImageCatalog(
            reading: { isLoaded.load(ordering: .relaxed) ? [image] : [] },
            changes: { isLoaded.load(ordering: .relaxed) ? 2 : 1 })
        try HurriedAgent(controller.server.url, images: late).use { hurried in
            desire(controller, "r1", [SampleProbe.wanted("p-1")])
            #expect(eventually { report(controller, "p-1")?.state == "pending" })
            isLoaded.store(true, ordering: .relaxed)
            #expect(eventually { report(controller, "p-1")?.state == "installed" })
            isLoaded.store(false, ordering: .relaxed)
            #expect(eventually { report(controller, "p-1")?.state == "pending" })
            #expect(hurried.patcher.installed.isEmpty)
        }
    }

    @Test func moreProbesThanAProcessTakesAreAProblemThatIsTold() throws {
        let controller = try FakeController()
        defer { controller.server.stop() }
        try HurriedAgent(controller.server.url, images: images).use { hurried in
            var many: [ProbeState] = []
            for number in 0..<ProbeRuntime.maximumProbes + 3 {
                var probe = ProbeState()
                probe.id = "p-\(number)"
                many.append(probe)
            }
            desire(controller, "r1", many)
            let problems = { hurried.agent.report.problems.filter { $0.contains("probes") } }
            #expect(
                eventually {
                    problems() == [
                        "cannot take 3 probes: got 1003; want at most 1000 in one process"
                    ]
                }, "\(problems())")
            desire(controller, "r2", [])
            #expect(eventually { problems().isEmpty })
        }
    }

    @Test func whereNothingIsHitTheRingsAreLookedAtHalfAsOften() {
        var pace = DrainPace(0.025)
        let waits = (0..<DrainPace.patience).map { _ in pace.next(hadLines: false) }
        #expect(waits == Array(repeating: 0.025, count: DrainPace.patience - 1) + [0.05])
        #expect(pace.next(hadLines: false) == 0.05)
        #expect(pace.next(hadLines: true) == 0.025)
        #expect(pace.next(hadLines: false) == 0.025)
    }

    @Test func theOwnersPolicyBeatsTheController() throws {
        let controller = try FakeController()
        defer { controller.server.stop() }
        let adjust: (inout AgentSettings) -> Void = { settings in
            settings.probes.policy = ProbePolicy(
                deniedFiles: ["Vault/"], names: RedactedNames(["total"]))
        }
        try HurriedAgent(controller.server.url, images: images, adjust: adjust).use { hurried in
            desire(
                controller, "r1",
                [
                    SampleProbe.wanted("p-1", file: "/src/Vault/Key.swift"),
                    SampleProbe.wanted("p-2"),
                ])
            #expect(eventually { report(controller, "p-2")?.state == "installed" })
            #expect(report(controller, "p-1")?.reason.contains("own rule Vault/") == true)
            hurried.patcher.hit("p-2", 250)
            #expect(eventually { controller.lines.map(\.text) == ["paid <redacted>"] })
            #expect(controller.lines.first?.metadata["v_total"] == "<redacted>")
        }
        let off: (inout AgentSettings) -> Void = { $0.probes.policy = ProbePolicy(mode: .off) }
        try HurriedAgent(controller.server.url, images: images, adjust: off).use { hurried in
            #expect(eventually { report(controller, "p-2")?.state == "failed" })
            #expect(hurried.patcher.installed.isEmpty)
            #expect(
                controller.registrations.last?.notes.contains {
                    $0 == "probes: off, as this agent was configured"
                } == true)
        }
    }

    @Test func stoppingTakesTheProbesOutAndDeliversTheirLastLines() throws {
        let controller = try FakeController()
        defer { controller.server.stop() }
        let adjust: (inout AgentSettings) -> Void = { settings in
            settings.pace.probeDrain = 60
            settings.pace.logBatch = 60
        }
        let hurried = try HurriedAgent(controller.server.url, images: images, adjust: adjust)
        desire(controller, "r1", [SampleProbe.wanted("p-1")])
        #expect(eventually { report(controller, "p-1")?.state == "installed" })
        for number in 0..<100 { hurried.patcher.hit("p-1", UInt64(number)) }
        hurried.agent.stop(within: 5)
        #expect(hurried.patcher.installed.isEmpty)
        #expect(controller.lines.map(\.text) == (0..<100).map { "paid \($0)" })
        #expect(hurried.losses["lines_unsent_at_stop"] == nil)
        #expect(hurried.agent.lines.sent == 100)
    }

    @Test func theStatusTellsHowTheProbesAre() throws {
        let controller = try FakeController()
        defer { controller.server.stop() }
        try HurriedAgent(controller.server.url, images: images).use { hurried in
            desire(controller, "r1", [SampleProbe.wanted("p-1")])
            #expect(eventually { !hurried.patcher.installed.isEmpty })
            hurried.patcher.hit("p-1", 1)
            #expect(eventually { Sonde.Status(hurried.agent).linesSent == 1 })
            let status = Sonde.Status(hurried.agent)
            #expect(status.probes.map(\.id) == ["p-1"])
            #expect(status.probes.first?.state == "installed" && status.probes.first?.lines == 1)
            #expect(status.linesWaiting == 0)
        }
    }

    @Test func tracesThatAreNotValidAreCounted() throws {
        let controller = try FakeController()
        defer { controller.server.stop() }
        try HurriedAgent(controller.server.url, images: images).use { hurried in
            let count = {
                hurried.agent.report.losses.first { $0.reason == "traceparents_invalid" }?.count
                    ?? 0
            }
            let before = count()
            let answer = Sonde.withTrace(traceparent: "nonsense") { 42 }
            #expect(answer == 42)
            #expect(Sonde.withTrace(traceparent: nil) { 43 } == 43)
            #expect(count() == before + 1)
        }
    }

    @Test func scopesGiveBackWhatTheirWorkGives() async throws {
        struct Mistake: Error {}
        #expect(throws: Mistake.self) {
            try Sonde.withLabels(["a": "b"]) { () throws(Mistake) -> Int in throw Mistake() }
        }
        let sum = await Sonde.withLabels(["a": "b"]) {
            await Sonde.withTrace(traceparent: nil) {
                await Task.yield()
                return 5
            }
        }
        #expect(sum == 5)
        await #expect(throws: Mistake.self) {
            try await Sonde.withLabels(["a": "b"]) {
                await Task.yield()
                throw Mistake()
            }
        }
    }
}
