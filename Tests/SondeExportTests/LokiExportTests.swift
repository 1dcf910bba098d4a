// SPDX-License-Identifier: Apache-2.0
// Lines reach the other store exactly once, whatever it answers, or are counted.

import Foundation
import SondeExport
import SondeModel
import SondeStore
import SondeTestServer
import SondeWire
import Synchronization
import Testing

@Suite struct LokiExportTests {
    private let folder = ScratchFolder()

    private func spool(bytes: Int64 = 1 << 30) throws -> ExportSpool {
        try ExportSpool(DataFolder(folder.path), name: "loki", maximumBytes: bytes)
    }

    private func settings(_ store: StandInStore) -> LokiExportSettings {
        var settings = LokiExportSettings(url: "http://127.0.0.1:\(store.server.port)")
        settings.target.firstBackoffSeconds = 0.01
        settings.target.longestBackoffSeconds = 0.05
        settings.target.batchSeconds = 0.001
        settings.target.timeoutSeconds = 2
        return settings
    }

    @Test(arguments: LokiExportSettings.Format.allCases)
    func linesArriveAsTheyWere(format: LokiExportSettings.Format) throws {
        let store = try StandInStore()
        var settings = settings(store)
        settings.format = format
        settings.target.tenant = "night"
        settings.target.username = "sonde"
        settings.target.password = "a:b"
        let export = try LokiExport(settings, spool: spool()) { _ in }
        let streams = [
            try LogStream.numbered(0..<3, level: "info"),
            try LogStream.numbered(3..<5, level: "warn \"x\\y\"\n"),
        ]
        try export.append(streams, now: .now)
        export.start()
        defer { export.stop() }
        #expect(eventually { store.lines.count == 5 })
        #expect(store.lines == [0, 1, 2, 3, 4])
        #expect(Set(store.streams) == Set(streams.map(\.labels)))
        let request = try #require(store.server.requests.first)
        #expect(request.target == "/loki/api/v1/push")
        #expect(request.headers["x-scope-orgid"] == "night")
        #expect(request.headers["authorization"] == "Basic c29uZGU6YTpi")
        #expect(eventually { export.figures.sent == 5 && export.figures.waiting.lines == 0 })
    }

    @Test func badDaysCostNoLine() throws {
        let store = try StandInStore()
        let export = try LokiExport(settings(store), spool: spool()) { _ in }
        let badDays: [TestAnswer] = [
            .respond(429, body: Array("slow down".utf8)), .respond(500), .reset, .resetInBody,
            .respond(503), .raw(Array("nonsense\r\n\r\n".utf8)), .hang,
        ]
        store.misbehave(badDays)
        export.start()
        defer { export.stop() }
        for start in stride(from: 0, to: 1000, by: 10) {
            try export.append([try .numbered(start..<start + 10)], now: .now)
        }
        #expect(eventually { export.figures.sent == 1000 })
        #expect(store.lines == Array(0..<1000))
        #expect(store.badDaysLeft == 0)
        // The client itself sends once more where a kept connection turns out to be closed.
        #expect(export.figures.retries >= 5)
        #expect(export.figures.problem == nil)
        #expect(export.figures.refused.isEmpty)
    }

    @Test func whatIsRefusedForGoodIsCountedAndNotSentAgain() throws {
        let store = try StandInStore()
        let notes = Notes()
        let export = try LokiExport(settings(store), spool: spool()) { notes.add($0) }
        store.misbehave([.respond(400, body: Array("entry too old\nmore".utf8))])
        try export.append([try .numbered(0..<7)], now: .now)
        export.start()
        defer { export.stop() }
        #expect(eventually { export.figures.refused == ["400": 7] })
        try export.append([try .numbered(7..<9)], now: .now)
        #expect(eventually { store.lines == [7, 8] })
        #expect(notes.all == ["lost 7 lines: got status 400 (entry too old); want 204"])
    }

