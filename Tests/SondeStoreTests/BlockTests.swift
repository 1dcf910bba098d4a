// SPDX-License-Identifier: Apache-2.0
// Merged blocks change nothing that can be asked, whatever comes when.

import Foundation
import SondeModel
import Synchronization
import Testing

@testable import SondeStore

@Suite(.timeLimit(.minutes(5)))
struct BlockTests {
    private let scratch = ScratchFolder()
    /// A day after the afternoon: all of its windows have passed.
    private let later = Afternoon.second(2 * 86_400)

    private func database(_ day: String = "2026-01-31") throws -> Database {
        try Database(reading: scratch.path + "/profiles/\(day).db")
    }

    /// One profile every 10 s of three instances.
    private func fill(_ store: SQLiteProfileStore, seconds: Range<Int64>) throws {
        try store.append(
            stride(from: seconds.lowerBound, to: seconds.upperBound, by: 10).flatMap { second in
                try (1...3).map { instance in
                    try .cpu(
                        "main;f\(second % 70) \(second + 1)\nmain 1", instance: "\(instance)",
                        at: Afternoon.second(second))
                }
            })
    }

    private func answers(
        _ store: SQLiteProfileStore, _ range: TimeRange
    ) throws -> [String] {
        let all = ProfileSelection(.cpu, in: range)
        let one = ProfileSelection(.cpu, in: range) { $0["instance"] == "2" }
        let two = ProfileSelection(.cpu, in: range) { $0["instance"] != "2" }
        var result: [String] = []
        for selection in [all, one, two] {
            let merged = try store.merge(selection)
            result.append("\(merged.profileCount)\n\(merged.stacks.folded)")
            for step in [7, 60, 600, 3601, 86_400] as [Int64] {
                let steps = TimelineSteps(
                    lengthNanoseconds: step * 1_000_000_000, origin: Afternoon.second(3))
                result.append("\(try store.timeline(selection, steps: steps))")
            }
        }
        let grouped = try store.merge(
            all, groupedBy: { LabelSet().setting("instance", to: $0["instance"]) }, Reading())
        for (labels, merged) in grouped {
            result.append("\(labels) \(merged.profileCount)\n\(merged.stacks.folded)")
        }
        return result.sorted()
    }

    @Test func answersAreTheSameWithBlocksAndWithout() throws {
        let store = try SQLiteProfileStore.open(DataFolder(scratch.path), now: later)
        try fill(store, seconds: 0..<15_000)
        let ranges = [
            Afternoon.around, Afternoon.seconds(0, 7200), Afternoon.seconds(601, 1199),
            Afternoon.seconds(595, 14_405), Afternoon.seconds(3600, 3600),
            Afternoon.seconds(1200, 1799), Afternoon.seconds(7, 8),
        ]
        let before = try ranges.map { try answers(store, $0) }
        #expect(try store.makeBlocks() > 25)
        let kinds = try database()
        for level in 1...3 as ClosedRange<Int64> {
            for scope in 0...1 as ClosedRange<Int64> {
                let count = try kinds.number(
                    "SELECT count(*) FROM block WHERE level = \(level) AND scope = \(scope)")
                #expect(count > 0, "level \(level) scope \(scope)")
            }
        }
        #expect(try kinds.number("SELECT count(*) FROM pending") == 0)
        #expect(try ranges.map { try answers(store, $0) } == before)
        #expect(try store.makeBlocks() == 0)
        #expect(store.check().problems.isEmpty)
        #expect(store.check().blocks > 25)
    }

    @Test func aLateProfileIsInTheAnswersAtOnceAndOnce() throws {
        let store = try SQLiteProfileStore.open(DataFolder(scratch.path), now: later)
        try fill(store, seconds: -54_000..<21_600)
        try store.makeBlocks()
        #expect(try database().number("SELECT count(*) FROM block WHERE level = 3") == 4)
        let whole = ProfileSelection(.cpu, in: Afternoon.around)
        let before = try store.merge(whole)
        try store.append([try .cpu("late 7", instance: "2", at: Afternoon.second(605))])
        for _ in 0..<2 {
            let after = try store.merge(whole)
            #expect(after.profileCount == before.profileCount + 1)
            #expect(after.stacks.folded.contains("late 7"))
            #expect(after.stacks.totals[0] == before.stacks.totals[0] + 7)
            try store.makeBlocks()
        }
        // Only what lies around it was made again.
        #expect(try database().number("SELECT count(*) FROM pending") == 0)
        #expect(store.check().problems.isEmpty)
    }

    @Test func theSameProfileSentAgainIsStoredOnce() throws {
        let store = try SQLiteProfileStore.open(DataFolder(scratch.path), now: later)
        let profile = try Profile.cpu("main;f 3")
        for _ in 0..<3 { try store.append([profile, profile]) }
        try store.append([try .cpu("main;f 4"), try .cpu("main;f 3", instance: "2")])
        let merged = try store.merge(ProfileSelection(.cpu, in: Afternoon.around))
        #expect(merged.profileCount == 3)
        #expect(merged.stacks.folded == "main;f 10")
        #expect(try store.statistics().profiles == 3)
    }

