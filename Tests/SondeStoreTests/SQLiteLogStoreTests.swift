// SPDX-License-Identifier: Apache-2.0
// Lines in, lines out: order, ranges, duplicates, chunks, streams, retention.

import Foundation
import SondeModel
import Synchronization
import Testing

@testable import SondeStore

extension SQLiteLogStore {
    /// A store whose clock stands on that afternoon, with small chunks.
    static func open(
        _ folder: DataFolder, retentionDays: Int? = nil, streams: Int = 5000,
        now: Timestamp = Afternoon.second(600)
    ) throws -> SQLiteLogStore {
        var configuration = Configuration()
        configuration.retentionDays = retentionDays
        configuration.now = { now }
        var limits = LogDayWriter.Limits()
        limits.streams = streams
        limits.chunkEntries = 50
        limits.smallChunks = 8
        return try SQLiteLogStore(folder, configuration, limits)
    }

    /// The lines of a range in their order.
    func lines(
        _ range: TimeRange = Afternoon.around, newestFirst: Bool = false, limit: Int = 100_000,
        where matches: @escaping (LabelSet) -> Bool = { _ in true }
    ) throws -> [String] {
        var request = LogRead(range, limit: limit, where: matches)
        request.newestFirst = newestFirst
        var lines: [String] = []
        try read(request) { _, entry in
            lines.append(entry.line)
            return lines.count < limit
        }
        return lines
    }
}

extension LogStream {
    /// Lines of a service, each at a second of the afternoon.
    static func of(_ service: String, _ lines: [(Int64, String)]) -> LogStream {
        LogStream(
            labels: LabelSet().setting(LabelName.service, to: service),
            entries: lines.map { LogEntry(time: Afternoon.second($0.0), line: $0.1) })
    }
}

@Suite(.timeLimit(.minutes(5)))
struct SQLiteLogStoreTests {
    private let scratch = ScratchFolder()

    @Test func linesComeBackInOrderOfTimeWhateverTheirOrder() throws {
        let store = try SQLiteLogStore.open(DataFolder(scratch.path))
        try store.append([.of("a", [(5, "a5"), (1, "a1"), (3, "a3")])])
        try store.append([.of("b", [(4, "b4"), (2, "b2")]), .of("a", [(0, "a0")])])
        #expect(try store.lines() == ["a0", "a1", "b2", "a3", "b4", "a5"])
        #expect(try store.lines(newestFirst: true) == ["a5", "b4", "a3", "b2", "a1", "a0"])
        #expect(try store.lines(newestFirst: true, limit: 2) == ["a5", "b4"])
        #expect(try store.lines(Afternoon.seconds(1, 3)) == ["a1", "b2", "a3"])
        #expect(try store.lines { $0[LabelName.service] == "b" } == ["b2", "b4"])
    }

    @Test func whatIsReadIsWhatWasWritten() throws {
        let metadata = try LabelSet([
            Label(name: "trace_id", value: "ab"), Label(name: "v_total", value: "1\n2 \u{0} ü"),
        ])
        let labels = try LabelSet([
            Label(name: "service_name", value: "shop"), Label(name: "level", value: "info"),
        ])
        let stream = LogStream(
            labels: labels,
            entries: [
                LogEntry(time: Afternoon.second(1), line: "", metadata: metadata),
                LogEntry(time: Afternoon.second(2), line: "two\nlines", metadata: LabelSet()),
            ])
        let folder = try DataFolder(scratch.path)
        try SQLiteLogStore.open(folder).append([stream])
        var found = LogStream(labels: LabelSet())
        var request = LogRead(Afternoon.around, limit: 10) { _ in true }
        request.newestFirst = false
        try SQLiteLogStore.open(folder).read(request) { labels, entry in
            found.labels = labels
            found.entries.append(entry)
            return true
        }
        #expect(found == stream)
    }

