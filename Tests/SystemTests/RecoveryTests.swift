// SPDX-License-Identifier: Apache-2.0
// Bad days of the controller: killed, absent, hanging. The service must not notice.

import Foundation
import Glibc
import Testing

extension SystemTests {
    @Suite struct Recovery {
        @Test(.timeLimit(.minutes(5)))
        func aKilledControllerComesBackWithWhatItAcknowledged() async throws {
            let workshop = try Workshop()
            let controller = try await Controller(workshop)
            let bookmaker = try await Bookmaker(
                workshop, environment: ["SONDE_URL": controller.url])
            let load = try bookmaker.load(seconds: 40, connections: 4)
            defer { load.process.end() }
            var acknowledged: UInt64 = 0
            let hasData = await eventually(within: 30) {
                acknowledged = try controller.top("bookmaker").total
                return acknowledged > 0
            }
            #expect(hasData)
            controller.kill()
            let hasNoticed = await eventually(within: 20) {
                try bookmaker.agentStatus().profilesWaiting > 0
            }
            #expect(hasNoticed, "\(bookmaker.agentText)")

            try await controller.startAgain()
            #expect(try controller.top("bookmaker").total >= acknowledged)
            _ = try await controller.agent(within: 60) { $0.state == "connected" }
            let seen = try await load.result()
            #expect(seen.errors == 0, "\(seen)")

            // What was sampled while the controller was away arrives as well.
            let cpu = try bookmaker.meters().processCPUNanoseconds
            let isComplete = await eventually(within: 60, every: 0.5) {
                Double(try controller.top("bookmaker").total) > 0.95 * cpu
            }
            let total = Double(try controller.top("bookmaker").total)
            #expect(isComplete, "got \(total) ns of \(cpu)")
            #expect(total < 1.05 * cpu, "profiles arrived twice: \(total) ns of \(cpu)")
            #expect(try bookmaker.agentStatus().losses.isEmpty)
        }

        @Test(.timeLimit(.minutes(5)))
        func aControllerThatStartsLaterFindsTheService() async throws {
            let workshop = try Workshop()
            let early = try await Controller(workshop)
            let address = early.url
            early.kill()
            let bookmaker = try await Bookmaker(workshop, environment: ["SONDE_URL": address])
            let load = try bookmaker.load(seconds: 14, connections: 4)
            defer { load.process.end() }
            #expect(try await load.result().errors == 0)
            let status = try bookmaker.agentStatus()
            #expect(status.controller == "unreachable" && !status.problems.isEmpty)
            #expect(status.samples > 100)

            try await early.startAgain()
            let agent = try await early.agent(within: 90)
            #expect(agent.pid == Int(bookmaker.process.pid))
            let hasData = await eventually(within: 60, every: 0.5) {
                let cpu = try bookmaker.meters().processCPUNanoseconds
                return Double(try early.top("bookmaker").total) > 0.9 * cpu
            }
            #expect(hasData)
        }

        @Test(.timeLimit(.minutes(5)))
        func aHangingControllerIsNotNoticedByTheService() async throws {
            let workshop = try Workshop()
            let controller = try await Controller(workshop)
            let bookmaker = try await Bookmaker(
                workshop, environment: ["SONDE_URL": controller.url])
            _ = try await controller.agent()
            _ = try await bookmaker.load(seconds: 3, rate: 60).result()
            let before = try await bookmaker.load(seconds: 12, rate: 60).result()
            let threads = bookmaker.process.threadCount

            controller.process.signal(SIGSTOP)
            defer { controller.process.signal(SIGCONT) }
            let during = try await bookmaker.load(seconds: 12, rate: 60).result()
            print("before \(before), while it hangs \(during)")
            #expect(before.errors == 0 && during.errors == 0)
            // The machine is shared, so only the middle of the latencies can be compared.
            #expect(during.p50Milliseconds < 2 * before.p50Milliseconds + 3)
            #expect(bookmaker.process.threadCount <= threads + 1)

            controller.process.signal(SIGCONT)
            let sent = try bookmaker.agentStatus().profilesSent
            let hasRecovered = await eventually(within: 90, every: 0.5) {
                let status = try bookmaker.agentStatus()
                return status.profilesSent > sent && status.profilesWaiting == 0
                    && status.controller == "connected"
            }
            #expect(hasRecovered, "\(bookmaker.agentText)")
        }

        @Test(.timeLimit(.minutes(5)))
        func aServiceEndsAtOnceWhereThereIsNoController() async throws {
            let workshop = try Workshop()
            let controller = try await Controller(workshop)
            controller.kill()
            let bookmaker = try await Bookmaker(
                workshop, environment: ["SONDE_URL": controller.url])
            let start = Date()
            #expect(await bookmaker.process.finish() == 0)
            #expect(Date().timeIntervalSince(start) < 30)
        }
    }
}
