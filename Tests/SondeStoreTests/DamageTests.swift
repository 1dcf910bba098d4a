// SPDX-License-Identifier: Apache-2.0
// Damaged files: said clearly, never a crash, and never in the way of other days.

import Foundation
import SondeModel
import SondeStore
import Testing

@Suite(.timeLimit(.minutes(5)))
struct DamageTests {
    private let scratch = ScratchFolder()
    private var today: String { scratch.path + "/profiles/2026-01-31.db" }

    /// Two days with a profile each.
    private func fill() throws {
        let store = try SQLiteProfileStore.open(DataFolder(scratch.path))
        let lines = (0..<200).map { "main+1;work+\(String($0, radix: 16));deep\($0) \($0 + 1)" }
        try store.append([
            try .cpu(lines.joined(separator: "\n")), try .cpu("g 2", at: Afternoon.second(-86_400)),
        ])
    }

    @Test(arguments: [0, 100, 4096, 20_000])
    func aDamagedDayIsNamedAndOthersStayReadable(offset: Int) throws {
        try fill()
        var bytes = try Data(contentsOf: URL(fileURLWithPath: today))
        bytes.replaceSubrange(offset..<offset + 4000, with: Data(repeating: 0xA5, count: 4000))
        try bytes.write(to: URL(fileURLWithPath: today))
        let store = try SQLiteProfileStore.open(DataFolder(scratch.path))
        let error = try #require(throws: StoreError.self) {
            _ = try store.merge(ProfileSelection(.cpu, in: Afternoon.around))
            _ = try store.series(in: Afternoon.around)
        }
        #expect(error.code == .corrupt, "\(error)")
        #expect(error.message.contains(today), "\(error)")
        let yesterday = try store.merge(
            ProfileSelection(.cpu, in: Afternoon.seconds(-86_400, -86_000)))
        #expect(yesterday.stacks.folded == "g 2")
        try store.append([try .cpu("h 3", at: Afternoon.second(-86_300))])
        let more = try store.merge(ProfileSelection(.cpu, in: Afternoon.seconds(-86_400, -86_000)))
        #expect(more.stacks.folded == "g 2\nh 3")
    }

    @Test func aFileOfAnotherKindOrVersionIsRefused() throws {
        try fill()
        for (sql, want) in [
            ("PRAGMA user_version=99", "schema version 99"),
            ("PRAGMA application_id=7", "of another kind"),
        ] {
            try DatabaseEditor.run(sql, on: today)
            let store = try SQLiteProfileStore.open(DataFolder(scratch.path))
            let error = try #require(throws: StoreError.self) { try store.append([.cpu("f 1")]) }
            #expect(error.code == .corrupt)
            #expect(error.message.contains(want), "\(error)")
        }
    }

    @Test func randomlyDamagedFilesNeverCrashTheReader() throws {
        try fill()
        let whole = try Data(contentsOf: URL(fileURLWithPath: today))
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<150 {
            var bytes = whole
            for _ in 0..<Int.random(in: 1...40, using: &generator) {
                let place = Int.random(in: 100..<bytes.count, using: &generator)
                bytes[place] = UInt8.random(in: 0...255, using: &generator)
            }
            if Bool.random(using: &generator) {
                bytes = bytes.prefix(Int.random(in: 0..<bytes.count, using: &generator))
            }
            try bytes.write(to: URL(fileURLWithPath: today))
            // The store may answer something wrong or an error; it must come back.
            let store = try SQLiteProfileStore.open(DataFolder(scratch.path))
            _ = try? store.merge(ProfileSelection(.cpu, in: Afternoon.around))
            _ = try? store.series(in: Afternoon.around)
            _ = try? store.timeline(
                ProfileSelection(.cpu, in: Afternoon.around),
                steps: TimelineSteps(lengthNanoseconds: 1000, origin: Afternoon.begin))
            _ = try? store.append([.cpu("main+1;new 5")])
            for suffix in ["-wal", "-shm"] { unlink(today + suffix) }
        }
    }
}
