// SPDX-License-Identifier: Apache-2.0
// `sonde logs` and `sonde tail`, against a stub and against the built controller.

import Foundation
import SondeHTTPClient
import SondeModel
import SondeWire
import Testing
import sonde

@Suite(.timeLimit(.minutes(5))) struct LogCommands {
    private static let answer = """
        {"lines":[{"time":"1769851800123456789","labels":{"level":"warn","service_name":"shop"},\
        "metadata":{"detected_level":"warn","file":"Settlement.swift","line":"88","v_name":"a b"},\
        "line":"settle 7\\n\\tfor \\u001b[31mAnn"},\
        {"time":"1769851801000000000","labels":{"service_name":"bookmaker"},"metadata":{},\
        "line":"ready"}],"more":true}
        """

    private static func push(
        _ lines: [String], to url: String, service: String = "shop"
    ) throws -> Int {
        let now = Int64(Date().timeIntervalSince1970 * 1e9)
        let stream = LogStream(
            labels: LabelSet().setting("service_name", to: service).setting("level", to: "info"),
            entries: lines.enumerated().map {
                LogEntry(time: Timestamp(unixNanoseconds: now + Int64($0)), line: $1)
            })
        let client = try HTTPClient(HTTPClientConfiguration(baseURL: url, userAgent: "test"))
        return try client.send(
            HTTPClientRequest(
                method: "POST", target: "/loki/api/v1/push",
                headers: [("Content-Type", "application/json")], body: LokiPushJSON.encode([stream])
            )
        ).status
    }

    @Test func logsShowsTimeLevelServiceAndMessage() throws {
        let stub = try StubController(["/api/v1/logs": .init(Self.answer)])
        defer { stub.stop() }
        let logs = try SondeProcess.run(["logs", "shop", "--url", stub.url])
        #expect(logs.status == 0)
        try expectGolden(logs.output, "logs.txt")
        #expect(logs.errors == "the newest 100 lines; more with a larger --limit\n")
        let more = try SondeProcess.run(["logs", "--metadata", "--url", stub.url])
        try expectGolden(more.output, "logs-metadata.txt")
        let json = try SondeProcess.run(["logs", "--json", "--url", stub.url])
        #expect(json.output == Self.answer + "\n")
        #expect(json.errors.isEmpty)
    }

    @Test func whatIsAskedForReachesTheController() throws {
        let stub = try StubController(["/api/v1/logs": .init(Self.answer)])
        defer { stub.stop() }
        _ = try SondeProcess.run([
            "logs", #"{a="b"} |= "c""#, "--from", "2h", "--until", "now-1h", "--limit", "7",
            "--oldest", "--url", stub.url,
        ])
        #expect(
            stub.asked.first?.line
                == "GET /api/v1/logs?query=%7Ba%3D%22b%22%7D%20%7C%3D%20%22c%22&from=now-2h"
                + "&until=now-1h&limit=7&keep=oldest HTTP/1.1")
    }

    @Test func noLinesAreSaidWithAdvice() throws {
        let stub = try StubController(["/api/v1/logs": .init(#"{"lines":[],"more":false}"#)])
        defer { stub.stop() }
        let logs = try SondeProcess.run(["logs", "shop", "--from", "5m", "--url", stub.url])
        #expect(logs.status == 1)
        #expect(logs.output.isEmpty)
        #expect(logs.errors.contains("no lines of shop in the last 5m"))
        #expect(logs.errors.contains("sonde tail"))
    }

    @Test func linesOfARealControllerAreFoundAndMistakesShown() throws {
        let controller = try RunningController(in: TemporaryFolder())
        #expect(try Self.push(["settle 1", "other"], to: controller.url) == 204)
        let found = try SondeProcess.run([
            "logs", #"{service_name="shop"} |= "settle""#, "--url", controller.url,
        ])
        #expect(found.status == 0)
        #expect(found.output.contains(/^[0-9:.]{12} info  shop  settle 1\n$/), "\(found.output)")
        let wrong = try SondeProcess.run(["logs", #"{a="b"} | json"#, "--url", controller.url])
        #expect(wrong.status == 1)
        #expect(wrong.errors.contains("at position 11 got the stage | json"))
        #expect(wrong.errors.contains("\n            ^"), "\(wrong.errors)")
    }

    @Test func tailPrintsLinesWithin300MillisecondsAndSurvivesARestart() throws {
        let folder = try TemporaryFolder()
        var controller = try RunningController(in: folder)
        #expect(try Self.push(["past"], to: controller.url) == 204)
        let port = try #require(controller.url.split(separator: ":").last)
        let tail = try RunningTail(["shop", "--since", "5m", "--url", controller.url])
        defer { tail.stop() }
        #expect(tail.waitFor("past"))
        var delays: [Double] = []
        for number in 0..<10 {
            let start = Date()
            #expect(try Self.push(["line \(number)"], to: controller.url) == 204)
            #expect(tail.waitFor("line \(number)"))
            delays.append(Date().timeIntervalSince(start))
        }
        // From before the push to after the output was read; half of them, for busy machines.
        #expect(delays.sorted()[5] < 0.3, "\(delays)")
        controller.stop(signal: SIGKILL)
        #expect(tail.waitFor("connection lost"))
        controller = try RunningController(["--listen", "127.0.0.1:\(port)"], in: folder)
        #expect(try Self.push(["after"], to: controller.url) == 204)
        #expect(tail.waitFor("after"))
        let lines = tail.output.split(separator: "\n").compactMap { $0.split(separator: "  ").last }
        #expect(lines.map(String.init) == ["past"] + (0..<10).map { "line \($0)" } + ["after"])
    }

    @Test func tailAsJSONIsOneObjectALineAndEndsWithItsReader() throws {
        let controller = try RunningController(in: TemporaryFolder())
        #expect(try Self.push(["one", "two"], to: controller.url) == 204)
        let tail = try SondeProcess.run(
            [], environment: ["URL": controller.url],
            shell: [
                "/bin/bash", "-c",
                "\"$SONDE\" tail --since 5m --json --url $URL | head -n 1; exit ${PIPESTATUS[0]}",
            ])
        #expect(tail.output.contains(#""line":"one""#))
        #expect(tail.output.split(separator: "\n").count == 1)
    }

    @Test func tailWithoutAControllerSaysSo() throws {
        let tail = try SondeProcess.run(["tail", "--url", "http://127.0.0.1:1"])
        #expect(tail.status == 1)
        #expect(tail.errors.contains("nobody answers at"))
        let wrong = try SondeProcess.run(["tail", "--since", "yesterday"])
        #expect(wrong.status == 2)
        #expect(wrong.errors.contains("a length of time such as 30s, 5m or 2h"))
    }
}

/// `sonde tail` while it runs.
private final class RunningTail: @unchecked Sendable {
    // Safety: `text` is only touched under `lock`.
    private let process = Process()
    private let lock = NSLock()
    private var text = ""
    private var errors = ""

    init(_ words: [String]) throws {
        process.executableURL = URL(fileURLWithPath: SondeProcess.program)
        process.arguments = ["tail"] + words
        let output = Pipe(), notes = Pipe()
        process.standardOutput = output
        process.standardError = notes
        try process.run()
        for (pipe, isOutput) in [(output, true), (notes, false)] {
            Thread.detachNewThread { [self] in
                while case let data = pipe.fileHandleForReading.availableData, !data.isEmpty {
                    let piece = String(decoding: data, as: UTF8.self)
                    lock.withLock { if isOutput { text += piece } else { errors += piece } }
                }
            }
        }
    }

    var output: String { lock.withLock { text } }

    /// Waits until it has said something.
    func waitFor(_ words: String) -> Bool {
        let deadline = Date().addingTimeInterval(20)
        while Date() < deadline {
            if lock.withLock({ text.contains(words + "\n") || errors.contains(words) }) {
                return true
            }
            usleep(1000)
        }
        return false
    }

    func stop() {
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
        process.waitUntilExit()
    }
}
