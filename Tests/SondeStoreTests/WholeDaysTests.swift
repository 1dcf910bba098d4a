// SPDX-License-Identifier: Apache-2.0
// What is remembered of whole days is what their profiles say, whatever comes and goes.

import Foundation
import SondeModel
import Synchronization
import Testing

@testable import SondeStore

@Suite(.timeLimit(.minutes(5)))
struct WholeDaysTests {
    private let scratch = ScratchFolder()
    private static let day: Int64 = 86_400

    /// A store in which twenty days have passed since that afternoon.
    private func open(
        sumsInMemory: Int = 4_000_000,
        _ change: (inout SQLiteProfileStore.Configuration) -> Void = { _ in }
    ) throws -> SQLiteProfileStore {
        var configuration = SQLiteProfileStore.Configuration()
        configuration.retentionDays = nil
        configuration.now = { Afternoon.second(20 * Self.day) }
        configuration.sumsInMemory = sumsInMemory
        change(&configuration)
        return try SQLiteProfileStore(DataFolder(scratch.path), configuration: configuration)
    }

    private func profile(
        _ day: Int64, _ service: String, _ instance: String, _ value: Int
    ) throws -> Profile {
        try .cpu(
            "main;f\(day % 5) \(value)\nmain;\(service)+\(day) 1", service: service,
            instance: instance, at: Afternoon.second(day * Self.day + Int64(value)))
    }

    private func range(_ first: Int64, _ last: Int64) -> TimeRange {
        Afternoon.seconds(first * Self.day, last * Self.day)
    }

    /// What a question is answered, beside the same of the profiles themselves.
    private func expectSums(
        of profiles: [Profile], _ store: SQLiteProfileStore, _ range: TimeRange,
        _ matches: @escaping @Sendable (LabelSet) -> Bool
    ) throws {
        let selected = profiles.filter {
            matches($0.labels) && range.from <= $0.start && $0.start <= range.until
        }
        var sum = LocationTree()
        for profile in selected { sum.merge(profile.stacks) }
        let merged = try store.merge(ProfileSelection(.cpu, in: range, where: matches))
        #expect(merged.profileCount == selected.count)
        #expect(merged.stacks.folded == sum.folded)
        let groups = try store.merge(
            ProfileSelection(.cpu, in: range, where: matches),
            groupedBy: { LabelSet().setting("instance", to: $0["instance"]) }, Reading())
        for (group, merged) in groups {
            let count = selected.count { $0.labels["instance"] == group["instance"] }
            #expect(merged.profileCount == count)
        }
        #expect(groups.values.reduce(0) { $0 + $1.profileCount } == selected.count)
    }

    @Test func windowsMakeTheDaysOnceAndInOrder() {
        for first in -70...70 as ClosedRange<Int64> {
            for count in 0...70 as ClosedRange<Int64> {
                let windows = DayWindow.cover(first..<first + count)
                #expect(windows.flatMap { Array($0.days) } == Array(first..<first + count))
                #expect(windows.allSatisfy { $0.first % $0.count == 0 })
                #expect(windows.count <= 12)
            }
        }
    }

    @Test(arguments: [0, 12, 4_000_000])
    func aMonthIsTheSumOfItsProfilesHoweverOftenItIsAskedForAndChanged(room: Int) throws {
        let store = try open(sumsInMemory: room)
        var generator = SystemRandomNumberGenerator()
        var profiles: [Profile] = []
        for round in 0..<12 {
            let new = try (0..<10).map { index in
                try profile(
                    .random(in: 0...19, using: &generator),
                    Bool.random(using: &generator) ? "a" : "b",
                    "\(Int.random(in: 0...2, using: &generator) + round / 6)",
                    round * 10 + index + 1)
            }
            try store.append(new)
            profiles += new
            if round.isMultiple(of: 4) { try store.makeBlocks() }
            for _ in 0..<2 {
                let first = Int64.random(in: -1...18, using: &generator)
                let asked = range(first, .random(in: first...20, using: &generator))
                try expectSums(of: profiles, store, asked) { _ in true }
                try expectSums(of: profiles, store, asked) { $0["instance"] == "1" }
                try expectSums(of: profiles, store, asked) { $0[LabelName.service] == "b" }
            }
            try expectSums(of: profiles, store, range(-1, 21)) { $0["instance"] != "1" }
        }
    }

    @Test func aLateProfileOfAnOldDayAndANewSeriesCountAtOnce() throws {
        let store = try open()
        var profiles = try (0..<16).map { try profile($0, "a", "1", 5) }
        try store.append(profiles)
        try expectSums(of: profiles, store, range(-1, 21)) { _ in true }
        for late in [try profile(3, "a", "1", 9), try profile(4, "a", "2", 9)] {
            try store.append([late])
            profiles.append(late)
            for _ in 0..<2 {
                try expectSums(of: profiles, store, range(-1, 21)) { _ in true }
                // All series of the service until the second one came.
                try expectSums(of: profiles, store, range(-1, 21)) { $0["instance"] == "1" }
            }
        }
    }

    @Test func whatARuleRemovesIsNotRemembered() throws {
        let store = try open { configuration in
            configuration.retentionRules = [
                RetentionRule(name: "short", days: 10) { series in
                    series.labels[LabelName.service] == "b"
                }
            ]
        }
        var profiles = try (0..<16).flatMap {
            [try profile($0, "a", "1", 5), try profile($0, "b", "1", 6)]
        }
        try store.append(profiles)
        try expectSums(of: profiles, store, range(-1, 21)) { _ in true }
        try store.maintain()
        let first = UTCDay(number: UTCDay(of: Afternoon.second(20 * Self.day)).number - 9)
        profiles.removeAll {
            $0.labels[LabelName.service] == "b" && UTCDay(of: $0.start) < first
        }
        #expect(profiles.count < 32)
        try expectSums(of: profiles, store, range(-1, 21)) { _ in true }
    }

    @Test func whoAsksWhileOthersWriteGetsWhatWasStoredBefore() throws {
        let store = try open()
        let isDone = Mutex(false)
        let stored = Mutex(0)
        let failures = Mutex<[String]>([])
        let writer = Thread {
            for round in 0..<150 {
                do {
                    try store.append([
                        try .cpu(
                            "main;f \(round + 1)", instance: "\(round % 3)",
                            at: Afternoon.second(Int64(round % 15) * 86_400 + Int64(round)))
                    ])
                    stored.withLock { $0 += 1 }
                } catch {
                    failures.withLock { $0.append("\(error)") }
                }
            }
            isDone.withLock { $0 = true }
        }
        writer.start()
        let all = ProfileSelection(.cpu, in: range(-1, 21))
        let two = ProfileSelection(.cpu, in: range(-1, 21)) { $0["instance"] == "2" }
        while !isDone.withLock({ $0 }) {
            let before = stored.withLock { $0 }
            #expect(try store.merge(all).profileCount >= before)
            #expect(try store.merge(two).profileCount >= before / 3)
            #expect(try store.merge(two).profileCount <= stored.withLock { $0 } / 3 + 1)
        }
        #expect(failures.withLock { $0 } == [])
        #expect(try store.merge(all).profileCount == 150)
        #expect(try store.merge(two).profileCount == 50)
    }
}