    @Test func aLineIsKeptOnceHoweverOftenItIsSent() throws {
        let folder = try DataFolder(scratch.path)
        let store = try SQLiteLogStore.open(folder)
        let stream = LogStream.of("a", [(1, "x"), (1, "y"), (1, "x"), (2, "x")])
        try store.append([stream])
        try store.append([stream, stream])
        try store.append([.of("b", [(1, "x")])])
        #expect(try store.lines() == ["x", "y", "x", "x"])
        // Another process knows nothing of what was written before, but the disk does.
        try SQLiteLogStore.open(folder).append([stream])
        #expect(try store.lines().count == 4)
        #expect(try store.statistics().entries == 4)
        let other = LabelSet().setting("k", to: "v")
        var changed = stream
        changed.entries = [LogEntry(time: Afternoon.second(1), line: "x", metadata: other)]
        try store.append([changed])
        #expect(try store.lines().count == 5, "other metadata make another line")
    }

    @Test func duplicatesAreFoundBeyondWhatIsRemembered() throws {
        let store = try SQLiteLogStore.open(DataFolder(scratch.path))
        // More than two generations of hashes.
        let many = (0..<10_000).map { (Int64($0 % 600), "line \($0)") }
        for begin in stride(from: 0, to: many.count, by: 500) {
            try store.append([.of("a", Array(many[begin..<begin + 500]))])
        }
        try store.append([.of("a", Array(many[0..<700] + many[9300...] + [(1, "new")]))])
        let lines = try store.lines()
        #expect(lines.count == 10_001)
        #expect(Set(lines).count == 10_001)
    }

