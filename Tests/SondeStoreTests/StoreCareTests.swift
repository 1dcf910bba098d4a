// SPDX-License-Identifier: Apache-2.0
// What keeps a store in order: retention by bytes and rule, figures, check, backup.

import Foundation
import SondeModel
import Synchronization
import Testing

@testable import SondeStore

@Suite(.timeLimit(.minutes(5)))
struct StoreCareTests {
    private let scratch = ScratchFolder()
    private let day: Int64 = 86_400

    private func open(
        _ change: (inout SQLiteProfileStore.Configuration) -> Void = { _ in }
    ) throws -> SQLiteProfileStore {
        var configuration = SQLiteProfileStore.Configuration()
        configuration.now = { Afternoon.second(3600) }
        change(&configuration)
        return try SQLiteProfileStore(DataFolder(scratch.path), configuration: configuration)
    }

    /// Profiles of two services on each of some days before, 30 a day.
    private func fill(_ store: SQLiteProfileStore, days: Range<Int64>) throws {
        for age in days {
            try store.append(
                (0..<30).map { index in
                    try .cpu(
                        "main;f\(age);g\(index) \(index + 1)",
                        service: index.isMultiple(of: 3) ? "noisy" : "quiet",
                        instance: "\(index % 2)",
                        at: Afternoon.second(-age * day + index))
                })
        }
    }

