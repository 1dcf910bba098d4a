// SPDX-License-Identifier: Apache-2.0
// Two tenants' services on one controller: each sees its own profiles and no other's.

import Foundation
import Testing

extension SystemTests {
    @Suite struct Tenancy {
        @Test(.timeLimit(.minutes(3)))
        func whatAnAgentSendsIsItsTenantsAlone() async throws {
            let workshop = try Workshop()
            let file = workshop.path("sonde.yaml")
            try "tenancy: true\n".write(to: file, atomically: true, encoding: .utf8)
            let controller = try await Controller(workshop, ["--config", file.path])
            let bookmaker = try await Bookmaker(
                workshop, environment: ["SONDE_URL": controller.url, "SONDE_TENANT": "night"])
            _ = try await controller.agent()
            let load = try bookmaker.load(seconds: 25, connections: 2)
            controller.tenant = "night"
            let isSeen = await eventually(within: 90, every: 0.5) {
                try controller.top("bookmaker").total > 0
            }
            #expect(isSeen, "\(bookmaker.agentText)")
            #expect(try bookmaker.agentStatus().problems.isEmpty)

            let own = try await sonde(
                workshop, controller, ["top", "bookmaker", "--tenant", "night"])
            #expect(own.status == 0, "\(own.text)")
            let others = try await sonde(workshop, controller, ["top", "bookmaker"], tenant: "day")
            #expect(others.status == 1 && others.text.contains("no cpu profiles"), "\(others.text)")
            let both = try await sonde(
                workshop, controller, ["services", "--tenant", "day|night", "--json"])
            #expect(both.text.contains("process_cpu:cpu"), "\(both.text)")
            let nobody = try await sonde(workshop, controller, ["top", "bookmaker"])
            #expect(nobody.status == 1)
            #expect(nobody.text.contains("--tenant or SONDE_TENANT"), "\(nobody.text)")
            #expect(!nobody.text.contains("SONDE_TOKEN"), "\(nobody.text)")

            // An agent that names nobody runs on, and knows why it is not heard.
            let stranger = try await Bookmaker(
                workshop, environment: ["SONDE_URL": controller.url])
            _ = try stranger.load(seconds: 12, connections: 2)
            let knows = await eventually(within: 60) {
                try stranger.agentStatus().problems.contains { $0.contains("X-Scope-OrgID") }
            }
            #expect(knows, "\(stranger.agentText)")
            _ = try await load.result()
        }

        private func sonde(
            _ workshop: Workshop, _ controller: Controller, _ words: [String],
            tenant: String? = nil
        ) async throws -> (status: Int32, text: String) {
            var environment = ["SONDE_URL": controller.url]
            environment["SONDE_TENANT"] = tenant
            return try await workshop.run(try Workshop.program("sonde"), words, environment)
        }
    }
}