    @Test func aNewSeriesOfAFamilyIsNotMissedByItsBlocks() throws {
        let store = try SQLiteProfileStore.open(DataFolder(scratch.path), now: later)
        try fill(store, seconds: 0..<3600)
        try store.makeBlocks()
        try store.append([try .cpu("new 5", instance: "9", at: Afternoon.second(1205))])
        let merged = try store.merge(ProfileSelection(.cpu, in: Afternoon.around))
        #expect(merged.profileCount == 3 * 360 + 1)
        #expect(merged.stacks.folded.contains("new 5"))
        #expect(
            try answers(store, Afternoon.seconds(1000, 1400))
                == {
                    try store.makeBlocks()
                    return try answers(store, Afternoon.seconds(1000, 1400))
                }())
    }

    @Test func aWindowThatIsNotOverHasNoBlock() throws {
        let clock = Mutex(Afternoon.second(599))
        var configuration = SQLiteProfileStore.Configuration()
        configuration.now = { clock.withLock { $0 } }
        let store = try SQLiteProfileStore(DataFolder(scratch.path), configuration: configuration)
        try fill(store, seconds: 0..<600)
        try store.makeBlocks()
        #expect(try database().number("SELECT count(*) FROM block WHERE level > 0") == 0)
        clock.withLock { $0 = Afternoon.second(700) }
        try store.makeBlocks()
        #expect(try database().number("SELECT count(*) FROM block WHERE level = 1") == 4)
    }

    @Test func blocksInWhateverOrderGiveTheSumsOfTheProfiles() throws {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<6 {
            let scratch = ScratchFolder()
            var configuration = SQLiteProfileStore.Configuration()
            configuration.retentionDays = nil
            configuration.now = { Afternoon.second(2 * 86_400) }
            var limits = ProfileWriter.Limits()
            limits.stacks.nodesPerTree = .random(in: 3...100, using: &generator)
            let store = try SQLiteProfileStore(DataFolder(scratch.path), configuration, limits)
            var expected: [String: Int64] = [:]
            var count = 0
            for _ in 0..<40 {
                let center = Int64.random(in: -50_000...50_000, using: &generator)
                for _ in 0..<Int.random(in: 1...40, using: &generator) {
                    let name = "main;f\(Int.random(in: 0..<40, using: &generator))"
                    let value = Int64.random(in: 1...1000, using: &generator)
                    count += 1
                    // The duration makes each profile one of its own.
                    var profile = try Profile.cpu(
                        "\(name) \(value)",
                        service: Bool.random(using: &generator) ? "a" : "b",
                        instance: "\(Int.random(in: 0..<4, using: &generator))",
                        at: Afternoon.second(
                            center + .random(in: -100...100, using: &generator)))
                    profile.durationNanoseconds = Int64(count)
                    expected[name, default: 0] += value
                    try store.append([profile])
                }
                if Bool.random(using: &generator) {
                    let stopAfter = Int.random(in: 0...30, using: &generator)
                    let asked = Mutex(0)
                    try store.makeBlocks {
                        asked.withLock {
                            $0 += 1
                            return $0 > stopAfter
                        }
                    }
                }
            }
            for _ in 0..<2 {
                let merged = try store.merge(ProfileSelection(.cpu, in: Afternoon.around))
                #expect(merged.profileCount == count)
                #expect(
                    merged.stacks.folded
                        == expected.map { "\($0.key) \($0.value)" }.sorted().joined(
                            separator: "\n"))
                try store.makeBlocks()
            }
            #expect(store.check().problems.isEmpty)
        }
    }

    @Test func writersMayWriteIntoWindowsWhoseBlocksAreMade() async throws {
        let store = try SQLiteProfileStore.open(DataFolder(scratch.path), now: later)
        let rounds = 150
        try await withThrowingTaskGroup(of: Void.self) { group in
            for writer in 0..<3 {
                group.addTask {
                    for round in 0..<rounds {
                        try store.append(
                            (0..<4).map {
                                try .cpu(
                                    "f 1", instance: "\(writer)",
                                    at: Afternoon.second(Int64(round * 4 + $0)))
                            })
                    }
                }
            }
            group.addTask {
                var profiles = 0
                while profiles < 3 * 4 * rounds {
                    try store.makeBlocks()
                    let merged = try store.merge(ProfileSelection(.cpu, in: Afternoon.around))
                    #expect(merged.profileCount >= profiles)
                    #expect(merged.stacks.totals[0] == Int64(merged.profileCount))
                    profiles = merged.profileCount
                }
            }
            try await group.waitForAll()
        }
        try store.makeBlocks()
        #expect(store.check().problems.isEmpty)
        let merged = try store.merge(ProfileSelection(.cpu, in: Afternoon.around))
        #expect(merged.profileCount == 3 * 4 * rounds)
    }
}
