// SPDX-License-Identifier: Apache-2.0
// Tokens of real programs: what each role may and may not do.

import Foundation
import SondeHTTPClient
import Testing

extension SystemTests {
    @Suite struct Access {
        @Test(.timeLimit(.minutes(5)))
        func anAgentsTokenCannotReadAndAViewersCannotCommand() async throws {
            let workshop = try Workshop()
            let file = workshop.path("sonde.yaml")
            try "require_token: true\n".write(to: file, atomically: true, encoding: .utf8)
            var tokens: [String: String] = [:]
            for role in ["agent", "viewer", "developer", "admin"] {
                tokens[role] = try await token(role, workshop)
            }
            let controller = try await Controller(workshop, ["--config", file.path])
            let bookmaker = try await Bookmaker(
                workshop,
                environment: [
                    "SONDE_URL": controller.url, "SONDE_TOKEN": tokens["agent"] ?? "",
                ])
            controller.token = tokens["viewer"]
            let agent = try await controller.agent()
            #expect(agent.pid == Int(bookmaker.process.pid))
            _ = try await bookmaker.load(seconds: 11, connections: 2).result()
            let hasData = await eventually(within: 30, every: 0.5) {
                try controller.top("bookmaker").total > 0
            }
            #expect(hasData)
            try expectStatuses(controller, tokens)

            // A service whose token is wrong runs as well as any, and knows why it is not heard.
            let stranger = try await Bookmaker(
                workshop,
                environment: ["SONDE_URL": controller.url, "SONDE_TOKEN": tokens["viewer"] ?? ""])
            let knows = await eventually(within: 20) {
                try !stranger.agentStatus().problems.isEmpty
            }
            #expect(knows, "\(stranger.agentText)")
            #expect(try controller.agents().count == 1)
        }

        private func expectStatuses(_ controller: Controller, _ tokens: [String: String]) throws {
            let read = ("GET", "/api/v1/top?selector=bookmaker", "")
            let command = (
                "PATCH", "/api/v1/agents?service=bookmaker",
                "{\"cpu\": {\"enabled\": true, \"hertz\": 50}}"
            )
            let administer = ("GET", "/api/v1/tokens", "")
            let want: [(role: String, statuses: [Int])] = [
                ("agent", [403, 403, 403]), ("viewer", [200, 403, 403]),
                ("developer", [200, 200, 403]), ("admin", [200, 200, 200]),
                ("nobody", [401, 401, 401]),
            ]
            for (role, statuses) in want {
                for (request, status) in zip([read, command, administer], statuses) {
                    let answer = try controller.send(
                        request.0, request.1, body: Array(request.2.utf8),
                        token: tokens[role] ?? "sonde_unknown")
                    #expect(answer.status == status, "\(role): \(request.0) \(request.1)")
                }
            }
        }

        private func token(_ role: String, _ workshop: Workshop) async throws -> String {
            let made = try await workshop.run(
                try Workshop.program("sonde"),
                [
                    "token", "create", "--data", workshop.path("data").path, "--role", role,
                    "--json",
                ])
            let match = try #require(
                made.text.firstMatch(of: /sonde_[0-9a-f_]+/), "\(made.text)")
            return String(match.output)
        }
    }
}
