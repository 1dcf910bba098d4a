// SPDX-License-Identifier: Apache-2.0
// If one of these fails, the format of stored logs changed: old folders would not be readable.

import Foundation
import SondeModel
import Testing

@testable import SondeStore

@Suite struct LogFormatFreezeTests {
    private let scratch = ScratchFolder()
    private static let fixture = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("Fixtures/logs-v1.sql")

    private static let metadata = LabelSet().setting("trace_id", to: "ab").setting("v_x", to: "ü")

    @Test func aDayOfVersionOneIsReadAndWrittenTo() throws {
        let folder = try DataFolder(scratch.path)
        let path = scratch.path + "/logs/2026-01-31.db"
        if ProcessInfo.processInfo.environment["SONDE_BLESS"] != nil {
            do {
                let store = try SQLiteLogStore.open(folder)
                var stream = LogStream.of("a", [(1, "one"), (2, "two two two two two two two")])
                stream.entries[0].metadata = Self.metadata
                try store.append([stream, .of("b", [(70, "other")])])
                try store.append([.of("a", (0..<60).map { (Int64($0 + 3), "line \($0)") })])
            }
            try Self.dump(path).write(to: Self.fixture, atomically: true, encoding: .utf8)
            try FileManager.default.removeItem(atPath: scratch.path + "/logs")
        }
        try FileManager.default.createDirectory(
            atPath: scratch.path + "/logs", withIntermediateDirectories: true)
        try DatabaseEditor.run(String(contentsOf: Self.fixture, encoding: .utf8), on: path)
        let store = try SQLiteLogStore.open(folder)
        #expect(try store.lines(limit: 3) == ["one", "two two two two two two two", "line 0"])
        var metadata: LabelSet?
        var request = LogRead(Afternoon.around, limit: 1) { _ in true }
        request.newestFirst = false
        try store.read(request) { _, entry in
            metadata = entry.metadata
            return false
        }
        #expect(metadata == Self.metadata)
        try store.append([.of("a", [(1, "one"), (1, "more"), (3, "line 0")])])
        #expect(try store.lines().count == 65)
    }

    @Test func theSchemaOfADayIsTheStoredOne() throws {
        let old = scratch.path + "/old.db"
        try DatabaseEditor.run(String(contentsOf: Self.fixture, encoding: .utf8), on: old)
        let new = scratch.path + "/new.db"
        _ = try Database(new, .write, LogDayFormat.format)
        #expect(try DatabaseEditor.schema(of: new) == DatabaseEditor.schema(of: old))
        #expect(LogDayFormat.version == 1)
        #expect(LogDayFormat.format.applicationID == 0x536F_4C67)
    }

    /// A database as SQL, so that the fixture can be read.
    private static func dump(_ path: String) throws -> String {
        let database = try Database(path, .write, Database.Format.any(path))
        var sql = "-- A day of logs, schema version 1, as SQL.\n"
        sql += "PRAGMA application_id=\(try database.number("PRAGMA application_id"));\n"
        sql += "PRAGMA user_version=\(try database.number("PRAGMA user_version"));\n"
        for statement in try DatabaseEditor.schema(of: path).sorted(by: >) {
            sql += statement + ";\n"
        }
        let columns = [
            ("stream", "id, quote(labels)"),
            ("chunk", "id, stream, first, last, entries, bytes, is_small, quote(body)"),
        ]
        for (table, columns) in columns {
            let values = columns.replacingOccurrences(of: ", ", with: " || ', ' || ")
            let rows = try database.statement("SELECT \(values) FROM \(table)")
            defer { rows.reset() }
            while try rows.step() { sql += "INSERT INTO \(table) VALUES (\(rows.text(0)));\n" }
        }
        return sql
    }
}
