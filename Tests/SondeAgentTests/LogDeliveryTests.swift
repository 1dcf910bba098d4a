// SPDX-License-Identifier: Apache-2.0
// Lines reach a Loki that is away, slow, full or broken, or are counted; none arrives twice.

import Foundation
import SondeModel
import SondeProbeRuntime
import SondeTestServer
import SondeWire
import Synchronization
import Testing

@testable import SondeAgent

struct LogDeliveryTests {
    private let images = TestImages.catalog([TestImages.image("/bin/shop", TestImages.buildID)])

    /// Runs an agent with one probe, and hands over a way to hit it with the next number.
    private func withProbe(
        _ controller: FakeController, _ adjust: @escaping (inout AgentSettings) -> Void = { _ in },
        _ body: (HurriedAgent, _ hit: (Int) -> Void) throws -> Void
    ) throws {
        controller.desire { desired in
            desired.revision = "r1"
            desired.probes = [SampleProbe.wanted("p-1")]
        }
        let hurried = try HurriedAgent(controller.server.url, images: images, adjust: adjust)
        try hurried.use { hurried in
            #expect(eventually { !hurried.patcher.installed.isEmpty })
            var number: UInt64 = 0
            try body(hurried) { count in
                for _ in 0..<count {
                    number += 1
                    hurried.patcher.hit("p-1", number, at: Int64(number))
                }
            }
        }
    }

    private func numbers(_ controller: FakeController) -> [Int] {
        controller.lines.compactMap { $0.metadata["v_total"].flatMap(Int.init) }
    }

    @Test(arguments: [
        TestAnswer.hang, .respond(500), .respond(503), .respond(429), .reset, .resetInBody,
        .raw(Array("nonsense".utf8)),
    ])
    func nothingIsLostOrDoubledWhileLokiMisbehaves(answer: TestAnswer) throws {
        let controller = try FakeController()
        defer { controller.server.stop() }
        try withProbe(controller, HurriedAgent.impatient) { hurried, hit in
            controller.answer(Path.logs, with: answer)
            for _ in 0..<20 {
                hit(50)
                let sent = controller.server.requests(to: Path.logs).count
                _ = eventually(within: 0.05) {
                    controller.server.requests(to: Path.logs).count > sent
                }
            }
            #expect(eventually { controller.server.requests(to: Path.logs).count >= 3 })
            #expect(controller.lines.isEmpty)
            #expect(
                eventually { hurried.agent.report.problems.contains { $0.contains("/loki/") } })
            // The same body at each attempt, so that a server can tell what it has already.
            let bodies = controller.server.requests(to: Path.logs).map(\.body)
            #expect(Set(bodies).count == 1)
            controller.answer(Path.logs, with: nil)
            #expect(eventually { controller.lines.count >= 1000 })
            #expect(numbers(controller) == Array(1...1000))
            #expect(eventually { hurried.agent.lines.sent == 1000 })
            #expect(hurried.losses == ["ring_full": 2])
            #expect(
                eventually { !hurried.agent.report.problems.contains { $0.contains("/loki/") } })
        }
    }

    @Test func aRefusedBatchIsCountedLineByLineAndNotSentAgain() throws {
        let controller = try FakeController()
        defer { controller.server.stop() }
        try withProbe(controller) { hurried, hit in
            controller.answer(Path.logs, with: .respond(400, body: Array("too old".utf8)))
            hit(7)
            #expect(eventually { hurried.losses["lines_refused"] == 7 })
            #expect(hurried.agent.report.problems.contains { $0.contains("(too old)") })
            controller.answer(Path.logs, with: nil)
            hit(3)
            #expect(eventually { numbers(controller) == [8, 9, 10] })
        }
    }

    @Test func whatWaitsIsBoundedAndWhatGoesIsCounted() throws {
        let controller = try FakeController()
        defer { controller.server.stop() }
        let adjust: (inout AgentSettings) -> Void = { settings in
            HurriedAgent.impatient(&settings)
            settings.probes.queueBytes = 65_536
        }
        try withProbe(controller, adjust) { hurried, hit in
            controller.answer(Path.logs, with: .hang)
            var hits = 0
            while (hurried.losses["lines_queue_full"] ?? 0) == 0, hits < 200_000 {
                hit(5000)
                hits += 5000
                #expect(eventually { hurried.patcher.state.withLock { $0.records.isEmpty } })
            }
            #expect(hurried.agent.probesWaitingBytes < 65_536 + 3 * LogDelivery.batchBytes)
            controller.answer(Path.logs, with: nil)
            #expect(
                eventually {
                    UInt64(controller.lines.count) + (hurried.losses["lines_queue_full"] ?? 0)
                        >= UInt64(hits)
                })
            // Delivered and counted as lost make all, and nothing came twice.
            let lost = Int(hurried.losses["lines_queue_full"] ?? 0)
            #expect(Set(numbers(controller)).count + lost == hits)
            #expect(controller.lines.count + lost == hits)
            #expect(lost > 0)
        }
    }

    @Test func manyLinesGoInFewBatches() throws {
        let controller = try FakeController()
        defer { controller.server.stop() }
        try withProbe(controller, { $0.pace.logBatch = 0.2 }) { _, hit in
            let begin = Date()
            for _ in 0..<50 {
                hit(100)
                _ = eventually(within: 0.01) { false }
            }
            #expect(eventually { controller.lines.count == 5000 })
            let seconds = Date().timeIntervalSince(begin)
            #expect(controller.server.requests(to: Path.logs).count <= Int(seconds / 0.2) + 2)
            #expect(numbers(controller) == Array(1...5000))
        }
    }

    @Test func aLokiThatHangsDoesNotHoldUpTheEnd() throws {
        let controller = try FakeController()
        defer { controller.server.stop() }
        controller.answer(Path.logs, with: .hang)
        controller.desire { desired in
            desired.revision = "r1"
            desired.probes = [SampleProbe.wanted("p-1")]
        }
        let hurried = try HurriedAgent(controller.server.url, images: images) { settings in
            settings.pace.pushTimeout = 60
        }
        #expect(eventually { !hurried.patcher.installed.isEmpty })
        for number in 0..<10 { hurried.patcher.hit("p-1", UInt64(number)) }
        #expect(eventually { controller.server.requests(to: Path.logs).count == 1 })
        let begin = Date()
        hurried.agent.stop(within: 0.3)
        #expect(Date().timeIntervalSince(begin) < 20)
        #expect(hurried.losses["lines_unsent_at_stop"] == 10)
        #expect(hurried.patcher.installed.isEmpty)
    }
}
