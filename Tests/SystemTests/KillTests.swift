// SPDX-License-Identifier: Apache-2.0
// Controller, service and Loki side end at random while lines flow: none is lost without a count.

import Foundation
import Glibc
import SondeHTTPClient
import SondeTestServer
import Testing

extension SystemTests {
    @Suite struct Kills {
        /// `SONDE_KILL_SEED` gives a run again, as far as the machine's timing lets it.
        private static let seed =
            ProcessInfo.processInfo.environment["SONDE_KILL_SEED"].flatMap { UInt64($0) }
            ?? UInt64.random(in: 1...1_000_000)

        @Test(.timeLimit(.minutes(5)))
        func everyAcknowledgedLineArrivesOnceOrIsCounted() async throws {
            print("SONDE_KILL_SEED=\(Self.seed)")
            let field = try await KillField(seed: Self.seed)
            defer { field.proxy.stop() }
            try await field.addLogPoint()
            try await field.count(to: 100_000)
            try await field.settle()
            let verdict = try field.judge()
            print(verdict.summary)
            #expect(verdict.wrong.isEmpty, "SONDE_KILL_SEED=\(Self.seed)")
            // Enough went wrong for the verdict to mean something.
            #expect(verdict.acknowledged >= 100_000, "\(verdict.summary)")
            #expect(field.kills.values.reduce(0, +) >= 6, "\(field.kills)")
        }
    }
}

/// Everything that can end, and what ends it.
final class KillField {
    private let workshop = Result { try Workshop() }
    private let controller: Controller
    private let loki: StandInLoki
    let proxy: WitnessProxy
    private var services: [NumberedService] = []
    private var ended: [NumberedService] = []
    private var random: SeededRandom
    private var probe = ""
    /// What was ended how often.
    private(set) var kills: [String: Int] = [:]

    /// Numbers that one process counts, and how many processes do so at the same time.
    private static let share = 10_000
    private static let width = 2
    private static let perSecond = 4000

    init(seed: UInt64) async throws {
        random = SeededRandom(seed: seed)
        let workshop = try workshop.get()
        loki = try await StandInLoki(workshop, seed: seed)
        let file = workshop.path("sonde.yaml")
        try """
        export:
          loki:
            url: \(loki.url)
            timeout_seconds: 2
        log_level: warn
        """.write(to: file, atomically: true, encoding: .utf8)
        controller = try await Controller(workshop, ["--config", file.path])
        proxy = try WitnessProxy(to: controller.url, seed: seed)
    }

    private func service(_ range: Range<Int>) throws -> NumberedService {
        try NumberedService(
            workshop.get(), range, perSecond: Self.perSecond, url: proxy.url)
    }

    /// Adds the log point, for which one agent has to be there.
    func addLogPoint() async throws {
        let first = try service(0..<Self.share)
        services.append(first)
        _ = try await controller.agent(of: "numbers", within: 60) { $0.missingDebugInfo.isEmpty }
        let answer = try await workshop.get().run(
            Workshop.program("sonde"),
            [
                "log", NumberedService.place(), "{number}", "--service", "numbers", "--hits",
                "1000000", "--rate", "5000", "--tag", "numbers", "--json",
            ], ["SONDE_URL": controller.url])
        guard answer.status == 0, let id = answer.text.firstMatch(of: /"id": ?"(p-[a-z0-9]+)"/)?.1
        else { throw Stuck("cannot add the log point: \(answer.text)") }
        probe = String(id)
    }

    /// Has numbers counted until so many lines are acknowledged, and ends something now and then.
    func count(to total: Int) async throws {
        var next = services.map(\.range.upperBound).max() ?? 0
        let deadline = Date(timeIntervalSinceNow: 150)
        while true {
            for service in services where !service.process.isRunning { ended.append(service) }
            services.removeAll { !$0.process.isRunning }
            while services.count < Self.width, proxy.testimony.acknowledged.count < total {
                services.append(try service(next..<next + Self.share))
                next += Self.share
            }
            guard !services.isEmpty else { return }
            guard Date() < deadline else {
                throw Stuck(
                    "only \(proxy.testimony.acknowledged.count) lines in time; \(kills), "
                        + "\(services.map(\.process.text)), \(proxy.testimony.answers)")
            }
            try await endSomething()
            // A pause of random length is the point: the ends fall into every moment.
            try await Task.sleep(for: .milliseconds(Int.random(in: 100...1200, using: &random)))
        }
    }

    private func endSomething() async throws {
        switch Int.random(in: 0..<10, using: &random) {
        case 0..<3:
            kills["loki", default: 0] += 1
            loki.kill()
            try await pause()
            try await loki.start(seed: random.next())
        case 3..<6:
            kills["controller", default: 0] += 1
            controller.kill()
            try await pause()
            try await controller.startAgain()
        case 6:
            kills["both", default: 0] += 1
            loki.kill()
            controller.kill()
            try await pause()
            try await loki.start(seed: random.next())
            try await controller.startAgain()
        case 7:
            guard let service = services.randomElement(using: &random) else { return }
            kills["service by SIGTERM", default: 0] += 1
            service.process.signal(SIGTERM)
        case 8:
            guard let service = services.randomElement(using: &random) else { return }
            kills["service by SIGKILL", default: 0] += 1
            service.process.signal(SIGKILL)
        default: break
        }
        // A service that died just after the install holds the probe back until somebody says so.
        let held = try? controller.send("GET", "/api/v1/probes/\(probe)").body
        if String(decoding: held ?? [], as: UTF8.self).contains("\"held\"") {
            kills["held", default: 0] += 1
            _ = try? controller.send("POST", "/api/v1/probes/\(probe)/enable")
        }
    }

