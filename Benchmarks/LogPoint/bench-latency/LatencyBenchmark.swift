// SPDX-License-Identifier: Apache-2.0
// From `sonde log` to the log point in the code, and from a hit to `sonde tail`, with real processes;
// and what an installed log point costs that is not hit.

import BenchmarkReport
import Foundation
import SondeHTTPClient

@main struct LatencyBenchmark {
    private let programs: String
    private let service: Child
    private let controller: String
    private let environment: [String: String]
    private let client: HTTPClient

    /// How often the agent looks at its rings when little is hit, in seconds: the floor of a line.
    private static let cadence = 0.050

    static func main() throws {
        guard CommandLine.arguments.count == 5 else {
            fail("want the programs' folder, the controller's address, the source, the thresholds")
        }
        let words = CommandLine.arguments
        var report = try BenchmarkReport(thresholds: words[4])
        let bench = try LatencyBenchmark(programs: words[1], controller: words[2])
        defer { bench.service.end() }
        let place = try Self.place(in: words[3])
        let bare = try bench.roundTrips()
        try bench.installs(place, bare, &report)
        try bench.lines(place, bare, &report)
        if report.hasFailed {
            bench.service.end()
            exit(1)
        }
    }

    private init(programs: String, controller: String) throws {
        self.programs = programs
        self.controller = controller
        environment = ["SONDE_URL": controller, "SONDE_SERVICE": "latency"]
        service = try Child("\(programs)/latency-service", [], environment)
        _ = service.line { $0 == "started" }
        client = try HTTPClient(
            HTTPClientConfiguration(
                baseURL: controller, maxResponseBytes: 1 << 20, userAgent: "bench"))
    }

    private static func place(in source: String) throws -> String {
        let lines = try String(contentsOfFile: source, encoding: .utf8)
            .split(separator: "\n", omittingEmptySubsequences: false)
        guard let index = lines.firstIndex(where: { $0.hasSuffix("sum &+= now") }) else {
            fail("no line that adds in \(source)")
        }
        return "latency-service/main.swift:\(index + 1)"
    }

    /// What a bare exchange takes, and one whose line is on disk, in seconds.
    private func roundTrips() throws -> (read: Double, durable: Double, command: Double) {
        let read = try (0..<50).map { _ in
            try time { try send(HTTPClientRequest(target: "/api/v1/probes"), 200) }
        }
        let durable = try (0..<50).map { number in
            let now = Int(Date().timeIntervalSince1970 * 1e9)
            let push =
                #"{"streams":[{"stream":{"service_name":"bare"},"values":[["\#(now)","\#(number)"]]}]}"#
            return try time {
                try send(
                    HTTPClientRequest(
                        method: "POST", target: "/loki/api/v1/push",
                        headers: [("Content-Type", "application/json")], body: Array(push.utf8)),
                    204)
            }
        }
        let command = try (0..<10).map { _ in
            try time { try Child("\(programs)/sonde", ["probes"], environment).waitForEnd() }
        }
        let all = (median(read), median(durable), median(command))
        print(
            String(
                format: "floors: an HTTP round trip %.2f ms, a durable push %.2f ms, "
                    + "`sonde probes` %.0f ms (medians)", all.0 * 1e3, all.1 * 1e3, all.2 * 1e3))
        return all
    }

    private func send(_ request: HTTPClientRequest, _ status: Int) throws {
        let answer = try client.send(request)
        guard answer.status == status else {
            fail("\(request.target) answered \(answer.status)")
        }
    }

    /// Adds and removes log points; each install is timed.
    private func installs(
        _ place: String, _ bare: (read: Double, durable: Double, command: Double),
        _ report: inout BenchmarkReport
    ) throws {
        waitForDebugInfo(place)
        var times: [Double] = []
        for _ in 0..<15 {
            let count = service.said.count
            service.tell("watch")
            let begin = monotonic()
            let command = try Child("\(programs)/sonde", add(place), environment)
            let installed = service.line(after: count) { $0.hasPrefix("installed ") }.text
            let words = installed.split(separator: " ")
            guard words.count == 3, let at = UInt64(words[2]) else { fail(installed) }
            times.append(Double(at - begin) / 1e9)
            command.waitForEnd()
            try Child("\(programs)/sonde", ["probe", "rm", String(words[1])], environment)
                .waitForEnd()
        }
        print(
            String(
                format: "from `sonde log` to installed: %.0f ms (median of %d, worst %.0f ms); "
                    + "want at most 200", median(times) * 1e3, times.count,
                (times.max() ?? 0) * 1e3))
        report.judge("install-seconds", median(times))
        report.judge("install-to-bare-command", median(times) / bare.command)
    }

