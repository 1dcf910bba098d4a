// SPDX-License-Identifier: Apache-2.0
// Lines as log points make them, and what a peer needs to take the same ones.

import Foundation
import SondeModel

/// The lines of a day.
enum SampleLines {
    /// Pushes in the order of their times, each with lines of one instance in two levels.
    static func pushes(lines: Int, batch: Int, day: Timestamp) throws -> [[LogStream]] {
        let step = LogStoreBenchmark.dayNanoseconds / Int64(lines)
        var random = SystemRandomNumberGenerator()
        return try stride(from: 0, to: lines, by: batch).map { first in
            let instance = "instance-\((first / batch) % 12)"
            var streams = try ["info", "warn"].map { level in
                LogStream(
                    labels: try LabelSet([
                        Label(name: "service_name", value: "bookmaker"),
                        Label(name: "level", value: level), Label(name: "probe", value: "settle"),
                    ]))
            }
            for number in first..<min(lines, first + batch) {
                let cents = Int.random(in: 100...99_999, using: &random)
                let entry = LogEntry(
                    time: day.advanced(byNanoseconds: Int64(number) * step),
                    line: "settle bet \(number) for user \(number % 977): \(cents) cents",
                    metadata: try LabelSet([
                        Label(name: "instance", value: instance),
                        Label(name: "file", value: "Desks/SettlementDesk.swift"),
                        Label(name: "line", value: "93"), Label(name: "probe_id", value: "p-4w1x"),
                        Label(name: "sequence", value: "\(number / 12)"),
                        Label(name: "thread", value: "\(20_000 + number % 8)"),
                        Label(name: "v_bet_stake_cents", value: "\(cents)"),
                    ]))
                streams[number % 10 == 0 ? 1 : 0].entries.append(entry)
            }
            return streams
        }
    }

    /// One row of text for each line: time, level, line and metadata.
    static func write(_ pushes: [[LogStream]], to path: String) throws {
        var text = ""
        for push in pushes {
            for stream in push {
                for entry in stream.entries {
                    let metadata = entry.metadata.labels.map { "\($0.name)=\($0.value)" }
                    text += "\(entry.time.unixNanoseconds)\t\(stream.labels["level"] ?? "")\t"
                    text += "\(entry.line)\t\(metadata.joined(separator: " "))\n"
                }
            }
        }
        try text.write(toFile: path, atomically: false, encoding: .utf8)
    }

    /// Inserts such rows as durable as the store is: `FILE DATABASE ROWS-PER-TRANSACTION`.
    static let rowInserter = """
        import sqlite3, sys
        database = sqlite3.connect(sys.argv[2], isolation_level=None)
        database.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
            "CREATE TABLE line (time INTEGER, level TEXT, line TEXT, metadata TEXT) STRICT;"
            "CREATE INDEX by_time ON line (time);")
        rows = [row.rstrip("\\n").split("\\t") for row in open(sys.argv[1])]
        size = int(sys.argv[3])
        for begin in range(0, len(rows), size):
            database.execute("BEGIN")
            database.executemany("INSERT INTO line VALUES (?, ?, ?, ?)", rows[begin:begin + size])
            database.execute("COMMIT")
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        """
}
