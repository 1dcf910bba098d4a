// SPDX-License-Identifier: Apache-2.0
// The store of log lines against what the machine can do at best with the same lines: zstd of the
// text, SQLite with one row for each line, grep over a file.

import BenchmarkReport
import Foundation
import SondeModel
import SondeQuery
import SondeStore

@main struct LogStoreBenchmark {
    /// A day of twelve instances' log points: a line each third of a second.
    static let lines = 240_000
    /// Lines of one push.
    static let batch = 500
    static let day = Timestamp(unixMilliseconds: 1_769_904_000_000)
    static let dayNanoseconds: Int64 = 86_400_000_000_000

    static func main() throws {
        guard CommandLine.arguments.count == 2 else {
            print("cannot measure: want a file of thresholds")
            exit(2)
        }
        let folder = NSTemporaryDirectory() + "/sonde-bench-logs-\(getpid())"
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var report = try BenchmarkReport(thresholds: CommandLine.arguments[1])
        let pushes = try SampleLines.pushes(lines: lines, batch: batch, day: day)
        let text = folder + "/lines.txt"
        try SampleLines.write(pushes, to: text)
        try ingest(pushes, folder, text, &report)
        try query(folder, text, &report)
        if report.hasFailed {
            try? FileManager.default.removeItem(atPath: folder)
            exit(1)
        }
    }

    private static func open(_ folder: String) throws -> SQLiteLogStore {
        var configuration = SQLiteLogStore.Configuration()
        configuration.retentionDays = nil
        return try SQLiteLogStore(DataFolder(folder + "/data"), configuration: configuration)
    }

    private static func ingest(
        _ pushes: [[LogStream]], _ folder: String, _ text: String, _ report: inout BenchmarkReport
    ) throws {
        let store = try open(folder)
        let raw = pushes.joined().reduce(0) { sum, stream in
            sum + stream.entries.reduce(0) { $0 + $1.byteCount }
        }
        let cost = try Cost.of { for push in pushes { try store.append(push) } }
        let statistics = try store.statistics()
        precondition(statistics.entries == Int64(lines), "each line is there once")
        let megabytes = Double(raw) / 1e6
        print(
            String(
                format: "%d lines of %d bytes with metadata, durable, %d a push:\n"
                    + "  store    %.0f lines/s, %.0f per CPU second, %.1f MB per CPU second",
                lines, raw / lines, batch, Double(lines) / cost.wall, Double(lines) / cost.cpu,
                megabytes / cost.cpu))
        // The floor of durable rows: the same lines and pushes, one transaction for each.
        let rows = try Cost.ofProcess(
            "python3", ["-c", SampleLines.rowInserter, text, folder + "/rows.db", "\(batch)"])
        let rowBytes = try FileManager.default.attributesOfItem(atPath: folder + "/rows.db")[.size]
        print(
            String(
                format: "  SQLite   %.0f lines/s, %.0f per CPU second, one row for each line",
                Double(lines) / rows.wall, Double(lines) / rows.cpu))
        _ = try Cost.ofProcess("zstd", ["-q", "-3", "-f", text, "-o", text + ".zst"])
        let packed =
            try FileManager.default.attributesOfItem(atPath: text + ".zst")[.size] as? Int ?? 1
        print(
            String(
                format: "  on disk  %.1f bytes a line; zstd -3 of all of them at once %.1f, "
                    + "SQLite %.1f", Double(statistics.bytes) / Double(lines),
                Double(packed) / Double(lines),
                Double(rowBytes as? Int ?? 0) / Double(lines)))
        report.judge("ingest-cpu-to-sqlite", cost.cpu / rows.cpu)
        report.judge("bytes-to-zstd", Double(statistics.bytes) / Double(packed))
    }

    private static func query(
        _ folder: String, _ text: String, _ report: inout BenchmarkReport
    ) throws {
        let store = try open(folder)
        let selector = "{service_name=\"bookmaker\",level=\"warn\"}"
        let all = "{service_name=\"bookmaker\"}"
        // What is looked for is in the day's last hour, seldom.
        let filter = all + " |= `bet 239999 `"
        let hour = try time(store, selector, hours: 1)
        let whole = try time(store, selector, hours: 24)
        let filteredHour = try time(store, filter, hours: 1)
        let filteredDay = try time(store, filter, hours: 24, newestFirst: false)
        precondition(filteredDay.found == 1 && filteredHour.found == 1 && hour.found > 0)
        let grep = try best(of: 3) {
            try Cost.ofProcess("grep", ["-c", "-F", "bet 239999 ", text])
        }
        print(
            String(
                format: "queries, best of several:\n"
                    + "  by selector, first 1000 lines:  1 h %.1f ms (%d lines), 24 h %.1f ms "
                    + "(%d lines)\n"
                    + "  by line filter, one in %d:  1 h %.1f ms, 24 h %.1f ms; grep over the "
                    + "text %.1f ms",
                hour.seconds * 1e3, hour.found, whole.seconds * 1e3, whole.found, lines,
                filteredHour.seconds * 1e3, filteredDay.seconds * 1e3, grep.wall * 1e3))
        report.judge("selector-day-to-hour", whole.seconds / hour.seconds)
        report.judge("filter-day-to-grep", filteredDay.seconds / grep.wall)
    }

    /// Time of a query, and what it found.
    private static func time(
        _ store: SQLiteLogStore, _ text: String, hours: Int64, newestFirst: Bool = true
    ) throws -> (seconds: Double, found: Int) {
        let query = try LogQuery(text)
        let end = day.advanced(byNanoseconds: dayNanoseconds - 1)
        guard
            let range = TimeRange(
                from: end.advanced(byNanoseconds: -hours * 3_600_000_000_000), until: end)
        else { return (0, 0) }
        var found = 0
        let cost = try best(of: 5) {
            found = 0
            var request = LogRead(range, limit: 1000) { query.selector.matches($0) }
            request.newestFirst = newestFirst
            request.mayAccept = { query.mayAccept($0) }
            request.accepts = { labels, entry in query.accepts(entry, of: labels) != nil }
            return try Cost.of {
                try store.read(request) { _, _ in
                    found += 1
                    return found < 1000
                }
            }
        }
        return (cost.wall, found)
    }

    private static func best(of count: Int, _ body: () throws -> Cost) rethrows -> Cost {
        var best = try body()
        for _ in 1..<count {
            let next = try body()
            if next.wall < best.wall { best = next }
        }
        return best
    }
}

extension LogEntry {
    /// Bytes of the line and its metadata.
    fileprivate var byteCount: Int {
        metadata.labels.reduce(line.utf8.count) { $0 + $1.name.utf8.count + $1.value.utf8.count }
    }
}