    @Test func linesOfOneTimeStayInOrderOfReceiptThroughChunks() throws {
        let store = try SQLiteLogStore.open(DataFolder(scratch.path))
        for number in 0..<300 { try store.append([.of("a", [(7, "\(number)")])]) }
        #expect(try store.lines() == (0..<300).map { "\($0)" })
        #expect(
            try store.lines(newestFirst: true, limit: 5) == (295..<300).reversed().map { "\($0)" })
        let figures = try store.figures(in: Afternoon.around) { _ in true }
        #expect(figures.entries == 300)
        #expect(figures.chunks < 300 / 8 + 8, "small chunks become large ones")
        #expect(figures.streams == 1)
        #expect(figures.bytes == 10 + 90 * 2 + 200 * 3)
    }

    @Test func manyStreamsAndTimesAreMergedAsASortWould() throws {
        let store = try SQLiteLogStore.open(DataFolder(scratch.path))
        var all: [(Int64, String)] = []
        var random = SystemRandomNumberGenerator()
        for batch in 0..<60 {
            var streams: [LogStream] = []
            for service in ["a", "b", "c"] {
                let lines = (0..<Int.random(in: 0...30, using: &random)).map {
                    (Int64.random(in: 0...86_000, using: &random), "\(service)\(batch)-\($0)")
                }
                all += lines
                streams.append(.of(service, lines))
            }
            try store.append(streams)
        }
        let times = Dictionary(uniqueKeysWithValues: all.map { ($0.1, $0.0) })
        for newestFirst in [false, true] {
            let lines = try store.lines(newestFirst: newestFirst)
            #expect(Set(lines) == Set(times.keys))
            let ordered = lines.compactMap { times[$0] }
            #expect(ordered == ordered.sorted(by: newestFirst ? (>) : (<)))
        }
        let range = Afternoon.seconds(20_000, 50_000)
        let wanted = all.filter { (20_000...50_000).contains($0.0) }.map(\.1)
        #expect(try Set(store.lines(range)) == Set(wanted))
    }

    @Test func aSubscriberGetsNewLinesAndNoDuplicates() throws {
        let store = try SQLiteLogStore.open(DataFolder(scratch.path))
        let heard = Mutex<[String]>([])
        let subscription = store.subscribe { streams in
            heard.withLock { $0 += streams.flatMap(\.entries).map(\.line) }
        }
        try store.append([.of("a", [(1, "x")]), .of("b", [(1, "y")])])
        try store.append([.of("a", [(1, "x"), (2, "z")])])
        #expect(heard.withLock { $0 } == ["x", "y", "z"])
        subscription.end()
        try store.append([.of("a", [(3, "later")])])
        #expect(heard.withLock { $0 }.count == 3)
    }

    @Test func tooManyStreamsAreRefusedAndTheRestIsStored() throws {
        let store = try SQLiteLogStore.open(DataFolder(scratch.path), streams: 2)
        try store.append([.of("a", [(1, "a")]), .of("b", [(1, "b")])])
        let error = try #require(throws: StoreError.self) {
            try store.append([.of("c", [(1, "c")]), .of("a", [(2, "a2")])])
        }
        #expect(error.code == .exhausted)
        #expect(error.message.contains(#"{service_name="c"}"#))
        #expect(try store.lines() == ["a", "b", "a2"])
    }

    @Test func oldDaysGoAndTimesOutsideAreRefused() throws {
        let folder = try DataFolder(scratch.path)
        do {
            let store = try SQLiteLogStore.open(folder)
            try store.append([.of("a", [(-172_800, "old"), (-86_400, "kept"), (0, "new")])])
            #expect(try store.lines(.always) == ["old", "kept", "new"])
        }
        let store = try SQLiteLogStore.open(folder, retentionDays: 2)
        #expect(try store.lines(.always) == ["kept", "new"])
        #expect(try store.lines(.always, newestFirst: true) == ["new", "kept"])
        let files = try FileManager.default.contentsOfDirectory(atPath: scratch.path + "/logs")
        #expect(!files.contains { $0.hasPrefix("2026-01-29") })
        #expect(store.refusal(of: Afternoon.second(-172_800))?.code == .rejected)
        #expect(store.refusal(of: Afternoon.second(-86_400)) == nil)
        #expect(store.refusal(of: Afternoon.second(1199)) == nil)
        #expect(store.refusal(of: Afternoon.second(1201))?.code == .rejected)
    }

    @Test func streamsAreThoseWithALineInTheRange() throws {
        let store = try SQLiteLogStore.open(DataFolder(scratch.path))
        try store.append([.of("a", [(-86_400, "x")]), .of("b", [(0, "x")]), .of("c", [(100, "x")])])
        let services = { (range: TimeRange) in
            try Set(store.streams(in: range).compactMap { $0[LabelName.service] })
        }
        #expect(try services(Afternoon.around) == ["a", "b", "c"])
        #expect(try services(Afternoon.seconds(0, 99)) == ["b"])
        #expect(try services(Afternoon.seconds(200, 300)) == [])
    }

    @Test func aReadingBeyondItsTimeIsEnded() throws {
        let store = try SQLiteLogStore.open(DataFolder(scratch.path))
        try store.append([.of("a", [(1, "x")])])
        var request = LogRead(Afternoon.around, limit: 1) { _ in true }
        request.deadline = .now - .seconds(1)
        let error = try #require(throws: StoreError.self) {
            try store.read(request) { _, _ in true }
        }
        #expect(error.code == .exhausted)
    }

    @Test func aDamagedDayIsNamedAndOthersStayReadable() throws {
        let folder = try DataFolder(scratch.path)
        do {
            let store = try SQLiteLogStore.open(folder)
            let lines = (0..<3000).map { (Int64($0), "line \($0 &* 2_654_435_761)") }
            try store.append([.of("a", lines), .of("a", [(-86_400, "yesterday")])])
        }
        let today = scratch.path + "/logs/2026-01-31.db"
        for offset in [0, 4096, 20_000] {
            var bytes = try Data(contentsOf: URL(fileURLWithPath: today))
            bytes.replaceSubrange(offset..<offset + 4000, with: Data(repeating: 0xA5, count: 4000))
            try bytes.write(to: URL(fileURLWithPath: today))
            let store = try SQLiteLogStore.open(folder)
            let error = try #require(throws: StoreError.self) {
                _ = try store.lines()
                try store.append([.of("a", [(5, "more")])])
            }
            #expect(error.code == .corrupt, "\(error)")
            #expect(error.message.contains(today), "\(error)")
            #expect(try store.lines(Afternoon.seconds(-86_400, -86_000)) == ["yesterday"])
        }
    }
}
