// SPDX-License-Identifier: Apache-2.0
// A log point in the optimized service: what it says is what the service says itself, and it leaves
// no trace.

import Foundation
import Testing

extension SystemTests {
    @Suite struct LogPoints {
        /// The place in the service at which it writes of a settled bet itself.
        private static func place() throws -> String {
            let file = "Examples/Bookmaker/Sources/bookmaker/Desks/SettlementDesk.swift"
            let root = Workshop.repository
            let text = try String(contentsOf: root.appendingPathComponent(file), encoding: .utf8)
            let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
            let index = try #require(
                lines.firstIndex { $0.contains("(\"bet\", .number(Double(bet.id.number)))") })
            return "SettlementDesk.swift:\(index + 1)"
        }

        @Test(.timeLimit(.minutes(5)))
        func aLogPointSaysWhatTheServiceSaysAndLeavesNoTrace() async throws {
            let workshop = try Workshop()
            let controller = try await Controller(workshop)
            let bookmaker = try await Bookmaker(
                workshop, environment: ["SONDE_URL": controller.url])
            let load = try bookmaker.load(seconds: 30, connections: 2)
            _ = try await controller.agent(within: 60) { $0.missingDebugInfo.isEmpty }

            let template =
                "{bet.id.number}|{bet.stake.cents}|{user?.name}|{state}|{bet.kind}|{bet.note}"
            let added = try await sonde(
                controller, workshop,
                [
                    "log", try Self.place(), template, "--service", "bookmaker", "--hits", "400",
                    "--rate", "5000", "--tag", "settled", "--json",
                ])
            #expect(added.status == 0, "\(added.text)")
            let id = try #require(added.text.firstMatch(of: /"id": ?"(p-[a-z0-9]+)"/)?.1)

            var lines: [LogLines.Line] = []
            let hasLines = await eventually(within: 40, every: 0.25) {
                lines = try controller.lines("{service_name=\"bookmaker\",probe=\"settled\"}")
                return lines.count >= 400
            }
            #expect(hasLines, "\(lines.count) lines, \(bookmaker.agentText)")
            // Exactly as many as were asked for, each once, and none is missing.
            #expect(lines.count == 400)
            #expect(
                Set(lines.compactMap { $0.metadata["sequence"].flatMap { Int($0) } })
                    == Set(1...400))
            try compare(lines, with: bookmaker)

