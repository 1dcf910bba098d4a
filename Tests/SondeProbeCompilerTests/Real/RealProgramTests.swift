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
        let course = try StoppedProgram.run(path, probes)
        var right = 0
        for (number, expectation) in expected.enumerated() {
            let texts = course.said[number] ?? []
            if expectation.text == "never" {
                #expect(texts.isEmpty, "line \(expectation.line): \(texts)")
                right += 1
                continue
            }
            guard let text = texts.first else {
                Issue.record("line \(expectation.line) \(expectation.template) was not hit")
                continue
            }
            let want =
                expectation.text == "printed"
                ? Self.line(expectation.line, of: course.printed) : expectation.text
            if Self.agrees(text, want) {
                right += 1
            } else if mayLack, Self.lacksAtMost(text, want) {
                // Some values are said to be missing, and all others are right.
                continue
            } else {
                Issue.record("line \(expectation.line) \(flags)\n got \(text)\nwant \(want)")
            }
        }
        return (right, all)
    }

    /// What the program printed on one of its lines.
    private static func line(_ number: UInt32, of printed: String) -> String {
        let mark = "\(number)|"
        let line = printed.split(separator: "\n").first { $0.hasPrefix(mark) }
        return line.map { String($0.dropFirst(mark.count)) } ?? "<not printed>"
    }

    /// Whether a text is what is wanted; of one that ends in `…` only the beginning is known.
    static func agrees(_ text: String, _ want: String) -> Bool {
        want.hasSuffix("…") ? text.hasPrefix(want.dropLast()) : text == want
    }

    /// Whether a text is what is wanted but for values that say why they are missing.
    static func lacksAtMost(_ text: String, _ want: String) -> Bool {
        if text == "<condition error: unavailable>" { return true }
        for reason in ["<unavailable>", "<optimized out>"] where text.contains(reason) {
            let parts = text.split(separator: "<", maxSplits: 1, omittingEmptySubsequences: false)
            guard let end = parts.last?.firstIndex(of: ">"), want.hasPrefix(parts[0]) else {
                return false
            }
            let rest = String(parts[1][parts[1].index(after: end)...])
            // What is missing stands for any text: whatever is left has to agree somewhere.
            var left = want.dropFirst(parts[0].count)
            while true {
                if agrees(rest, String(left)) || lacksAtMost(rest, String(left)) { return true }
                if left.isEmpty { return false }
                left.removeFirst()
            }
        }
        return false
    }

    @Test(arguments: [
        ("7 8", "7 8", false), ("<unavailable> 8", "7 8", true), ("<unavailable> 9", "7 8", false),
        ("7 <optimized out>", "7 8", true), ("6 <optimized out>", "7 8", false),
        ("<unavailable> <unavailable>", "7 8", true),
        (
            "P(a: <optimized out>, b: 2)",
            "P(a: 1, b: 2)", true
        ),
        ("P(a: <optimized out>, b: 3)", "P(a: 1, b: 2)", false), ("<unreadable 0x0>", "7", false),
        ("<condition error: unavailable>", "hit", true),
        ("<condition error: unreadable>", "hit", false),
    ])
    func aWrongValueBesideAMissingOneIsWrong(text: String, want: String, isFine: Bool) {
        #expect(Self.lacksAtMost(text, want) == isFine)
    }

    @Test func swiftPrintsWhatProbesSay() throws {
        let (right, all) = try Self.check(
            PrintedPrograms.swift, "swiftc", ["-Onone", "-g", "-parse-as-library"], mayLack: false)
        #expect(right == all)
    }

    @Test func optimizedSwiftPrintsWhatProbesSay() throws {
        let (right, all) = try Self.check(
            PrintedPrograms.swift, "swiftc",
            ["-O", "-g", "-parse-as-library", "-Xcc", "-fno-omit-frame-pointer"], mayLack: true)
        print("optimized Swift that prints: \(right) of \(all)")
        #expect(right * 10 >= all * 7)
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
