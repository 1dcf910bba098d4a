// SPDX-License-Identifier: Apache-2.0
// A log point in the debug build of the service, in an actor's asynchronous method behind an await:
// values of many kinds are what the service writes of itself.

import Foundation
import Testing

extension SystemTests {
    @Suite struct DebugLogPoints {
        /// Where `swift build` puts the debug build, whichever one the other tests use.
        private static let program = Workshop.repository
            .appendingPathComponent(".build/debug/bookmaker")

        private static func place() throws -> String {
            let file = "Examples/Bookmaker/Sources/bookmaker/Desks/SettlementDesk.swift"
            let text = try String(
                contentsOf: Workshop.repository.appendingPathComponent(file), encoding: .utf8)
            let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
            let index = try #require(
                lines.firstIndex { $0.contains("        log(bet, state, user: user,") })
            return "SettlementDesk.swift:\(index + 1)"
        }

        /// A line of the service's own journal.
        private struct Settled: Decodable {
            var bet: Int
            var user: String
            var email: String?
            var kind: String
            var legs: Int
            var stake: String
            var state: String
            var payout: String?
            var premium: Bool

            /// What a log point says of the same bet.
            var words: [String] {
                [
                    "\(bet)", user, email ?? "nil", Self.cents(stake), state,
                    payout.map(Self.cents) ?? "nil", "\(premium)",
                    kind == "each-way" ? "eachWay" : kind,
                    kind == "accumulator" ? "\(legs)" : "nil",
                ]
            }

            private static func cents(_ money: String) -> String {
                let digits = money.replacing(".", with: "").drop { $0 == "0" }
                return digits.isEmpty ? "0" : String(digits)
            }
        }

        private static let template = [
            "{bet.id.number}", "{user?.name}", "{user?.email}", "{bet.stake.cents}", "{state}",
            "{payout?.cents}", "{user?.isPremium}", "{bet.kind}",
            "{bet.kind.accumulator?.legs.count}", "{marketsSettled}", "{reports.count}", "{#task}",
            "{#thread}", "{#function}", "{self.marketsSettled == marketsSettled}",
        ].joined(separator: "|")

        @Test(
            .timeLimit(.minutes(5)),
            .enabled(
                if: FileManager.default.isExecutableFile(atPath: program.path),
                "there is no debug build of bookmaker"))
        func aLogPointInADebugBuildSaysWhatTheServiceSays() async throws {
            let workshop = try Workshop()
            let controller = try await Controller(workshop)
            let bookmaker = try await Bookmaker(
                workshop, program: Self.program,
                environment: [
                    "SONDE_URL": controller.url, "SONDE_PROBE_HIDE_NAMES": "country",
                ])
            let load = try bookmaker.load(seconds: 40, connections: 2)
            _ = try await controller.agent(within: 90) { $0.missingDebugInfo.isEmpty }
            let added = try await workshop.run(
                try Workshop.program("sonde"),
                [
                    "log", try Self.place(), Self.template, "--if",
                    "state != .open && bet.stake.cents > 0 && user?.name.isEmpty == false",
                    "--service", "bookmaker", "--hits", "200", "--rate", "5000", "--tag", "debug",
                ], ["SONDE_URL": controller.url])
            #expect(added.status == 0, "\(added.text)")
            var lines: [LogLines.Line] = []
            let hasLines = await eventually(within: 60, every: 0.25) {
                lines = try controller.lines("{service_name=\"bookmaker\",probe=\"debug\"}")
                return lines.count >= 200
            }
            #expect(hasLines, "\(lines.count) lines, \(bookmaker.agentText)")
            var journal: [String: [[String]]] = [:]
            for text in bookmaker.process.text.split(separator: "\n")
            where text.contains("bet-settled") {
                let one = try JSONDecoder().decode(Settled.self, from: Data(text.utf8))
                journal["\(one.bet)", default: []].append(one.words)
            }
            for line in lines { compare(line, journal) }

            _ = try await load.result()

            // A condition on a name that the service's owner hides is refused there, in words.
            let hidden = try await workshop.run(
                try Workshop.program("sonde"),
                [
                    "log", try Self.place(), "x", "--if", "user?.country == \"Norge\"", "--service",
                    "bookmaker",
                ], ["SONDE_URL": controller.url])
            #expect(hidden.text.contains("failed: the condition reads user.country"))
        }

        private func compare(_ line: LogLines.Line, _ journal: [String: [[String]]]) {
            var words = line.text.split(separator: "|", omittingEmptySubsequences: false)
                .map(String.init)
            guard words.count == 15 else {
                Issue.record("\(line.text)")
                return
            }
            // Of `.won(payout: …)` and `.single(Leg(…))` the journal has the case's name.
            for place in [4, 7] {
                words[place] = String(words[place].drop { $0 == "." }.prefix { $0.isLetter })
            }
            let said = journal[words[0]] ?? []
            #expect(said.contains(Array(words[..<9])), "\(line.text) against \(said)")
            // Nobody else settles, so these only grow.
            #expect(Int(words[9]) != nil && Int(words[10]) != nil, "\(line.text)")
            // The method runs in a task, and the hit knows which, on whichever thread.
            #expect(words[11] == line.metadata["task"] && words[11] != "nil", "\(line.text)")
            #expect(words[12] == line.metadata["thread"], "\(line.text)")
            #expect(words[13].contains("SettlementDesk.pay"), "\(line.text)")
            #expect(words[14] == "true", "\(line.text)")
        }
    }
}
