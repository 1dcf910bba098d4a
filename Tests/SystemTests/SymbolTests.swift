// SPDX-License-Identifier: Apache-2.0
// Services whose names are not in the file that runs: stripped, or without debug info.

import Foundation
import Testing

extension SystemTests {
    @Suite struct Symbols {
        @Test(.timeLimit(.minutes(5)))
        func pushedDebugInfoGivesAStrippedServiceItsNames() async throws {
            let workshop = try Workshop()
            let controller = try await Controller(workshop)
            let original = try Workshop.program("bookmaker")
            let stripped = workshop.path("bookmaker")
            try await workshop.tool("strip", "-o", stripped.path, original.path)
            let bookmaker = try await Bookmaker(
                workshop, program: stripped, environment: ["SONDE_URL": controller.url])
            let seen = try await bookmaker.load(seconds: 12, connections: 4).result()
            #expect(seen.errors == 0)
            let hasData = await eventually(within: 30, every: 0.5) {
                try controller.top("bookmaker").total > 1_000_000_000
            }
            #expect(hasData)

            // Works as far as it can, and says why it is not more.
            let blind = try controller.top("bookmaker")
            #expect(blind.function("OddsDesk.simulateOutcomes(") == nil)
            #expect(
                blind.notes.contains { $0.hasPrefix("bookmaker ") && $0.contains("stripped") },
                "\(blind.notes)")
            let agent = try await controller.agent { !$0.missingDebugInfo.isEmpty }
            #expect(agent.missingDebugInfo.contains { $0.contains(stripped.path) })

            let push = try await workshop.run(
                try Workshop.program("sonde"), ["debuginfo", "push", original.path],
                ["SONDE_URL": controller.url])
            #expect(push.status == 0, "\(push.text)")
            let named = try controller.top("bookmaker")
            let function = try #require(named.function("OddsDesk.simulateOutcomes("))
            #expect(function.file.hasSuffix("OddsDesk.swift"))
            #expect(named.share(of: "OddsDesk.simulateOutcomes(") > 0.2)
            #expect(!named.notes.contains { $0.hasPrefix("bookmaker ") }, "\(named.notes)")
        }

        @Test(.timeLimit(.minutes(5)))
        func withoutDebugInfoTheSymbolsOfTheFileName() async throws {
            let workshop = try Workshop()
            let controller = try await Controller(workshop)
            let original = try Workshop.program("bookmaker")
            let copy = workshop.path("bookmaker")
            try await workshop.tool("strip", "--strip-debug", "-o", copy.path, original.path)
            let bookmaker = try await Bookmaker(
                workshop, program: copy, environment: ["SONDE_URL": controller.url])
            _ = try await bookmaker.load(seconds: 11, connections: 4).result()
            let hasNames = await eventually(within: 30, every: 0.5) {
                try controller.top("bookmaker").share(of: "OddsDesk.simulateOutcomes(") > 0.2
            }
            let top = try controller.top("bookmaker")
            #expect(hasNames, "\(top.functions.prefix(5))")
            #expect(
                top.notes.contains { $0.hasPrefix("bookmaker ") && $0.contains("no debug info") },
                "\(top.notes)")
            #expect(!top.functions.contains { $0.name == "SeededRandom.next()" && $0.kind == 1 })
        }
    }
}
