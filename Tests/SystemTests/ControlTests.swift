// SPDX-License-Identifier: Apache-2.0
// What the controller asks of an agent while the service runs: another rate, off, on again.

import Foundation
import SondeHTTPClient
import Testing

extension SystemTests {
    @Suite struct Control {
        @Test(.timeLimit(.minutes(5)))
        func theRateIsChangedAndSamplingSwitchedWhileTheServiceRuns() async throws {
            let workshop = try Workshop()
            let controller = try await Controller(workshop)
            let bookmaker = try await Bookmaker(
                workshop, environment: ["SONDE_URL": controller.url])
            let load = try bookmaker.load(seconds: 24, connections: 4)
            defer { load.process.end() }
            let agent = try await controller.agent()
            #expect(agent.cpu.enabled && agent.cpu.hertz == 100)
            try await expect(rate: 100, of: bookmaker)

            let other = try patch(controller, "{\"cpu\": {\"enabled\": true, \"hertz\": 25}}")
            #expect(other == [agent.instance])
            _ = try await controller.agent { $0.cpu.hertz == 25 }
            try await expect(rate: 25, of: bookmaker)

            try patch(controller, "{\"cpu\": {\"enabled\": false, \"hertz\": 25}}")
            _ = try await controller.agent { !$0.cpu.enabled }
            try await expect(rate: 0, of: bookmaker)

            try patch(controller, "{\"cpu\": null}")
            _ = try await controller.agent { $0.cpu.enabled && $0.cpu.hertz == 100 }
            try await expect(rate: 100, of: bookmaker)
            #expect(try await load.result().errors == 0)
        }

        @Test(.timeLimit(.minutes(5)))
        func aRateThatIsNoRateIsRefusedAndChangesNothing() async throws {
            let workshop = try Workshop()
            let controller = try await Controller(workshop)
            let bookmaker = try await Bookmaker(
                workshop, environment: ["SONDE_URL": controller.url])
            _ = try await controller.agent()
            let bodies = [
                "{\"cpu\": {\"enabled\": true, \"hertz\": 0}}",
                "{\"cpu\": {\"enabled\": true, \"hertz\": 1e9}}",
                "{\"cpu\": {\"enabled\": \"yes\"}}", "{\"cpu\"", "[]",
            ]
            for body in bodies {
                let answer = try controller.send(
                    "PATCH", "/api/v1/agents?service=bookmaker", body: Array(body.utf8))
                #expect(answer.status == 400, "\(body): \(answer.status)")
            }
            #expect(try bookmaker.agentStatus().hertz == 100)
        }

        @discardableResult
        private func patch(_ controller: Controller, _ body: String) throws -> [String] {
            struct Answer: Decodable { let instances: [String] }
            let answer = try controller.send(
                "PATCH", "/api/v1/agents?service=bookmaker", body: Array(body.utf8))
            #expect(answer.status == 200, "\(String(decoding: answer.body, as: UTF8.self))")
            return try JSONDecoder().decode(Answer.self, from: Data(answer.body)).instances
        }

        /// Compares samples with CPU time until 3 s of CPU time have passed.
        private func expect(rate: Double, of bookmaker: Bookmaker) async throws {
            let samples = try bookmaker.agentStatus().samples
            let cpu = try bookmaker.meters().processCPUNanoseconds
            var seconds = 0.0
            let hasWorked = await eventually(within: 20) {
                seconds = (try bookmaker.meters().processCPUNanoseconds - cpu) / 1e9
                return seconds > 3
            }
            #expect(hasWorked, "only \(seconds) s of CPU time under load")
            let found = (try bookmaker.agentStatus().samples - samples) / seconds
            // A sample stands for one period; those of the ring's last moment may come later.
            #expect(
                abs(found - rate) <= max(2, rate * 0.25), "\(found) samples a second at \(rate) Hz")
        }
    }
}