    private var days: [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: scratch.path + "/profiles")) ?? [])
            .filter { $0.hasSuffix(".db") }.sorted()
    }

    @Test func theOldestDaysGoWhenThereAreTooManyBytes() throws {
        let store = try open()
        try fill(store, days: 0..<5)
        let bytes = try store.statistics().bytes
        let told = Mutex<[Removal]>([])
        let full = try {
            // The lock of the folder is the first store's.
            try SQLiteProfileStore(
                store.dataFolder,
                configuration: {
                    var configuration = SQLiteProfileStore.Configuration()
                    configuration.now = { Afternoon.second(3600) }
                    configuration.retentionBytes = bytes / 2
                    configuration.removed = { one in told.withLock { $0.append(one) } }
                    return configuration
                }())
        }()
        #expect(try full.statistics().bytes <= bytes / 2)
        #expect(days.last == "2026-01-31.db")
        #expect(days.count < 5)
        let gone = full.removals
        #expect(
            gone.latest.map(\.day)
                == ["2026-01-27", "2026-01-28", "2026-01-29"].prefix(5 - days.count).map { $0 })
        #expect(gone.latest.allSatisfy { $0.reason == .bytes && $0.profiles == 30 && $0.bytes > 0 })
        #expect(gone.profiles == ["bytes": Int64(30 * (5 - days.count))])
        #expect(told.withLock { $0 } == gone.latest)
    }

    @Test func aRuleRemovesItsSeriesAndNothingElse() throws {
        var ids: Set<ProfileID> = []
        do {
            let store = try open()
            try fill(store, days: 0..<4)
            try store.makeBlocks()
            try store.totals(
                ProfileSelection(.cpu, in: Afternoon.seconds(-4 * day, day)), Reading()
            ) {
                if $0.labels[LabelName.service] == "quiet" { ids.insert($0.id) }
            }
        }
        let store = try open {
            $0.retentionRules = [
                RetentionRule(name: "{service_name=\"noisy\"}", days: 2) {
                    $0.labels[LabelName.service] == "noisy"
                }
            ]
        }
        let range = Afternoon.seconds(-4 * day, day)
        let noisy = ProfileSelection(.cpu, in: range) { $0[LabelName.service] == "noisy" }
        let quiet = ProfileSelection(.cpu, in: range) { $0[LabelName.service] == "quiet" }
        #expect(try store.merge(noisy).profileCount == 20)
        #expect(try store.merge(quiet).profileCount == 80)
        #expect(try store.statistics().services["noisy"]?.profiles == 20)
        #expect(try store.series(in: Afternoon.seconds(-4 * day, -2 * day)).count == 2)
        #expect(store.removals.latest.map(\.profiles) == [10, 10])
        #expect(store.removals.latest.map(\.reason.name) == ["rule", "rule"])
        #expect(store.check().problems.isEmpty)
        // Ids stay, and those that went are not given to others.
        try store.append([
            try .cpu("late 1", service: "quiet", at: Afternoon.second(-3 * day + 100))
        ])
        var now: Set<ProfileID> = []
        try store.totals(quiet, Reading()) { now.insert($0.id) }
        #expect(now.isSuperset(of: ids))
        #expect(now.count == 81)
        try store.maintain()
        #expect(store.removals.latest.count == 2)
        #expect(try store.merge(quiet).profileCount == 81)
    }

    @Test func stacksGoWithTheLastDayThatNamesThem() throws {
        let clock = Mutex(Afternoon.begin)
        var configuration = SQLiteProfileStore.Configuration()
        configuration.retentionDays = 3
        configuration.now = { clock.withLock { $0 } }
        var limits = ProfileWriter.Limits()
        limits.stacks.daysPerEpoch = 2
        let store = try SQLiteProfileStore(DataFolder(scratch.path), configuration, limits)
        for number in 0..<9 as Range<Int64> {
            clock.withLock { $0 = Afternoon.second(number * day) }
            try store.append([try .cpu("main;f\(number) 1", at: Afternoon.second(number * day))])
            try store.maintain()
        }
        #expect(days == ["2026-02-06.db", "2026-02-07.db", "2026-02-08.db"])
        // Of five epochs the three that no day names any more are gone.
        #expect(
            store.stacks.epochs
                == [6, 8].map { Afternoon.second($0 * day).unixMilliseconds })
        let merged = try store.merge(ProfileSelection(.cpu, in: Afternoon.seconds(0, 9 * day)))
        #expect(merged.stacks.folded == "main;f6 1\nmain;f7 1\nmain;f8 1")
    }

    @Test func figuresTellOfEachService() throws {
        let store = try open()
        try fill(store, days: 0..<2)
        let figures = try store.statistics()
        #expect(figures.profiles == 60)
        #expect(figures.times?.from == Afternoon.second(-day))
        #expect(figures.times?.until == Afternoon.second(29))
        let noisy = try #require(figures.services["noisy"])
        #expect(noisy.profiles == 20)
        #expect(noisy.series == 2)
        #expect(noisy.nodes == 1 + 1 + 2 + 20)
        #expect(noisy.bytes > 0 && noisy.stackBytes > 0)
        #expect(figures.services["quiet"]?.profiles == 40)
    }

    @Test func aBackupHoldsWhatWasAcknowledgedAndCanBeServed() throws {
        let store = try open()
        try fill(store, days: 0..<2)
        try store.makeBlocks()
        let target = scratch.path + "-copy/deep"
        defer { try? FileManager.default.removeItem(atPath: scratch.path + "-copy") }
        let isWriting = Atomic(true)
        let writer = Thread {
            var second: Int64 = 100
            while isWriting.load(ordering: .relaxed) {
                try? store.append([.cpu("busy;s\(second) 1", at: Afternoon.second(second))])
                second += 1
            }
        }
        writer.start()
        defer { isWriting.store(false, ordering: .relaxed) }
        let backup = try store.backUp(to: target)
        #expect(backup.databases == 3)
        #expect(backup.bytes > 0)
        let error = try #require(throws: StoreError.self) { try store.backUp(to: target) }
        #expect(error.message.contains("empty or does not exist"))
        #expect(throws: StoreError.self) { try store.backUp(to: "relative") }
        var configuration = SQLiteProfileStore.Configuration()
        configuration.now = { Afternoon.second(3600) }
        let copy = try SQLiteProfileStore(DataFolder(target), configuration: configuration)
        #expect(copy.check().problems.isEmpty)
        let old = ProfileSelection(.cpu, in: Afternoon.seconds(-2 * day, 50))
        #expect(try copy.merge(old).stacks.folded == store.merge(old).stacks.folded)
        try copy.append([try .cpu("after 1")])
    }

    @Test func aCheckSaysWhatIsDamaged() throws {
        let path: String
        do {
            let store = try open { $0.now = { Afternoon.second(86_400 * 2) } }
            try fill(store, days: 0..<1)
            try store.append((0..<700).map { try .cpu("f 1", at: Afternoon.second(60 + $0)) })
            try store.makeBlocks()
            let found = store.check()
            #expect(found.problems.isEmpty)
            #expect(found.profiles == 730)
            #expect(found.databases == 2)
            #expect(found.blocks > 0)
            path = scratch.path + "/profiles/2026-01-31.db"
        }
        try DatabaseEditor.run("UPDATE profile SET total = total + 1 WHERE id = 7", on: path)
        try DatabaseEditor.run("UPDATE block SET profiles = profiles + 1 WHERE id = 1", on: path)
        let store = try open { $0.now = { Afternoon.second(86_400 * 2) } }
        let problems = store.check().problems
        #expect(problems.count == 2, "\(problems)")
        #expect(problems.allSatisfy { $0.contains(path) })
        #expect(problems.contains { $0.contains("profile 7") })
        #expect(problems.contains { $0.contains("is not the sum of its profiles") })
    }
}
