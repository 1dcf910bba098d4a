// SPDX-License-Identifier: Apache-2.0
// If one of these fails, the format on disk changed: old data folders would no longer be readable.

import Foundation
import SondeModel
import Testing

@testable import SondeStore

/// Runs SQL on a database of whatever kind.
enum DatabaseEditor {
    static func run(_ sql: String, on path: String) throws {
        let database = try Database(path, .write, Database.Format.any(path))
        try database.execute(sql)
    }

    static func schema(of path: String) throws -> [String] {
        let database = try Database(path, .write, Database.Format.any(path))
        let rows = try database.statement(
            "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name")
        defer { rows.reset() }
        var result: [String] = []
        while try rows.step() { result.append(rows.text(0)) }
        return result
    }
}

extension Database.Format {
    /// The format that a file says it has; for an empty file, none.
    static func any(_ path: String) throws -> Database.Format {
        let header = (try? FileHandle(forReadingAtPath: path)?.read(upToCount: 100)) ?? Data()
        func number(at offset: Int) -> Int32 {
            guard header.count == 100 else { return 0 }
            return header[offset..<offset + 4].reduce(0) { $0 << 8 | Int32($1) }
        }
        return Database.Format(
            applicationID: number(at: 68), version: number(at: 60), schema: "", name: "any")
    }
}

@Suite struct FormatFreezeTests {
    private let scratch = ScratchFolder()

    private static let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("Fixtures")

    /// What the stored day holds.
    private static let stacks = """
        bookmaker+1f0;bookmaker+2a0;libc+30 50000000
        bookmaker+1f0;odds 20000000
        """

    @Test func aDayOfVersionOneIsReadAndWrittenTo() throws {
        let folder = try DataFolder(scratch.path)
        let fixture = Self.fixtures.appendingPathComponent("day-v1.sql")
        let path = scratch.path + "/profiles/2026-01-31.db"
        if ProcessInfo.processInfo.environment["SONDE_BLESS"] != nil {
            do {
                let store = try SQLiteProfileStore.open(folder)
                try store.append([try .cpu(Self.stacks)])
                try store.append([try .cpu("bookmaker+1f0;odds 10", instance: "2")])
            }
            try Self.dump(path).write(to: fixture, atomically: true, encoding: .utf8)
            try FileManager.default.removeItem(atPath: scratch.path + "/profiles")
        }
        try FileManager.default.createDirectory(
            atPath: scratch.path + "/profiles", withIntermediateDirectories: true)
        try DatabaseEditor.run(String(contentsOf: fixture, encoding: .utf8), on: path)
        let store = try SQLiteProfileStore.open(folder)
        let one = try store.merge(
            ProfileSelection(.cpu, in: Afternoon.around) { $0["instance"] == "1" })
        #expect(one.stacks.folded == LocationTree(folded: Self.stacks).folded)
        try store.append([try .cpu("bookmaker+1f0;odds 1;new 1")])
        let all = try store.merge(ProfileSelection(.cpu, in: Afternoon.around))
        #expect(all.profileCount == 3)
    }

    @Test func theSchemaOfADayIsTheStoredOne() throws {
        let old = scratch.path + "/old.db"
        let fixture = Self.fixtures.appendingPathComponent("day-v1.sql")
        try DatabaseEditor.run(String(contentsOf: fixture, encoding: .utf8), on: old)
        let new = scratch.path + "/new.db"
        _ = try Database(new, .write, DayFormat.format)
        #expect(try DatabaseEditor.schema(of: new) == DatabaseEditor.schema(of: old))
        #expect(DayFormat.version == 1)
        #expect(DayFormat.format.applicationID == 0x536F_5066)
    }

    @Test func theControlDatabaseHasTheSchemaOfVersionTwo() throws {
        let path = scratch.path + "/control.db"
        _ = try ControlStore(DataFolder(scratch.path))
        let columns = try DatabaseEditor.schema(of: path).joined(separator: "\n")
            .replacing(/--[^\n]*/, with: "").replacing(/\s+/, with: " ")
        #expect(
            columns == """
                CREATE TABLE audit ( id INTEGER PRIMARY KEY, time INTEGER NOT NULL, \
                who TEXT NOT NULL, what TEXT NOT NULL) STRICT \
                CREATE TABLE probe ( id TEXT PRIMARY KEY, revision INTEGER NOT NULL, \
                kind TEXT NOT NULL, location TEXT NOT NULL, template TEXT NOT NULL, \
                condition TEXT NOT NULL, service TEXT NOT NULL, instance TEXT NOT NULL, \
                labels BLOB NOT NULL, level TEXT NOT NULL, tag TEXT NOT NULL, \
                reason TEXT NOT NULL, expires INTEGER NOT NULL, hits INTEGER NOT NULL, \
                rate INTEGER NOT NULL, enabled INTEGER NOT NULL, created INTEGER NOT NULL, \
                created_by TEXT NOT NULL) STRICT \
                CREATE TABLE setting ( service TEXT NOT NULL, instance TEXT NOT NULL, \
                enabled INTEGER NOT NULL, hertz REAL NOT NULL, changed INTEGER NOT NULL, \
                PRIMARY KEY (service, instance)) STRICT, WITHOUT ROWID \
                CREATE TABLE token ( id TEXT PRIMARY KEY, name TEXT NOT NULL, role TEXT NOT NULL, \
                digest BLOB NOT NULL, created INTEGER NOT NULL, expires INTEGER, \
                last_used INTEGER) STRICT
                """)
    }

    /// A database as SQL, so that the fixture can be read.
    private static func dump(_ path: String) throws -> String {
        let database = try Database(path, .write, Database.Format.any(path))
        var sql = "-- A day of profiles, schema version 1, as SQL.\n"
        sql += "PRAGMA application_id=\(try database.number("PRAGMA application_id"));\n"
        sql += "PRAGMA user_version=\(try database.number("PRAGMA user_version"));\n"
        for statement in try DatabaseEditor.schema(of: path).sorted(by: >) {
            sql += statement + ";\n"
        }
        let columns = [
            "series": "id, quote(type), quote(labels)", "tree": "id, quote(service)",
            "segment": "tree, first_node, quote(body)",
            "profile": "id, series, start, duration, period, total, tree, quote(body)",
        ]
        for (table, columns) in columns.sorted(by: { $0.key < $1.key }) {
            let values = columns.replacingOccurrences(of: ", ", with: " || ', ' || ")
            let rows = try database.statement("SELECT \(values) FROM \(table)")
            defer { rows.reset() }
            while try rows.step() { sql += "INSERT INTO \(table) VALUES (\(rows.text(0)));\n" }
        }
        return sql
    }
}