    @Test func whatWaitsSurvivesARestart() throws {
        let store = try StandInStore()
        store.misbehave(Array(repeating: .respond(500), count: 1000))
        do {
            let export = try LokiExport(settings(store), spool: spool()) { _ in }
            try export.append([try .numbered(0..<100)], now: .now)
            export.start()
            #expect(eventually { export.figures.problem != nil })
            export.stop()
        }
        store.misbehave([])
        let export = try LokiExport(settings(store), spool: #require(reopened())) { _ in }
        #expect(export.figures.waiting.lines == 100)
        export.start()
        defer { export.stop() }
        #expect(eventually { store.lines.count == 100 })
    }

    @Test func whatBecameOfLinesIsStillKnownAfterARestart() throws {
        let store = try StandInStore()
        store.misbehave([.respond(400)])
        do {
            let export = try LokiExport(settings(store), spool: spool(bytes: 3000)) { _ in }
            try export.append([try .numbered(0..<10)], now: .now)
            export.start()
            #expect(eventually { export.figures.refused == ["400": 10] })
            try export.append([try .numbered(10..<15)], now: .now)
            #expect(eventually { export.figures.sent == 5 })
            export.stop()
            // Nobody sends now, and the queue holds some twenty of them.
            for number in 20..<100 {
                try export.append([.numbered(number..<number + 1)], now: .now)
            }
        }
        let spool = try #require(reopened())
        let figures = try LokiExport(settings(store), spool: spool) { _ in }.figures
        #expect(figures.refused == ["400": 10] && figures.sent == 5)
        #expect(figures.waiting.droppedLines > 0)
        #expect(Int(figures.waiting.droppedLines) + figures.waiting.lines == 80)
    }

    @Test func aQueueOfTheFirstVersionIsTakenOver() throws {
        let made = Process()
        made.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        made.arguments = [
            "python3", "-c",
            """
            import sqlite3, sys
            sqlite3.connect(sys.argv[1]).executescript(
                "PRAGMA application_id=1399801208; PRAGMA user_version=1;"
                "CREATE TABLE entry (id INTEGER PRIMARY KEY AUTOINCREMENT, came INTEGER NOT NULL,"
                "    lines INTEGER NOT NULL, body BLOB NOT NULL) STRICT;"
                "INSERT INTO entry (came, lines, body) VALUES (7, 3, x'0A00');")
            """, folder.path + "/export-loki.db",
        ]
        try made.run()
        made.waitUntilExit()
        let spool = try spool()
        #expect(spool.size.lines == 3 && spool.counts.isEmpty)
        let batch = try #require(try spool.oldest(maximumBytes: 100))
        #expect(batch.body == [0x0A, 0] && batch.lines == 3)
        try spool.remove(through: batch.last, countingAs: "sent")
        #expect(spool.counts == ["sent": 3] && spool.size.entries == 0)
    }

    /// The queue again, as soon as the thread that sent has let go of the folder.
    private func reopened() -> ExportSpool? {
        var again: ExportSpool?
        _ = eventually {
            again = try? spool()
            return again != nil
        }
        return again
    }

    @Test func aFullQueueLosesTheOldestAndSaysSo() throws {
        let spool = try spool(bytes: 20_000)
        let store = try StandInStore()
        let export = try LokiExport(settings(store), spool: spool) { _ in }
        for start in stride(from: 0, to: 2000, by: 10) {
            try export.append([try .numbered(start..<start + 10)], now: .now)
        }
        let waiting = export.figures.waiting
        #expect(waiting.bytes <= 20_000)
        #expect(waiting.lines + Int(waiting.droppedLines) == 2000)
        #expect(waiting.droppedLines > 0)
        export.start()
        defer { export.stop() }
        #expect(eventually { export.figures.waiting.lines == 0 })
        #expect(store.lines == Array(Int(waiting.droppedLines)..<2000))
        let error = #expect(throws: StoreError.self) {
            try export.append([try .numbered(0..<2000)], now: .now)
        }
        #expect(error?.code == .tooLarge)
    }

    @Test func storesThatAreAwayAreReportedOnce() throws {
        let notes = Notes()
        var settings = LokiExportSettings(url: "http://127.0.0.1:9")
        settings.target.firstBackoffSeconds = 0.005
        settings.target.longestBackoffSeconds = 0.01
        let export = try LokiExport(settings, spool: spool()) { notes.add($0) }
        try export.append([try .numbered(0..<1)], now: .now)
        export.start()
        #expect(eventually { export.figures.retries > 5 })
        export.stop()
        #expect(notes.all.count == 1)
        #expect(notes.all.first?.contains("wait on disk") == true)
    }
}

/// Collects sentences.
private final class Notes: Sendable {
    private let lines = Mutex<[String]>([])
    func add(_ line: String) { lines.withLock { $0.append(line) } }
    var all: [String] { lines.withLock { $0 } }
}