    private func pause() async throws {
        try await Task.sleep(for: .milliseconds(Int.random(in: 0...700, using: &random)))
    }

    /// Lets everything that waits arrive.
    func settle() async throws {
        proxy.becomeHonest()
        loki.kill()
        try await loki.start(seed: 0)
        let isEmpty = await eventually(within: 60) {
            try self.metrics()["sonde_export_loki_waiting_lines"] == 0
        }
        guard isEmpty else { throw Stuck("lines still wait: \(try metrics())") }
    }

    /// The controller's export counters, with labels as they stand there.
    private func metrics() throws -> [String: Int] {
        let text = String(decoding: try controller.send("GET", "/metrics").body, as: UTF8.self)
        var found: [String: Int] = [:]
        for row in text.split(separator: "\n") where row.hasPrefix("sonde_export_loki_") {
            let parts = row.split(separator: " ")
            if parts.count == 2, let value = Double(parts[1]) {
                found[String(parts[0])] = Int(value)
            }
        }
        return found
    }

    /// What is to be said in the end.
    struct Verdict {
        var acknowledged = 0
        var summary = ""
        var wrong: [String] = []
    }

    /// Compares what each side says.
    func judge() throws -> Verdict {
        var verdict = Verdict()
        let seen = proxy.testimony
        let ledger = try loki.ledger()
        let metrics = try metrics()
        let lost = metrics.filter { $0.key.hasPrefix("sonde_export_loki_lost_lines_total") }
            .values.reduce(0, +)
        let sent = metrics["sonde_export_loki_lines_total"] ?? 0
        let missing = seen.acknowledged.filter { ledger.stored[$0] == nil }
        verdict.acknowledged = seen.acknowledged.count
        verdict.summary =
            "ended \(kills.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }); "
            + "acknowledged \(seen.acknowledged.count), stored \(ledger.stored.count), "
            + "came again \(ledger.repeated), missing \(missing.count); the controller counts "
            + "\(sent) sent and \(lost) lost; \(seen.lostAnswers) answers and "
            + "\(seen.lostRequests) requests lost before it, answers \(seen.answers)"

        let twice = ledger.stored.filter { $0.value.count > 1 }
        if !twice.isEmpty {
            verdict.wrong.append("\(twice.count) lines arrived in two forms: \(twice.prefix(3))")
        }
        let unknown = ledger.stored.keys.filter { !seen.sent.contains($0) }
        if !unknown.isEmpty { verdict.wrong.append("nobody sent \(unknown.prefix(3))") }
        // What is missing was refused by the store, and the controller has counted it.
        let silent = missing.filter { !ledger.refused.contains($0) }
        if !silent.isEmpty {
            verdict.wrong.append("\(silent.count) lines vanished: \(silent.prefix(3))")
        }
        if missing.count > lost {
            verdict.wrong.append("\(missing.count) lines are missing, and \(lost) are counted")
        }
        if sent + lost < seen.acknowledged.count {
            verdict.wrong.append("the controller does not account for all lines")
        }
        try judgeOwnStore(seen, ledger, &verdict)
        for service in ended { judge(service, seen, &verdict) }
        return verdict
    }

    /// The controller's own store has each line once.
    private func judgeOwnStore(
        _ seen: WitnessProxy.Testimony, _ ledger: StandInLoki.Ledger, _ verdict: inout Verdict
    ) throws {
        struct Statistics: Decodable { var entries: Int }
        let statistics: Statistics = try controller.get(
            "/loki/api/v1/index/stats?query=%7Bservice_name%3D%22numbers%22%7D")
        let forwarded = ledger.refused.union(ledger.stored.keys).count
        guard (forwarded...seen.sent.count).contains(statistics.entries) else {
            verdict.wrong.append(
                "the own store has \(statistics.entries) lines; want \(forwarded) to "
                    + "\(seen.sent.count)")
            return
        }
    }

    /// What an agent counted adds up, and is what the witness saw.
    private func judge(
        _ service: NumberedService, _ seen: WitnessProxy.Testimony, _ verdict: inout Verdict
    ) {
        guard let account = service.account, let instance = service.instance else { return }
        let acknowledged = seen.acknowledged.count { $0.instance == instance }
        if account.said != account.hits {
            verdict.wrong.append("\(account.said) numbers and \(account.hits) hits: \(account)")
        }
        if account.hits != account.lines + account.dropped {
            verdict.wrong.append("hits are neither lines nor counted: \(account)")
        }
        if account.lines != account.sent + account.losses {
            verdict.wrong.append("lines are neither sent nor counted: \(account)")
        }
        if account.sent != acknowledged {
            verdict.wrong.append("the agent counts \(account), the witness saw \(acknowledged)")
        }
    }
}
