// SPDX-License-Identifier: Apache-2.0
// Old days go away as whole files; times outside of what is kept are refused.

import Foundation
import SondeModel
import SondeStore
import Synchronization
import Testing

@Suite struct RetentionTests {
    private let scratch = ScratchFolder()
    private let day: Int64 = 86_400

    private var files: [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: scratch.path + "/profiles")) ?? [])
            .filter { $0 != "stacks" }.sorted()
    }

    @Test func daysOlderThanTheRetentionAreRemovedWhenTheStoreIsOpened() throws {
        do {
            let store = try SQLiteProfileStore.open(DataFolder(scratch.path))
            for age in 0..<4 {
                try store.append([try .cpu("f 1", at: Afternoon.second(-Int64(age) * day))])
            }
        }
        #expect(files == ["2026-01-28.db", "2026-01-29.db", "2026-01-30.db", "2026-01-31.db"])
        let store = try SQLiteProfileStore.open(DataFolder(scratch.path), retentionDays: 2)
        #expect(files == ["2026-01-30.db", "2026-01-31.db"])
        #expect(try store.statistics().profiles == 2)
    }

    @Test func daysAreRemovedWhenMidnightHasPassed() throws {
        let clock = Clock()
        var configuration = SQLiteProfileStore.Configuration()
        configuration.retentionDays = 2
        configuration.now = { clock.now.withLock { $0 } }
        let store = try SQLiteProfileStore(DataFolder(scratch.path), configuration: configuration)
        for day in 0..<4 as Range<Int64> {
            let now = Afternoon.second(day * 86_400)
            clock.now.withLock { $0 = now }
            try store.append([try .cpu("f 1", at: now)])
            _ = try store.merge(ProfileSelection(.cpu, in: Afternoon.seconds(-86_400, 864_000)))
        }
        #expect(files.filter { $0.hasSuffix(".db") } == ["2026-02-02.db", "2026-02-03.db"])
        let rest = try store.merge(ProfileSelection(.cpu, in: Afternoon.seconds(-86_400, 864_000)))
        #expect(rest.profileCount == 2)
    }

    private final class Clock: Sendable {
        let now = Mutex(Afternoon.begin)
    }

    @Test func timesOutsideOfWhatIsKeptAreRefused() throws {
        let store = try SQLiteProfileStore.open(DataFolder(scratch.path), retentionDays: 3)
        for (second, want) in [
            (-3 * day, "it begins on 2026-01-28; want 2026-01-29 or later"),
            (2 * day, "it begins on 2026-02-02, but now is 2026-01-31"),
        ] {
            let error = try #require(throws: StoreError.self) {
                try store.append([try .cpu("f 1"), try .cpu("f 1", at: Afternoon.second(second))])
            }
            #expect(error.code == .rejected)
            #expect(error.message.contains(want), "\(error)")
        }
        // All of a refused call is refused.
        #expect(try store.statistics().profiles == 0)
        #expect(files.isEmpty)
        try store.append([try .cpu("f 1", at: Afternoon.second(-2 * day))])
    }

    @Test func profilesOlderThanWhatIsAcceptedAreRefusedThoughOlderOnesAreKept() throws {
        var configuration = SQLiteProfileStore.Configuration()
        configuration.acceptedDays = 2
        configuration.now = { Afternoon.begin }
        let store = try SQLiteProfileStore(DataFolder(scratch.path), configuration: configuration)
        try store.append([try .cpu("f 1", at: Afternoon.second(-day))])
        let error = try #require(throws: StoreError.self) {
            try store.append([try .cpu("f 1", at: Afternoon.second(-2 * day))])
        }
        #expect(error.message.contains("want 2026-01-30 or later, for older ones are not taken"))
    }

    @Test func filesOfOtherNamesAreLeftAlone() throws {
        let folder = scratch.path + "/profiles"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let names = ["2020-13-01.db", "2020-02-30.db", "notes.db", "2020-01-01.db.bak"]
        for name in names { try Data().write(to: URL(fileURLWithPath: "\(folder)/\(name)")) }
        let store = try SQLiteProfileStore.open(DataFolder(scratch.path), retentionDays: 1)
        #expect(files == names.sorted())
        #expect(try store.statistics().profiles == 0)
    }
}
