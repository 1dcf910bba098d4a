// SPDX-License-Identifier: Apache-2.0
// Probes on real lines of real programs, debug and optimized: what they say is what is so.

import Foundation
import SondeModel
import SondeProbeCompiler
import SondeProbeProgram
import SondeSymbols
import Testing

@Suite(.serialized) struct RealPrograms {
    /// Runs all probes of a source; answers how many said what they should.
    static func check(
        _ source: ProbedSource, _ compiler: String, _ flags: [String], mayLack: Bool
    ) throws -> (right: Int, all: Int) {
        let path = try StoppedProgram.compile(compiler, source.text, source.name, flags)
        let image = try ProbeImage(path: path)
        var probes: [ImageProgram] = []
        var expected: [ProbedSource.Expectation] = []
        var all = 0
        for expectation in source.expectations {
            all += 1
            do {
                let compiled = try ProbeCompiler.compile(
                    ProbeRequest(
                        location: .line(file: source.name, line: expectation.line),
                        template: expectation.template, condition: expectation.condition),
                    image: image)
                probes.append(compiled.program)
                expected.append(expectation)
            } catch {
                let isLack =
                    error.code == .unavailable || error.code == .noCodeOnLine
                    || error.code == .unreadableType || error.code == .unknownName
                if !mayLack || !isLack {
                    Issue.record("\(source.name):\(expectation.line) \(flags)\n\(error)")
                }
            }
        }
        let said = try StoppedProgram.run(path, probes)
        var right = 0
        for (number, expectation) in expected.enumerated() {
            let texts = said[number] ?? []
            if expectation.text == "never" {
                #expect(texts.isEmpty, "line \(expectation.line): \(texts)")
                right += 1
                continue
            }
            guard let text = texts.first else {
                Issue.record("line \(expectation.line) \(expectation.template) was not hit")
                continue
            }
            if text.hasPrefix(expectation.text) {
                right += 1
            } else if mayLack, text.contains("<") {
                // Said to be missing, and not guessed.
                continue
            } else {
                Issue.record(
                    "line \(expectation.line) \(flags)\n got \(text)\nwant \(expectation.text)")
            }
        }
        return (right, all)
    }

    @Test func swiftInDebug() throws {
        let (right, all) = try Self.check(
            ProbedPrograms.swift, "swiftc", ["-Onone", "-g", "-parse-as-library"], mayLack: false)
        #expect(right == all)
    }

    @Test func swiftOptimized() throws {
        let (right, all) = try Self.check(
            ProbedPrograms.swift, "swiftc",
            ["-O", "-g", "-parse-as-library", "-Xcc", "-fno-omit-frame-pointer"], mayLack: true)
        print("optimized Swift: \(right) of \(all)")
        #expect(right * 10 >= all * 7)
    }

    @Test(arguments: [["-O0", "-gdwarf-5"], ["-O0", "-gdwarf-4"], ["-O2", "-gdwarf-5"]])
    func c(flags: [String]) throws {
        let (right, all) = try Self.check(
            ProbedPrograms.c, "clang",
            flags + ["-g", "-fno-omit-frame-pointer", "-Wl,--build-id"],
            mayLack: flags.contains("-O2"))
        print("C \(flags): \(right) of \(all)")
        #expect(flags.contains("-O2") ? right * 10 >= all * 7 : right == all)
    }
}
