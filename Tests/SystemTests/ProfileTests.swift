// SPDX-License-Identifier: Apache-2.0
// The main test: what the flame graph says of Bookmaker is what Bookmaker measured itself.

import Foundation
import Testing

/// Everything that runs whole programs, one after the other: the machine may be small.
@Suite(.serialized) struct SystemTests {}

extension SystemTests {
    @Suite struct Profiles {
        /// Bookmaker's hot functions: meter, name in the profile, file, source of the first line.
        static let hot = [
            ("simulateOutcomes", "OddsDesk.simulateOutcomes(", "OddsDesk.swift"),
            ("worstCase", "RiskDesk.worstCase(", "RiskDesk.swift"),
            ("digest", "FraudDesk.digest(", "FraudDesk.swift"),
        ]

        @Test(.timeLimit(.minutes(5)))
        func theHotFunctionsSharesAreWhatTheProgramMeasured() async throws {
            let workshop = try Workshop()
            let controller = try await Controller(workshop)
            let bookmaker = try await Bookmaker(
                workshop, ["--threads", "4"], environment: ["SONDE_URL": controller.url])
            let load = try bookmaker.load(seconds: 30)
            let seen = try await load.result()
            #expect(seen.errors == 0, "\(seen)")

            // Idle now, so that nothing is missing once the last profile is there.
            let measured = try bookmaker.meters()
            let cpu = measured.processCPUNanoseconds
            let isComplete = await eventually(within: 30, every: 0.5) {
                Double(try controller.top("bookmaker").total) > 0.97 * cpu
            }
            let top = try controller.top("bookmaker")
            #expect(isComplete, "got \(top.total) ns of \(cpu); \(bookmaker.agentText)")
            #expect(Double(top.total) < 1.05 * cpu)

            try compare(top, measured)
            try checkNames(top)
            let flame = try controller.flame("bookmaker")
            #expect(flame.total == top.total)
            checkStacks(flame)
            let agent = try await controller.agent()
            #expect(agent.threads >= 4 && agent.problems.isEmpty && agent.losses.isEmpty)
            #expect(agent.ownCPUPercent < 2, "the agent's own cost: \(agent.ownCPUPercent) %")
        }

        private func compare(_ top: TopAnswer, _ measured: MeterAnswer) throws {
            for (meter, name, _) in Self.hot {
                let truth = measured.share(of: meter)
                let share = top.share(of: name)
                print("\(meter): measured \(percent(truth)), profile \(percent(share))")
                #expect(truth > 0.08, "\(meter) is not hot: \(percent(truth))")
                #expect(
                    abs(truth - share) <= 0.05,
                    "\(meter): measured \(percent(truth)), profile \(percent(share))")
            }
        }

        private func checkNames(_ top: TopAnswer) throws {
            for (meter, name, file) in Self.hot {
                let function = try #require(top.function(name))
                #expect(function.module == "bookmaker")
                #expect(function.file.hasSuffix("Desks/\(file)"), "\(function.file)")
                #expect(function.line == (try line(of: "func \(meter)(", in: "Desks/\(file)")))
            }
            let inlined = try #require(
                top.functions.first { $0.name == "SeededRandom.next()" && $0.kind == 1 })
            #expect(inlined.file.hasSuffix("Domain/SeededRandom.swift"))
            #expect(
                inlined.line == (try line(of: "func next()", in: "Domain/SeededRandom.swift")))
            let mangled = top.functions.filter {
                $0.name.hasPrefix("$s") || $0.name.hasPrefix("_$s")
            }
            #expect(mangled.isEmpty, "\(mangled.map(\.name))")
        }

        /// Where a function begins in Bookmaker's source, counted from 1.
        private func line(of text: String, in file: String) throws -> Int {
            let path = "Examples/Bookmaker/Sources/bookmaker/\(file)"
            let source = try String(
                contentsOf: Workshop.repository.appendingPathComponent(path), encoding: .utf8)
            let lines = source.split(separator: "\n", omittingEmptySubsequences: false)
            return try #require(lines.firstIndex { $0.contains(text) }) + 1
        }

        private func checkStacks(_ flame: FlameAnswer) {
            // What is hot lies below the worker threads' loop: the stacks are whole.
            var hot: UInt64 = 0
            var rooted: UInt64 = 0
            for node in flame.nodes.total.indices {
                let name = flame.name(of: node)
                guard Self.hot.contains(where: { name.hasPrefix($0.1) }),
                    !flame.hasAncestor(node, named: name)
                else { continue }
                hot += flame.nodes.total[node]
                if flame.hasAncestor(node, named: "HTTPServer.work(") {
                    rooted += flame.nodes.total[node]
                }
            }
            #expect(Double(rooted) > 0.99 * Double(hot), "\(rooted) of \(hot) ns reach the loop")
            let inlined = flame.nodes.total.indices.contains { node in
                flame.name(of: node) == "SeededRandom.next()"
                    && flame.frames.kind[flame.nodes.frame[node]] == 1
                    && flame.hasAncestor(node, named: "OddsDesk.simulateOutcomes(")
            }
            #expect(inlined, "SeededRandom.next() is not shown below simulateOutcomes")
        }

        private func percent(_ share: Double) -> String {
            "\((share * 1000).rounded() / 10) %"
        }
    }
}
