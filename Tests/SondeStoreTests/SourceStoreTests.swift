// SPDX-License-Identifier: Apache-2.0
// Uploaded source files: by build, each text once, within a limit, and there after a restart.

import Foundation
import SondeFormats
import SondeModel
import Testing

@testable import SondeStore

@Suite struct SourceStoreTests {
    private let scratch = ScratchFolder()
    private static let one = build(1)
    private static let two = build(2)
    private static let three = build(3)

    private static func build(_ number: UInt8) -> BuildID {
        guard let id = BuildID(bytes: [number, number, number, number]) else {
            preconditionFailure("four bytes are a build id")
        }
        return id
    }

    private func open(limit: Int64 = 1 << 20) throws -> SourceStore {
        try SourceStore(DataFolder(scratch.path), limitBytes: limit)
    }

    private static func bundle(_ files: [String: String]) -> SourceBundle {
        SourceBundle(
            files.sorted { $0.key < $1.key }.map {
                .init(path: $0.key, bytes: Array($0.value.utf8), modified: 7)
            })
    }

    private static func facts(_ buildID: BuildID, built: Int64? = nil) -> SourceStore.Facts {
        .init(
            buildID: buildID, service: "shop", who: "ci (t1)", received: Afternoon.begin,
            built: built)
    }

    /// Text that cannot be made much smaller.
    private static func noise(_ seed: UInt64, count: Int) -> String {
        var state = seed
        return String(
            decoding: (0..<count).map { _ -> UInt8 in
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                return UInt8(33 + (state >> 33) % 90)
            }, as: UTF8.self)
    }

    private func text(_ store: SourceStore, _ path: String, _ id: BuildID) throws -> String? {
        try store.file(path, of: id).map { String(decoding: $0.bytes, as: UTF8.self) }
    }

    @Test func theLongestEndOfARecordedPathIsTaken() throws {
        do {
            let store = try open()
            let gone = try store.keep(
                Self.bundle([
                    "Cart.swift": "nearer", "Sources/App/Cart.swift": "cart",
                    ".build/checkouts/x/X.swift": "x",
                ]), Self.facts(Self.one, built: 9))
            #expect(gone.isEmpty)
        }
        // What was acknowledged is there when the folder is opened again.
        let store = try open()
        #expect(try text(store, "/build/app/Sources/App/Cart.swift", Self.one) == "cart")
        #expect(try text(store, "/build/App/Cart.swift", Self.one) == "nearer")
        #expect(try text(store, "/b/.build/checkouts/x/X.swift", Self.one) == "x")
        #expect(try text(store, "/build/Basket.swift", Self.one) == nil)
        #expect(try text(store, "Cart.swift", Self.two) == nil)
        for path in ["", "/", "..", "../Cart.swiftx", String(repeating: "a/", count: 5000)] {
            #expect(try text(store, path, Self.one) == nil)
        }
        let found = try #require(try store.file("Cart.swift", of: Self.one))
        #expect(found.facts == Self.facts(Self.one, built: 9) && found.modified == 7)
        #expect(found.md5 == MessageDigest.md5(Array("nearer".utf8)))
    }

    @Test func aTextIsKeptOnceHoweverManyBuildsHaveIt() throws {
        let store = try open()
        let shared = Self.noise(1, count: 10_000)
        _ = try store.keep(Self.bundle(["A.swift": shared, "B.swift": "b"]), Self.facts(Self.one))
        let before = try store.figures()
        _ = try store.keep(
            Self.bundle(["A.swift": shared, "Copy.swift": shared]), Self.facts(Self.two))
        let after = try store.figures()
        #expect(after.texts == 2 && after.files == 4 && after.bundles == 2)
        #expect(after.bytes - before.bytes < 1000)
        #expect(after.textBytes == 30_001)
        try store.remove(Self.one)
        #expect(try text(store, "A.swift", Self.two) == shared)
        #expect(try store.figures().texts == 1)
        try store.remove(Self.two)
        #expect(try store.figures() == SourceStore.Figures())
        #expect(throws: StoreError.self) { try store.remove(Self.two) }
    }

    @Test func aSecondBundleOfABuildTakesThePlaceOfTheFirst() throws {
        let store = try open()
        _ = try store.keep(Self.bundle(["A.swift": "old", "B.swift": "b"]), Self.facts(Self.one))
        _ = try store.keep(Self.bundle(["A.swift": "new"]), Self.facts(Self.one))
        #expect(try text(store, "A.swift", Self.one) == "new")
        #expect(try text(store, "B.swift", Self.one) == nil)
        #expect(try store.figures().texts == 1)
        let list = try store.list()
        #expect(list.count == 1 && list.first?.files == 1 && list.first?.bytes == 3)
    }

