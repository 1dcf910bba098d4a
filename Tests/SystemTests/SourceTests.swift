// SPDX-License-Identifier: Apache-2.0
// A controller that reaches no source folder shows Bookmaker's source, sent with its build.

import Foundation
import Testing

extension SystemTests {
    @Suite struct Sources {
        private struct Shown: Decodable {
            var file: String
            var total: Int64
            var text: String?
            var source: Origin?
            var lines: [Line]
            var notes: [String]

            struct Origin: Decodable {
                var from: String
                var path: String
                var state: String
            }

            struct Line: Decodable {
                var line: Int
                var total: Int64
                var code: Bool
            }
        }

        @Test(.timeLimit(.minutes(5)))
        func pushedSourceIsShownWithTheCostOfItsLines() async throws {
            let workshop = try Workshop()
            let controller = try await Controller(workshop)
            let bookmaker = try await Bookmaker(
                workshop, environment: ["SONDE_URL": controller.url])
            let seen = try await bookmaker.load(seconds: 12, connections: 4).result()
            #expect(seen.errors == 0)
            let question = "/api/v1/source?service=bookmaker&file=OddsDesk.swift"
            var blind: Shown?
            let hasCost = await eventually(within: 60, every: 0.5) {
                blind = try? controller.get(question)
                return (blind?.total ?? 0) > 1_000_000_000
            }
            #expect(hasCost)
            #expect(blind?.text == nil && blind?.notes.isEmpty == false)

            let push = try await workshop.run(
                try Workshop.program("sonde"),
                [
                    "source", "push", "--service", "bookmaker", "--binary",
                    try Workshop.program("bookmaker").path, Workshop.repository.path,
                ], ["SONDE_URL": controller.url])
            #expect(push.status == 0 && push.text.contains("sent "), "\(push.text)")
            let shown = try controller.get(question, as: Shown.self)
            let text = try #require(shown.text)
            #expect(
                try text
                    == String(
                        contentsOfFile: Workshop.repository.path
                            + "/Examples/Bookmaker/Sources/bookmaker/Desks/OddsDesk.swift",
                        encoding: .utf8))
            #expect(shown.source?.from == "bundle")
            #expect(shown.source.map { shown.file.hasSuffix($0.path) } == true)
            // The line that costs most is one of the function that does.
            let hottest = try #require(shown.lines.max { $0.total < $1.total })
            let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
            #expect(hottest.total > shown.total / 10 && hottest.line <= lines.count)
            // C's debug info has an MD5 of each file.
            let poller = try controller.get(
                "/api/v1/source?service=bookmaker&file=poller.c", as: Shown.self)
            #expect(poller.source?.state == "verified", "\(poller.notes)")

            // The call's own line may hold no statement: a probe goes onto one that does.
            let probed = try #require(
                shown.lines.filter(\.code).max { $0.total < $1.total })
            let place = try await workshop.run(
                try Workshop.program("sonde"),
                ["where", "OddsDesk.swift:\(probed.line)", "--service", "bookmaker"],
                ["SONDE_URL": controller.url])
            let line = lines[probed.line - 1].drop { $0 == " " }
            #expect(place.text.contains(line), "\(place.text)")
        }
    }
}
