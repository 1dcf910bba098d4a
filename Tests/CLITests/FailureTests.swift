// SPDX-License-Identifier: Apache-2.0
// What the program says, and how it ends, when something is wrong.

import Foundation
import Testing
import sonde

@Suite struct Failures {
    typealias Answer = StubController.Answer

    @Test func aControllerThatIsAwayIsNamedWithWhatToDo() throws {
        // A port that was free a moment ago and that nobody listens on.
        let stub = try StubController([:])
        stub.stop()
        for words in [["services"], ["agents"], ["top", "a"], ["flame", "a"], ["token", "list"]] {
            let run = try SondeProcess.run(words, environment: ["SONDE_URL": stub.url])
            #expect(run.status == 1)
            #expect(run.output.isEmpty)
            #expect(
                run.errors.hasPrefix(
                    "sonde: cannot reach the controller: nobody answers at \(stub.url)\n"
                        + "  start one with: sonde serve\n"), "\(run.errors)")
        }
    }

    @Test func theControllersOwnWordsAreShown() throws {
        let message = "cannot read selector: got \\\"}\\\"; want a label"
        let stub = try StubController([
            "/api/v1/top": Answer(
                "{\"code\": \"invalid_argument\", \"message\": \"\(message)\"}", status: 400),
            "/api/v1/agents": Answer(
                #"{"code": "unauthenticated", "message": "cannot let you in: got no token; want one"}"#,
                status: 401),
        ])
        defer { stub.stop() }
        let top = try SondeProcess.run(["top", "}", "--url", stub.url])
        #expect(top.status == 1)
        #expect(top.errors == "sonde: cannot read selector: got \"}\"; want a label\n")
        let agents = try SondeProcess.run(["agents", "--url", stub.url])
        #expect(agents.status == 1)
        #expect(agents.errors.hasPrefix("sonde: cannot let you in: got no token; want one\n"))
        #expect(agents.errors.contains("SONDE_TOKEN"))
    }

    @Test func aTenantIsNamedByOptionOrEnvironment() throws {
        let stub = try StubController { _ in
            Answer(
                #"{"code": "unauthenticated", "message": "cannot serve", "missing": "tenant"}"#,
                status: 401)
        }
        defer { stub.stop() }
        for (words, environment, sent) in [
            (["--tenant", "night"], ["SONDE_TENANT": "day"], "night"),
            ([], ["SONDE_TENANT": "day|night"], "day|night"), ([], [:], nil),
        ] as [([String], [String: String], String?)] {
            let run = try SondeProcess.run(
                ["services", "--url", stub.url] + words, environment: environment)
            #expect(run.status == 1)
            #expect(run.errors.contains("--tenant or SONDE_TENANT"))
            #expect(!run.errors.contains("SONDE_TOKEN"))
            let headers = stub.asked.last?.headers.split(whereSeparator: \.isNewline) ?? []
            let field = headers.first { $0.lowercased().hasPrefix("x-scope-orgid: ") }
            #expect(field.map { String($0.dropFirst(15)) } == sent)
        }
        let asked = stub.asked.count
        for name in ["a b", "|", "", "a\r\nX: y", "ü"] {
            let run = try SondeProcess.run(["services", "--url", stub.url, "--tenant=\(name)"])
            #expect(run.status == 2, "\(name)")
        }
        #expect(stub.asked.count == asked)
    }

    @Test(arguments: [
        Answer("<html>It works!</html>", type: "text/html"),
        Answer("<html>Bad gateway</html>", status: 502, type: "text/html"),
        Answer("{\"functions\": 1}"), Answer(""), Answer("[]"), Answer("{\"to"),
    ])
    func anotherProgramAtTheAddressIsNoCrash(answer: Answer) throws {
        let stub = try StubController { _ in answer }
        defer { stub.stop() }
        for words in [["top", "a"], ["flame", "a"], ["agents"], ["services"]] {
            let run = try SondeProcess.run(words + ["--url", stub.url])
            #expect(run.status == 1 && run.output.isEmpty)
            #expect(run.errors.contains("want Sonde's controller"), "\(run.errors)")
        }
    }

    @Test(arguments: [
        #""parent": [-1, 5, 1, 2, 3, 2, 1]"#, #""parent": [-1, 0]"#, #""parent": []"#,
        #""parent": [-1, 1, 1, 2, 3, 2, 1]"#, #""parent": [-1, -7, 1, 2, 3, 2, 1]"#,
    ])
    func aFlameGraphThatDoesNotFitTogetherIsNoCrash(parents: String) throws {
        let broken = SampleAnswers.flame.replacing(/"parent": \[[^\]]*\]/, with: parents)
        let stub = try StubController(["/api/v1/flame": Answer(broken)])
        defer { stub.stop() }
        let run = try SondeProcess.run(["flame", "a", "--url", stub.url])
        #expect(run.status == 1)
        #expect(run.errors.contains("columns that do not fit together"))
    }

    @Test func aConnectionThatBreaksIsOneSentence() throws {
        let stub = try StubController { _ in nil }
        defer { stub.stop() }
        let run = try SondeProcess.run(["agents", "--url", stub.url])
        #expect(run.status == 1)
        #expect(run.errors.hasPrefix("sonde: cannot "), "\(run.errors)")
    }

    @Test func noDataSaysWhatThereIs() throws {
        let answers = [
            "/api/v1/top": Answer(SampleAnswers.emptyTop),
            "/api/v1/timeline": Answer(SampleAnswers.emptyTimeline),
            "/api/v1/services": Answer(SampleAnswers.services),
        ]
        let stub = try StubController(answers)
        defer { stub.stop() }
        let top = try SondeProcess.run(["top", "bookmakr", "--from", "5m", "--url", stub.url])
        #expect(top.status == 1 && top.output.isEmpty)
        #expect(
            top.errors
                == "sonde: no cpu profiles of bookmakr in the last 5m\n  did you mean bookmaker?"
                + " services in the last 5m: bookmaker, wallet $(touch hacked)\n")
        let silent = try SondeProcess.run(["top", "wallet $(touch hacked)", "--url", stub.url])
        #expect(silent.errors.contains("its agent is connected but has not sent a profile yet"))
        let other = try SondeProcess.run([
            "top", "bookmaker", "--type", "memory", "--url", stub.url,
        ])
        #expect(other.errors.contains("it has profiles of other types there: cpu"))
        let json = try SondeProcess.run(["top", "bookmakr", "--json", "--url", stub.url])
        #expect(json.status == 0 && json.output == SampleAnswers.emptyTop + "\n")
        let folder = try TemporaryFolder()
        let file = folder.path + "/a.svg"
        let svg = try SondeProcess.run(["flame", "bookmakr", "-o", file, "--url", stub.url])
        #expect(svg.status == 1 && !FileManager.default.fileExists(atPath: file))
    }

    @Test func aComparisonWithoutDataNamesTheSideAndItsRange() throws {
        let full = #""profiles": 360"#
        let empty = SampleAnswers.diff.replacing(full, with: #""profiles": 0"#, maxReplacements: 1)
        try #require(empty != SampleAnswers.diff)
        let noTypes = #"{"services": [{"name": "bookmaker", "profileTypes": [], "agents": 1}]}"#
        let stub = try StubController { request in
            if request.line.contains("/api/v1/diff") { return Answer(empty) }
            let isBase = request.line.contains("from=now-25h&until=now-24h")
            return Answer(isBase ? noTypes : SampleAnswers.services)
        }
        defer { stub.stop() }
        let words = ["diff", "bookmaker", "--base-from", "25h", "--base-until", "24h"]
        let before = try SondeProcess.run(words + ["--url", stub.url])
        #expect(before.status == 1 && before.output.isEmpty)
        #expect(
            before.errors
                == "sonde: no cpu profiles of bookmaker from 25h ago until 24h ago\n"
                + "  its agent is connected, but sent no profile of that time\n")
        let elsewhere = try SondeProcess.run(["diff", "bookmakr", "wallet", "--url", stub.url])
        #expect(elsewhere.errors.contains("no cpu profiles of bookmakr in the last 1h\n"))
        #expect(elsewhere.errors.contains("did you mean bookmaker?"))
        // The very type that was asked for is no other one.
        let focused = try SondeProcess.run(
            ["diff", "bookmaker", "wallet", "--focus", "x", "--url", stub.url])
        #expect(!focused.errors.contains("other types"))
        #expect(focused.errors.contains("but no such stack (--stack, --focus)"))
    }

    @Test func aControllerThatHeardNothingYetSaysHowToBegin() throws {
        let stub = try StubController([
            "/api/v1/top": Answer(SampleAnswers.emptyTop),
            "/api/v1/services": Answer(SampleAnswers.noServices),
            "/api/v1/agents": Answer(#"{"agents": []}"#),
        ])
        defer { stub.stop() }
        for words in [["top", "a"], ["services"], ["agents"]] {
            let run = try SondeProcess.run(words + ["--url", stub.url])
            #expect(
                run.output.isEmpty && run.errors.contains("sonde run --service NAME -- PROGRAM"))
            // A list that is empty is an answer; a picture of nothing is none.
            #expect(run.status == (words.count == 2 ? 1 : 0))
        }
    }

    @Test func aFileThatCannotBeWrittenIsNamed() throws {
        let stub = try StubController([
            "/api/v1/timeline": Answer(SampleAnswers.timeline), "/api/v1/flame": Answer("x"),
        ])
        defer { stub.stop() }
        let run = try SondeProcess.run(["flame", "a", "-o", "/nowhere/a.svg", "--url", stub.url])
        #expect(run.status == 1)
        #expect(run.errors == "sonde: cannot write /nowhere/a.svg: No such file or directory\n")
        let full = try SondeProcess.run(
            [], environment: ["URL": stub.url],
            shell: ["/bin/bash", "-c", "$SONDE flame a --format svg --url $URL > /dev/full"])
        #expect(full.status == 1)
        #expect(full.errors == "sonde: cannot write to standard output: No space left on device\n")
    }

    @Test func aPipeThatIsClosedEarlyIsQuiet() throws {
        let stub = try StubController([
            "/api/v1/timeline": Answer(SampleAnswers.timeline),
            "/api/v1/flame": Answer(String(repeating: "a;b;c 1\n", count: 200_000)),
        ])
        defer { stub.stop() }
        let run = try SondeProcess.run(
            [], environment: ["URL": stub.url],
            shell: [
                "/bin/bash", "-c",
                "set -o pipefail; $SONDE flame a --format folded --url $URL | head -n 1",
            ])
        #expect(run.status == 0 && run.output == "a;b;c 1\n")
        #expect(run.errors.isEmpty, "\(run.errors)")
    }

    @Test func ctrlCEndsAWaitingCommandAtOnce() throws {
        // A controller that takes the connection and says nothing.
        let silence = DispatchSemaphore(value: 0)
        let stub = try StubController { _ in
            _ = silence.wait(timeout: .now() + 20)
            return nil
        }
        defer { stub.stop() }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: SondeProcess.program)
        process.arguments = ["agents", "--url", stub.url]
        // A thread of the test's pool blocks signals, and a child would inherit that.
        var blocked = sigset_t(), before = sigset_t()
        sigemptyset(&blocked)
        sigaddset(&blocked, SIGINT)
        pthread_sigmask(SIG_UNBLOCK, &blocked, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        try process.run()
        let deadline = Date().addingTimeInterval(10)
        while stub.asked.isEmpty, Date() < deadline { usleep(2000) }
        #expect(!stub.asked.isEmpty)
        let start = Date()
        process.interrupt()
        process.waitUntilExit()
        silence.signal()
        #expect(process.terminationReason == .uncaughtSignal && process.terminationStatus == SIGINT)
        #expect(Date().timeIntervalSince(start) < 15)
    }

    @Test func anAddressThatIsNoneIsWrongUsage() throws {
        let run = try SondeProcess.run(["agents", "--url", "localhost:4040"])
        #expect(run.status == 2)
        #expect(run.errors.contains("want http://HOST:PORT or https://HOST:PORT"))
    }
}
