// SPDX-License-Identifier: Apache-2.0
// What a person at a terminal sees: widths, colours, and what is refused there.

import Foundation
import Testing
import sonde

@Suite struct OnATerminal {
    typealias Answer = StubController.Answer

    /// Runs the program on a terminal of its own (`script`, from bsdutils) of some width.
    private func run(
        _ words: String, width: Int, url: String, environment: [String: String] = [:]
    ) throws -> SondeProcess {
        try SondeProcess.run(
            [],
            environment: ["TERM": "xterm-256color", "LANG": "C.UTF-8", "SONDE_URL": url]
                .merging(environment) { $1 },
            shell: [
                "/usr/bin/script", "-qec", "stty cols \(width) rows 50; exec $SONDE \(words)",
                "/dev/null",
            ])
    }

    private func plain(_ text: String) -> [String] {
        text.replacing(/\u{1B}\[[0-9;]*m/, with: "").split(separator: "\r\n").map(String.init)
    }

    @Test(arguments: [40, 80, 200])
    func noLineIsLongerThanTheTerminal(width: Int) throws {
        let stub = try StubController(ReadingCommands.all)
        defer { stub.stop() }
        for words in ["top bookmaker", "flame bookmaker --min-share 0", "agents", "services"] {
            let answer = try run(words, width: width, url: stub.url)
            #expect(answer.status == 0)
            #expect(answer.output.contains("\u{1B}[1m"), "\(words): headings are bold")
            let lines = plain(answer.output)
            #expect(lines.count > 1)
            // Notes are sentences and wrap by themselves; tables and trees must not.
            for line in lines where !line.hasPrefix("note:") && !line.contains("/5f0c12ab: ") {
                #expect(DisplayWidth.of(line) <= width, "\(words) at \(width): \(line)")
            }
        }
    }

    @Test func coloursAreOffWhereTheyAreNotWanted() throws {
        let stub = try StubController(ReadingCommands.all)
        defer { stub.stop() }
        for variable in [["NO_COLOR": "1"], ["TERM": "dumb"]] {
            let top = try run("top bookmaker", width: 80, url: stub.url, environment: variable)
            #expect(top.status == 0 && !top.output.contains("\u{1B}"), "\(variable)")
        }
    }

    @Test func withoutUnicodeTheTreeIsDrawnInASCII() throws {
        let stub = try StubController(ReadingCommands.all)
        defer { stub.stop() }
        let flame = try run(
            "flame bookmaker", width: 80, url: stub.url, environment: ["LANG": "C"])
        let lines = plain(flame.output)
        #expect(lines.contains { $0.contains("` Settlement.run()") }, "\(lines)")
        #expect(lines.allSatisfy { $0.utf8.allSatisfy { $0 < 0x80 } }, "\(lines)")
    }

    @Test func binaryIsNotWrittenToATerminal() throws {
        let stub = try StubController(ReadingCommands.all)
        defer { stub.stop() }
        let flame = try run("flame bookmaker --format pprof", width: 80, url: stub.url)
        #expect(flame.status == 2)
        #expect(flame.output.contains("cannot write pprof to a terminal: it is binary"))
        #expect(flame.output.contains("--format pprof -o cpu.pb.gz"))
        #expect(stub.asked.isEmpty, "refused before anything was asked")
    }
}