            let gone = try await sonde(controller, workshop, ["probe", "rm", String(id)])
            #expect(gone.status == 0, "\(gone.text)")
            var changed = -1
            _ = await eventually(within: 20, every: 0.1) {
                changed = try Self.changedBytes(of: bookmaker)
                return changed == 0
            }
            #expect(changed == 0, "bytes of text that are not the file's")
            let seen = try await load.result()
            #expect(seen.errors == 0)
        }

        @Test(.timeLimit(.minutes(5)))
        func aConditionAndARefusalAreWhatTheUserTyped() async throws {
            let workshop = try Workshop()
            let controller = try await Controller(workshop)
            let bookmaker = try await Bookmaker(
                workshop, environment: ["SONDE_URL": controller.url])
            let load = try bookmaker.load(seconds: 25, connections: 2)
            _ = try await controller.agent(within: 60) { $0.missingDebugInfo.isEmpty }
            let place = try Self.place()

            let typo = try await sonde(
                controller, workshop, ["log", place, "{bet.stak}", "--service", "bookmaker"])
            #expect(typo.status == 1)
            #expect(typo.text.contains("stake") && typo.text.contains("^"), "\(typo.text)")

            let added = try await sonde(
                controller, workshop,
                [
                    "log", place, "{bet.id.number} {bet.stake.cents}", "--if",
                    "bet.stake.cents > 2000 && bet.id.number % 2 == 0", "--service", "bookmaker",
                    "--hits", "50", "--tag", "even",
                ])
            #expect(added.status == 0, "\(added.text)")
            var lines: [LogLines.Line] = []
            let hasLines = await eventually(within: 40, every: 0.25) {
                lines = try controller.lines("{service_name=\"bookmaker\",probe=\"even\"}")
                return lines.count >= 20
            }
            #expect(hasLines, "\(lines.count) lines, \(bookmaker.agentText)")
            for line in lines {
                let numbers = line.text.split(separator: " ").compactMap { Int($0) }
                #expect(numbers.count == 2 && numbers[0] % 2 == 0 && numbers[1] > 2000)
            }
            _ = try await load.result()
        }

        private func sonde(
            _ controller: Controller, _ workshop: Workshop, _ words: [String]
        ) async throws -> (status: Int32, text: String) {
            try await workshop.run(
                try Workshop.program("sonde"), words, ["SONDE_URL": controller.url])
        }

        /// Each line's values are those that the service's own journal has for the bet.
        private func compare(_ lines: [LogLines.Line], with bookmaker: Bookmaker) throws {
            var journal: [Int: [Settled]] = [:]
            for text in bookmaker.process.text.split(separator: "\n")
            where text.contains("bet-settled") {
                guard let one = try? JSONDecoder().decode(Settled.self, from: Data(text.utf8))
                else { continue }
                journal[one.bet, default: []].append(one)
            }
            for line in lines {
                let parts = line.text.split(separator: "|", omittingEmptySubsequences: false)
                guard parts.count == 6, let number = Int(parts[0]) else {
                    Issue.record("\(line.text)")
                    continue
                }
                let said = journal[number] ?? []
                let state = parts[3].drop { $0 == "." }.prefix { $0.isLetter }
                let kind = parts[4].drop { $0 == "." }.prefix { $0.isLetter }
                #expect(
                    said.contains {
                        $0.cents == Int(parts[1]) && $0.user == parts[2] && $0.state == state
                            && $0.kind.prefix(4) == kind.prefix(4)
                    }, "\(line.text) against \(said)")
            }
        }

        private struct Settled: Decodable {
            var bet: Int
            var user: String
            var stake: String
            var state: String
            var kind: String
            var cents: Int? { Int(stake.replacing(".", with: "")) }
        }

        /// Bytes of the service's text that are not those of its file.
        private static func changedBytes(of bookmaker: Bookmaker) throws -> Int {
            let pid = bookmaker.process.pid
            let maps = try String(contentsOfFile: "/proc/\(pid)/maps", encoding: .utf8)
            let memory = try FileHandle(
                forReadingFrom: URL(fileURLWithPath: "/proc/\(pid)/mem"))
            defer { try? memory.close() }
            var changed = 0
            for row in maps.split(separator: "\n") where row.hasSuffix("/bookmaker") {
                let fields = row.split(separator: " ", omittingEmptySubsequences: true)
                guard fields[1].contains("x") else { continue }
                let ends = fields[0].split(separator: "-").compactMap { UInt64($0, radix: 16) }
                let offset = UInt64(fields[2], radix: 16) ?? 0
                let file = try FileHandle(
                    forReadingFrom: URL(fileURLWithPath: String(fields[5])))
                defer { try? file.close() }
                try file.seek(toOffset: offset)
                let original = try file.read(upToCount: Int(ends[1] - ends[0])) ?? Data()
                try memory.seek(toOffset: ends[0])
                let now = try memory.read(upToCount: original.count) ?? Data()
                guard now.count == original.count else { throw Stuck("text cannot be read") }
                changed += zip(now, original).reduce(0) { $0 + ($1.0 == $1.1 ? 0 : 1) }
            }
            return changed
        }
    }
}

/// `GET /loki/api/v1/query_range`.
struct LogLines: Decodable {
    var data: Content

    struct Content: Decodable {
        var result: [Stream]
    }

    struct Stream: Decodable {
        var stream: [String: String]
        var values: [[String]]
    }

    struct Line {
        var text: String
        /// Labels and structured metadata.
        var metadata: [String: String]
    }
}

extension Controller {
    /// The log lines that a query finds.
    func lines(_ query: String) throws -> [LogLines.Line] {
        var allowed = CharacterSet.alphanumerics
        allowed.insert(charactersIn: "-._~")
        let encoded = query.addingPercentEncoding(withAllowedCharacters: allowed) ?? ""
        let answer: LogLines = try get("/loki/api/v1/query_range?limit=5000&query=\(encoded)")
        return answer.data.result.flatMap { stream in
            stream.values.map { LogLines.Line(text: $0[1], metadata: stream.stream) }
        }
    }
}
