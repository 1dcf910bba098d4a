// SPDX-License-Identifier: Apache-2.0
// A probe on every line of the service at once, again and again: it computes what it computes
// without, and its code is as it was.

import Foundation
import SondeHTTPClient
import SondeModel
import SondeSymbols
import Testing

extension SystemTests {
    @Suite struct Storms {
        static let rounds = 200

        @Test(.timeLimit(.minutes(5)), arguments: ["release", "debug"])
        func aProbeOnEveryLineAtOnceChangesNothing(build: String) async throws {
            let program = Workshop.repository.appendingPathComponent(".build/\(build)/bookmaker")
            try #require(
                FileManager.default.isExecutableFile(atPath: program.path),
                "want \(program.path) from swift build")
            let workshop = try Workshop()
            let storm = workshop.path("storm.so")
            try await Self.compile(storm, workshop)
            let sites = try Self.writeSites(of: program, to: workshop.path("sites"))
            let report = workshop.path("report")
            let plain = try await Bookmaker(workshop, ["--no-agent"], program: program)
            let stormed = try await Bookmaker(
                workshop, ["--no-agent"], program: program,
                environment: [
                    "LD_PRELOAD": storm.path, "STORM_SITES": workshop.path("sites").path,
                    "STORM_REPORT": report.path, "STORM_ROUNDS": "\(Self.rounds)",
                ])

            // The same questions in the same order; the service repeats with its seed.
            var asked = 0
            while Self.read(report)["done"] == nil, stormed.process.isRunning {
                for _ in 0..<20 {
                    let question = Question(number: asked)
                    let want = try question.answer(of: plain)
                    let got = try question.answer(of: stormed)
                    #expect(got == want, "question \(asked): \(question)")
                    guard got == want else { return }
                    asked += 1
                }
            }
            let found = Self.read(report)
            let text = "\(found), \(asked) questions, \(stormed.process.text.suffix(500))"
            print("\(build): \(text)")
            #expect(found["done"] == "1", "\(text)")
            #expect(found["rounds"] == "\(Self.rounds)", "\(text)")
            let count = found["sites"].flatMap { Int($0) } ?? 0
            // What cannot be moved is refused: the trap instruction of Swift's checks.
            #expect(count > 1000 && count * 20 >= sites * 19, "\(sites) places: \(text)")
            #expect((found["hits"].flatMap { Int($0) } ?? 0) > Self.rounds, "\(text)")
            #expect(asked >= 20, "\(text)")
            #expect(await stormed.process.finish() == 0)
        }

        /// What a customer asks; the sequence is the same in every run.
        struct Question {
            var number: Int

            private var request: (method: String, target: String, body: String) {
                let market = number % 59 + 1
                let user = number * 7 % 1000 + 1
                switch number % 10 {
                case 0...4:
                    let legs = "[{\"market\": \(market), \"selection\": \(number % 3)}]"
                    return (
                        "POST", "/bets",
                        "{\"user\": \(user), \"stake\": \"\(number % 9 + 1).50\", "
                            + "\"kind\": \"single\", \"legs\": \(legs)}"
                    )
                case 5: return ("GET", "/bets/\(number / 2)", "")
                case 6: return ("GET", "/users/\(user)", "")
                case 7: return ("POST", "/markets/\(market)/settle", "{\"winner\": 0}")
                case 8: return ("GET", "/users/\(user)/statement", "")
                default: return ("GET", "/markets", "")
                }
            }

            /// The status and the body, but for times of day.
            func answer(of bookmaker: Bookmaker) throws -> String {
                let (method, target, body) = request
                let client = try HTTPClient(
                    HTTPClientConfiguration(
                        baseURL: "http://\(bookmaker.address)", maxResponseBytes: 16 << 20,
                        userAgent: "sonde-tests"))
                let answer = try client.send(
                    HTTPClientRequest(method: method, target: target, body: Array(body.utf8)))
                let text = String(decoding: answer.body, as: UTF8.self)
                    .replacing(/[0-9]{13}/, with: "TIME")
                return "\(answer.status) \(text)"
            }
        }

        /// Writes all places of the service's own lines; answers how many there are.
        private static func writeSites(of program: URL, to list: URL) throws -> Int {
            let image = try ProbeImage(path: program.path)
            var places: [UInt64: String] = [:]
            for file in image.allFiles where file.contains("/Examples/Bookmaker/Sources/") {
                for line in image.linesWithCode(in: file) {
                    for place in image.places(file: file, line: line) {
                        let numbers = [place.address, place.functionStart, place.functionEnd]
                        places[place.address.rawValue] =
                            numbers.map { String($0.rawValue, radix: 16) }.joined(separator: " ")
                    }
                }
            }
            try places.values.sorted().joined(separator: "\n").write(
                to: list, atomically: true, encoding: .utf8)
            return places.count
        }

        /// Makes the library that is preloaded: the patcher by itself, without the agent.
        private static func compile(_ library: URL, _ workshop: Workshop) async throws {
            let patcher = Workshop.repository.appendingPathComponent("probes/CSondeProbe")
            let storm = Workshop.repository
                .appendingPathComponent("Tests/SystemTests/Programs/storm.c").path
            let sources = try FileManager.default.contentsOfDirectory(atPath: patcher.path)
                .filter { $0.hasSuffix(".c") }
                .map { patcher.appendingPathComponent($0).path }
            let words =
                [
                    "clang", "-O2", "-std=gnu2x", "-D_GNU_SOURCE", "-fPIC", "-shared", "-I",
                    patcher.appendingPathComponent("include").path, "-o", library.path, storm,
                ] + sources
            let result = try await workshop.run(
                URL(fileURLWithPath: "/usr/bin/env"), words, within: 120)
            guard result.status == 0 else { throw Stuck("clang failed: \(result.text)") }
        }

        private static func read(_ report: URL) -> [String: String] {
            let text = (try? String(contentsOf: report, encoding: .utf8)) ?? ""
            let pairs = text.split(separator: "\n").map { $0.split(separator: " ", maxSplits: 1) }
            return Dictionary(
                pairs.filter { $0.count == 2 }.map { (String($0[0]), String($0[1])) },
                uniquingKeysWith: { $1 })
        }
    }
}