    private func add(_ place: String) -> [String] {
        [
            "log", place, "at {now}", "--service", "latency", "--tag", "latency", "--hits", "1000",
        ]
    }

    /// The first command may have to wait for the service's debug info.
    private func waitForDebugInfo(_ place: String) {
        for _ in 0..<60 {
            let command = try? Child("\(programs)/sonde", add(place), environment)
            command?.waitForEnd()
            let count = service.said.count
            if case let answer = command?.said.map(\.text).joined(separator: "\n") ?? "",
                answer.contains("p-")
            {
                service.tell("watch")
                _ = service.line(after: count) { $0.hasPrefix("installed ") }
                try? Child("\(programs)/sonde", ["probe", "rm", "--all"], environment).waitForEnd()
                return
            }
            usleep(250_000)
        }
        fail("no log point could be added")
    }

    /// Times lines from the hit to the terminal, and what waiting for one costs.
    private func lines(
        _ place: String, _ bare: (read: Double, durable: Double, command: Double),
        _ report: inout BenchmarkReport
    ) throws {
        try idle(place, &report)
        let tail = try Child(
            "\(programs)/sonde", ["tail", "{service_name=\"latency\"}"], environment)
        defer { tail.end() }
        // Until it is connected nothing it says means anything.
        usleep(1_000_000)
        var times: [Double] = []
        for _ in 0..<25 {
            let count = tail.said.count
            service.tell("hit")
            let line = tail.line(after: count) { $0.contains("at ") }
            guard let said = line.text.firstMatch(of: /at ([0-9]+)/).flatMap({ UInt64($0.1) })
            else { fail(line.text) }
            times.append(Double(line.at - said) / 1e9)
            // Hits of a person's pace, at any moment of the agent's rounds.
            usleep(UInt32.random(in: 250_000...500_000))
        }
        let floor = Self.cadence + bare.durable
        print(
            String(
                format: "from a hit to `sonde tail`: %.0f ms (median of %d, worst %.0f ms); want "
                    + "at most 300; the rings are looked at each %.0f ms", median(times) * 1e3,
                times.count, (times.max() ?? 0) * 1e3, Self.cadence * 1e3))
        report.judge("hit-to-tail-seconds", median(times))
        report.judge("hit-to-tail-to-cadence", median(times) / floor)
    }

    /// What the agent costs with a log point that is not hit, which stays there, and without it.
    private func idle(_ place: String, _ report: inout BenchmarkReport) throws {
        var with: [Double] = []
        var without: [Double] = []
        // In turns, and the least of each: it has other things to do now and then.
        for _ in 0..<4 {
            try Child("\(programs)/sonde", ["probe", "rm", "--all"], environment).waitForEnd()
            without.append(cost(seconds: 3))
            let count = service.said.count
            service.tell("watch")
            try Child("\(programs)/sonde", add(place), environment).waitForEnd()
            _ = service.line(after: count) { $0.hasPrefix("installed ") }
            with.append(cost(seconds: 3))
        }
        let (least, bare) = (with.min() ?? .infinity, without.min() ?? 0)
        print(
            String(
                format: "an installed log point that is not hit: the agent's own CPU time is "
                    + "%.3f %% of a core, %.3f %% without it", least * 100, bare * 100))
        report.judge("idle-share", least - bare)
    }

    /// The agent's own CPU time, as a share of a core.
    private func cost(seconds: UInt32) -> Double {
        func now() -> (own: Double, at: Double) {
            let count = service.said.count
            service.tell("cost")
            let words = service.line(after: count) { $0.hasPrefix("cost ") }.text
                .split(separator: " ")
            return (Double(words[1]) ?? 0, Double(words[2]) ?? 0)
        }
        let before = now()
        usleep(seconds * 1_000_000)
        let after = now()
        return (after.own - before.own) / (after.at - before.at)
    }

    private func time(_ body: () throws -> Void) rethrows -> Double {
        let begin = monotonic()
        try body()
        return Double(monotonic() - begin) / 1e9
    }

    private func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }
}
