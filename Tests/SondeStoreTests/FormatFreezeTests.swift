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

    @Test func aDayOfVersionOneIsUpgradedAndWrittenTo() throws {
        let folder = try DataFolder(scratch.path)
        try load("day-v1.sql", "2026-01-31.db")
        let store = try SQLiteProfileStore.open(folder, now: Afternoon.second(86_400))
        let selection = ProfileSelection(.cpu, in: Afternoon.around) { $0["instance"] == "1" }
        #expect(
            try store.merge(selection).stacks.folded == LocationTree(folded: Self.stacks).folded)
        #expect(try store.statistics().profiles == 2)
        try store.append([try .cpu("bookmaker+1f0;odds 1;new 1")])
        let whole = try sum(store)
        #expect(whole.profileCount == 3)
        // What is in both kinds of trees is added up, by blocks too.
        try store.append(
            (0..<20).map { try .cpu("bookmaker+1f0;odds 1", at: Afternoon.second($0)) })
        let expected = try sum(store)
        #expect(try store.makeBlocks() > 0)
        #expect(try sum(store).stacks.folded == expected.stacks.folded)
        #expect(try sum(store).profileCount == 23)
        #expect(try blocks(in: "2026-01-31.db") > 0)
    }

    @Test func aDayOfVersionTwoIsReadAndWrittenTo() throws {
        let folder = try DataFolder(scratch.path)
        if ProcessInfo.processInfo.environment["SONDE_BLESS"] != nil {
            try bless(folder)
        }
        try load("day-v2.sql", "2026-01-31.db")
        try load("stacks-v1.sql", "stacks/1.db")
        let store = try SQLiteProfileStore.open(folder)
        #expect(try sum(store).stacks.folded == Self.versionTwo)
        #expect(try sum(store).profileCount == 12)
        #expect(try blocks(in: "2026-01-31.db") > 0)
        var ids: Set<String> = []
        try store.totals(ProfileSelection(.cpu, in: Afternoon.around), Reading()) {
            ids.insert($0.id.description)
        }
        #expect(ids.contains("00005004-0000-8000-8000-00000000000c"), "\(ids)")
        var span = ProfileSelection(.cpu, in: Afternoon.around)
        span.spans = [SpanID(7)]
        #expect(try store.merge(span).stacks.folded == "bookmaker+1f0 3")
        try store.append([try .cpu("bookmaker+1f0;odds 1;new 1")])
        #expect(try sum(store).profileCount == 13)
    }

    /// What the stored day of version two holds.
    private static let versionTwo = """
        bookmaker+1f0 9
        bookmaker+1f0;odds 70
        bookmaker+1f0;odds;libc+30 20
        """

    private func bless(_ folder: DataFolder) throws {
        do {
            let store = try SQLiteProfileStore.open(folder, now: Afternoon.second(3600))
            try store.append(
                (0..<10).map {
                    try .cpu(
                        "bookmaker+1f0;odds 7\nbookmaker+1f0;odds;libc+30 2",
                        at: Afternoon.second($0))
                })
            try store.makeBlocks()
            var profile = try Profile.cpu("bookmaker+1f0 8", at: Afternoon.second(1000))
            profile.spans = [
                SpanStacks(
                    span: SpanID(7), trace: TraceID(high: 1, low: 2),
                    stacks: LocationTree(folded: "bookmaker+1f0 3"))
            ]
            try store.append([profile, .cpu("bookmaker+1f0 1", instance: "2")])
        }
        let stacks = try #require(
            FileManager.default.contentsOfDirectory(atPath: scratch.path + "/profiles/stacks")
                .first { $0.hasSuffix(".db") })
        try DatabaseEditor.run(
            "UPDATE tree SET epoch = 1", on: scratch.path + "/profiles/2026-01-31.db")
        for (file, fixture) in [
            ("2026-01-31.db", "day-v2.sql"), ("stacks/\(stacks)", "stacks-v1.sql"),
        ] {
            try Self.dump(scratch.path + "/profiles/" + file).write(
                to: Self.fixtures.appendingPathComponent(fixture), atomically: true,
                encoding: .utf8)
        }
        try FileManager.default.removeItem(atPath: scratch.path + "/profiles")
    }

    private func sum(_ store: SQLiteProfileStore) throws -> MergedStacks {
        try store.merge(ProfileSelection(.cpu, in: Afternoon.around))
    }

    private func blocks(in file: String) throws -> Int64 {
        let path = scratch.path + "/profiles/" + file
        return try Database(path, .read, Database.Format.any(path)).number(
            "SELECT count(*) FROM block")
    }

    /// Makes a database from its SQL.
    private func load(_ fixture: String, _ file: String) throws {
        let path = scratch.path + "/profiles/" + file
        try FileManager.default.createDirectory(
            atPath: scratch.path + "/profiles/stacks", withIntermediateDirectories: true)
        let sql = try String(
            contentsOf: Self.fixtures.appendingPathComponent(fixture), encoding: .utf8)
        try DatabaseEditor.run(sql, on: path)
    }

    @Test(arguments: [("day-v2.sql", DayFormat.format), ("stacks-v1.sql", StackFormat.format)])
    func theSchemasAreTheStoredOnes(fixture: String, format: Database.Format) throws {
        try load(fixture, "old.db")
        let new = scratch.path + "/new.db"
        _ = try Database(new, .write, format)
        #expect(
            try DatabaseEditor.schema(of: new)
                == DatabaseEditor.schema(of: scratch.path + "/profiles/old.db"))
    }

    @Test func anUpgradedDayHasTheTablesOfANewOne() throws {
        try load("day-v1.sql", "2026-01-31.db")
        let old = scratch.path + "/profiles/2026-01-31.db"
        _ = try Database(old, .write, DayFormat.format)
        let new = scratch.path + "/new.db"
        _ = try Database(new, .write, DayFormat.format)
        // Comments beside columns may differ.
        func tables(_ path: String) throws -> [String] {
            try DatabaseEditor.schema(of: path).map {
                $0.replacing(/--[^\n]*/, with: "").replacing(/\s+/, with: " ")
            }
        }
        #expect(try tables(old) == tables(new))
        #expect(DayFormat.version == 2)
        #expect(DayFormat.format.applicationID == 0x536F_5066)
        #expect(StackFormat.version == 1)
        #expect(StackFormat.format.applicationID == 0x536F_5374)
    }

    @Test func theControlDatabaseHasTheSchemaOfVersionFive() throws {
        let path = scratch.path + "/control.db"
        _ = try ControlStore(DataFolder(scratch.path))
        let columns = try DatabaseEditor.schema(of: path).joined(separator: "\n")
            .replacing(/--[^\n]*/, with: "").replacing(/\s+/, with: " ")
        #expect(
            columns == """
                CREATE TABLE adhoc_profile ( number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, \
                tenant TEXT NOT NULL, name TEXT NOT NULL, uploaded INTEGER NOT NULL, \
                file BLOB NOT NULL) STRICT \
                CREATE TABLE audit ( id INTEGER PRIMARY KEY, time INTEGER NOT NULL, \
                who TEXT NOT NULL, what TEXT NOT NULL) STRICT \
                CREATE TABLE plugin_setting ( tenant TEXT NOT NULL, name TEXT NOT NULL, \
                value TEXT NOT NULL, modified INTEGER NOT NULL, PRIMARY KEY (tenant, name)) \
                STRICT, WITHOUT ROWID \
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
                CREATE TABLE tenant_limit ( tenant TEXT NOT NULL, name TEXT NOT NULL, \
                value INTEGER NOT NULL, PRIMARY KEY (tenant, name)) STRICT, WITHOUT ROWID \
                CREATE TABLE token ( id TEXT PRIMARY KEY, name TEXT NOT NULL, role TEXT NOT NULL, \
                digest BLOB NOT NULL, created INTEGER NOT NULL, expires INTEGER, \
                last_used INTEGER) STRICT
                """)
    }

    /// A database as SQL, so that the fixture can be read.
    private static func dump(_ path: String) throws -> String {
        let database = try Database(path, .write, Database.Format.any(path))
        var sql = "-- A database of profiles, as SQL.\n"
        sql += "PRAGMA application_id=\(try database.number("PRAGMA application_id"));\n"
        sql += "PRAGMA user_version=\(try database.number("PRAGMA user_version"));\n"
        for statement in try DatabaseEditor.schema(of: path).sorted(by: >) {
            sql += statement + ";\n"
        }
        let tables = try database.statement(
            "SELECT t.name, group_concat('quote(' || c.name || ')', ' || '', '' || ') "
                + "FROM sqlite_schema AS t, pragma_table_info(t.name) AS c "
                + "WHERE t.type = 'table' GROUP BY t.name ORDER BY t.name")
        var columns: [(table: String, columns: String)] = []
        while try tables.step() { columns.append((tables.text(0), tables.text(1))) }
        tables.reset()
        for (table, columns) in columns {
            let rows = try database.statement("SELECT \(columns) FROM \(table)")
            defer { rows.reset() }
            while try rows.step() { sql += "INSERT INTO \(table) VALUES (\(rows.text(0)));\n" }
        }
        return sql
    }
}