    @Test func theOldestGoWhenThereAreTooManyBytes() throws {
        let store = try open(limit: 25_000)
        for (seed, id) in [(1, Self.one), (2, Self.two)] {
            let gone = try store.keep(
                Self.bundle(["A.swift": Self.noise(UInt64(seed), count: 10_000)]), Self.facts(id))
            #expect(gone.isEmpty)
        }
        // Sent again, the first is the youngest.
        _ = try store.keep(
            Self.bundle(["A.swift": Self.noise(1, count: 10_000)]), Self.facts(Self.one))
        let gone = try store.keep(
            Self.bundle(["A.swift": Self.noise(3, count: 10_000)]), Self.facts(Self.three))
        #expect(gone == [Self.two])
        #expect(try store.list().map(\.facts.buildID) == [Self.three, Self.one])
        let figures = try store.figures()
        #expect(figures.removed == 1 && figures.bytes <= 25_000)
        // One that alone is too large changes nothing.
        let large = Self.bundle(["A.swift": Self.noise(4, count: 40_000)])
        let error = #expect(throws: StoreError.self) {
            try store.keep(large, Self.facts(Self.two))
        }
        #expect(error?.code == .tooLarge)
        #expect(error?.message.contains("compressed; want at most 25000") == true)
        #expect(try store.list().count == 2)
    }

    @Test func manySmallEntriesCountToo() throws {
        let store = try open(limit: 20_000)
        let many = Dictionary(uniqueKeysWithValues: (0..<100).map { ("f\($0).swift", "x") })
        for index in 0..<10 {
            _ = try store.keep(Self.bundle(many), Self.facts(Self.build(UInt8(index))))
        }
        let figures = try store.figures()
        #expect(figures.bundles == 2 && figures.removed == 8 && figures.texts == 1)
    }

    @Test func anEmptyBundleIsRefused() throws {
        let error = #expect(throws: StoreError.self) {
            try open().keep(SourceBundle([]), Self.facts(Self.one))
        }
        #expect(error?.code == .rejected)
    }

    @Test func aBackupHasThem() throws {
        let folder = try DataFolder(scratch.path + "/data")
        let sources = try SourceStore(folder, limitBytes: 1 << 20)
        _ = try sources.keep(Self.bundle(["A.swift": "a"]), Self.facts(Self.one))
        let profiles = try SQLiteProfileStore(folder, configuration: .init())
        _ = try profiles.backUp(to: scratch.path + "/copy")
        let copy = try SourceStore(DataFolder(scratch.path + "/copy"), limitBytes: 1 << 20)
        #expect(try text(copy, "A.swift", Self.one) == "a")
    }

    @Test func theFormatIsTheStoredOne() throws {
        let fixture = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("Fixtures/sources-v1.sql")
        let path = scratch.path + "/sources.db"
        if ProcessInfo.processInfo.environment["SONDE_BLESS"] != nil {
            do {
                _ = try open().keep(
                    Self.bundle(["A.swift": "a", "B.swift": String(repeating: "b", count: 200)]),
                    Self.facts(Self.one, built: 9))
            }
            try Self.dump(path).write(to: fixture, atomically: true, encoding: .utf8)
            for name in try FileManager.default.contentsOfDirectory(atPath: scratch.path) {
                try FileManager.default.removeItem(atPath: scratch.path + "/" + name)
            }
        }
        try DatabaseEditor.run(String(contentsOf: fixture, encoding: .utf8), on: path)
        let store = try open()
        #expect(try text(store, "A.swift", Self.one) == "a")
        #expect(try text(store, "B.swift", Self.one)?.count == 200)
        #expect(try store.list().first?.facts == Self.facts(Self.one, built: 9))
        let new = scratch.path + "/new.db"
        _ = try Database(new, .write, SourceStore.format)
        #expect(try DatabaseEditor.schema(of: new) == DatabaseEditor.schema(of: path))
        #expect(SourceStore.format.version == 1)
        #expect(SourceStore.format.applicationID == 0x536F_5372)
    }

    /// A database as SQL, so that the fixture can be read.
    private static func dump(_ path: String) throws -> String {
        let database = try Database(path, .write, Database.Format.any(path))
        var sql = "-- Source files of builds, schema version 1, as SQL.\n"
        sql += "PRAGMA application_id=\(try database.number("PRAGMA application_id"));\n"
        sql += "PRAGMA user_version=\(try database.number("PRAGMA user_version"));\n"
        for statement in try DatabaseEditor.schema(of: path).sorted(by: >) {
            sql += statement + ";\n"
        }
        for (table, columns) in [
            ("text", "id, quote(sha256), quote(md5), bytes, size, quote(body)"),
            (
                "bundle",
                "id, quote(build_id), quote(service), quote(who), received, built, entries"
            ),
            ("file", "bundle, quote(path), text, modified"),
        ] {
            let values = columns.replacingOccurrences(of: ", ", with: " || ', ' || ")
            let rows = try database.statement("SELECT \(values) FROM \(table)")
            defer { rows.reset() }
            while try rows.step() { sql += "INSERT INTO \(table) VALUES (\(rows.text(0)));\n" }
        }
        return sql
    }
}
