// SPDX-License-Identifier: Apache-2.0
// Commands that read, against a controller that answers as docs/http-api.md says.

import Foundation
import Testing
import sonde

@Suite struct ReadingCommands {
    typealias Answer = StubController.Answer

    static let all: [String: Answer] = [
        "/api/v1/services": Answer(SampleAnswers.services),
        "/api/v1/agents": Answer(SampleAnswers.agents),
        "/api/v1/top": Answer(SampleAnswers.top),
        "/api/v1/flame": Answer(SampleAnswers.flame),
        "/api/v1/timeline": Answer(SampleAnswers.timeline),
        "/api/v1/diff": Answer(SampleAnswers.diff),
    ]

    private func withStub(
        _ answers: [String: Answer] = all, _ body: (StubController) throws -> Void
    ) throws {
        let stub = try StubController(answers)
        defer { stub.stop() }
        try body(stub)
    }

    @Test func topShowsFunctionsWithSharesAndPlaces() throws {
        try withStub { stub in
            let top = try SondeProcess.run(["top", "bookmaker", "--url", stub.url])
            #expect(top.status == 0)
            try expectGolden(top.output, "top.txt")
            #expect(top.errors == "note: libfoo.so has no debug info here\n")
            #expect(!top.output.contains("\u{1B}"))
        }
    }

    @Test func flameShowsATree() throws {
        try withStub { stub in
            let flame = try SondeProcess.run(
                ["flame", "bookmaker"], environment: ["SONDE_URL": stub.url])
            #expect(flame.status == 0)
            try expectGolden(flame.output, "flame.txt")
            let all = try SondeProcess.run(
                ["flame", "bookmaker", "--url", stub.url, "--min-share", "0", "--depth", "3"])
            try expectGolden(all.output, "flame-depth-3.txt")
        }
    }

    @Test func diffShowsTheLargestChangesOfShareFirst() throws {
        try withStub { stub in
            let diff = try SondeProcess.run(
                [
                    "diff", "bookmaker", "--base-from", "2h", "--base-until", "1h", "--focus", "a",
                    "--url", stub.url,
                ])
            #expect(diff.status == 0, "\(diff.errors)")
            try expectGolden(diff.output, "diff.txt")
            let target = try #require(stub.asked.last).line
            for part in [
                "leftSelector=bookmaker", "rightSelector=bookmaker", "leftFrom=now-2h",
                "leftUntil=now-1h", "focus=a",
            ] { #expect(target.contains(part), "\(target)") }
            let json = try SondeProcess.run(
                ["diff", "a", "b", "--json", "--url", stub.url])
            #expect(json.output == SampleAnswers.diff + "\n")
            let same = try SondeProcess.run(["diff", "a", "--url", stub.url])
            #expect(same.status == 2)
            #expect(same.errors.contains("--base-from"))
        }
    }

    @Test func agentsShowsCostLossesAndProblems() throws {
        try withStub { stub in
            let agents = try SondeProcess.run(["agents", "--url", stub.url])
            #expect(agents.status == 0)
            for part in [
                "bookmaker", "5f0c12ab", "node-1", "4711", "connected", "100 Hz -> 49 Hz", "0.12%",
            ] { #expect(agents.output.contains(part), "\(part)") }
            #expect(agents.errors.contains("bookmaker/5f0c12ab: 2 threads have no frame pointers"))
            #expect(agents.errors.contains("sonde debuginfo push"))
        }
    }

    @Test func jsonIsTheControllersOwn() throws {
        try withStub { stub in
            for (words, body) in [
                (["services"], SampleAnswers.services), (["agents"], SampleAnswers.agents),
                (["top", "bookmaker"], SampleAnswers.top),
                (["flame", "bookmaker"], SampleAnswers.flame),
            ] {
                let answer = try SondeProcess.run(words + ["--json", "--url", stub.url])
                #expect(answer.status == 0)
                #expect(answer.output == body + "\n", "\(words)")
                #expect(answer.errors.isEmpty)
            }
        }
    }

    @Test func whatIsAskedForReachesTheController() throws {
        try withStub { stub in
            let top = try SondeProcess.run(
                [
                    "top", #"{service_name="a b"}"#, "--from", "2h", "--until", "now-1h", "--type",
                    "memory", "--limit", "3", "--token", "sonde_x_y", "--url", stub.url,
                ])
            #expect(top.status == 0)
            let request = try #require(stub.asked.first)
            #expect(
                request.line
                    == "GET /api/v1/top?selector=%7Bservice_name%3D%22a%20b%22%7D&type=memory"
                    + "&from=now-2h&until=now-1h&limit=3 HTTP/1.1")
            #expect(request.headers.contains("Authorization: Bearer sonde_x_y"))
        }
    }

    @Test func otherFormatsComeAsTheControllerMakesThem() throws {
        let stub = try StubController { request in
            if request.line.contains("/timeline") { return Answer(SampleAnswers.timeline) }
            return Answer("bytes of \(request.line)", type: "application/octet-stream")
        }
        defer { stub.stop() }
        let folder = try TemporaryFolder()
        for (name, format) in [
            ("a.svg", "svg"), ("a.folded", "folded"), ("a.pb.gz", "pprof"),
            ("a.speedscope.json", "speedscope"), ("a.json", "json"),
        ] {
            let file = folder.path + "/" + name
            let flame = try SondeProcess.run(["flame", "shop", "-o", file, "--url", stub.url])
            #expect(flame.status == 0 && flame.output.isEmpty && flame.errors.isEmpty)
            let text = try String(contentsOfFile: file, encoding: .utf8)
            #expect(text.contains("format=\(format) "), "\(text)")
        }
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        #expect(names.count == 5, "nothing else is left behind: \(names)")
        let piped = try SondeProcess.run(["flame", "shop", "--format", "pprof", "--url", stub.url])
        #expect(piped.output.contains("format=pprof "))
    }

    @Test func servicesGivesNamesForOtherPrograms() throws {
        try withStub { stub in
            let names = try SondeProcess.run(["services", "--names", "--url", stub.url])
            #expect(names.output == "bookmaker\nwallet $(touch hacked)\n")
        }
    }
}
