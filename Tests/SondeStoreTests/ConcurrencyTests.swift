// SPDX-License-Identifier: Apache-2.0
// Many callers at once, and sums that do not depend on the order.

import Foundation
import SondeModel
import Testing

@testable import SondeStore

@Suite(.timeLimit(.minutes(5)))
struct ConcurrencyTests {
    private let scratch = ScratchFolder()

    /// Stacks over few names, so that profiles share much of their trees but not all.
    private func randomProfile(_ generator: inout some RandomNumberGenerator) throws -> Profile {
        var profile = try Profile.cpu(
            "", service: Bool.random(using: &generator) ? "a" : "b",
            instance: "\(Int.random(in: 0..<3, using: &generator))",
            at: Afternoon.second(.random(in: -40_000...40_000, using: &generator)))
        for _ in 0..<Int.random(in: 0..<30, using: &generator) {
            let depth = Int.random(in: 0..<8, using: &generator)
            let stack = (0..<depth).map { _ -> Location in
                let name = Int.random(in: 0..<5, using: &generator)
                return Location(text: Bool.random(using: &generator) ? "image+\(name)" : "f\(name)")
            }
            profile.stacks.add(.random(in: -5...1_000_000, using: &generator), rootFirst: stack)
        }
        return profile
    }

    private func sum(_ profiles: [Profile]) -> LocationTree {
        var tree = LocationTree()
        for profile in profiles.shuffled() {
            for node in 0..<profile.stacks.count {
                var stack: [Location] = []
                var place = node
                while place > 0 {
                    stack.append(profile.stacks.keys[Int(profile.stacks.keyIndices[place])])
                    place = Int(profile.stacks.parents[place])
                }
                tree.add(profile.stacks.selfValues[node], rootFirst: stack.reversed())
            }
        }
        return tree
    }

    @Test func aMergeIsTheSumOfItsProfilesInWhateverOrderTheyCame() throws {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<10 {
            let scratch = ScratchFolder()
            let profiles = try (0..<60).map { _ in try randomProfile(&generator) }
            // Trees this small are left for a new one often, and forgotten at once.
            var limits = ProfileWriter.Limits()
            limits.stacks.nodesPerTree = .random(in: 2...200, using: &generator)
            limits.stacks.nodesInMemory = .random(in: 1...100, using: &generator)
            limits.stacks.segmentsTogether = .random(in: 1...5, using: &generator)
            limits.seriesInMemory = .random(in: 0...3, using: &generator)
            var configuration = SQLiteProfileStore.Configuration()
            configuration.retentionDays = nil
            configuration.nodesInMemory = .random(in: 1...300, using: &generator)
            var rest = profiles.shuffled()[...]
            while !rest.isEmpty {
                // A new store each time reads what the last one wrote.
                let store = try SQLiteProfileStore(DataFolder(scratch.path), configuration, limits)
                for _ in 0..<3 {
                    let count = Int.random(in: 0...8, using: &generator)
                    try store.append(Array(rest.prefix(count)))
                    rest = rest.dropFirst(count)
                    _ = try store.merge(ProfileSelection(.cpu, in: Afternoon.around))
                    if Bool.random(using: &generator) { try store.makeBlocks() }
                }
            }
            let store = try SQLiteProfileStore(DataFolder(scratch.path), configuration, limits)
            let all = try store.merge(ProfileSelection(.cpu, in: Afternoon.around))
            #expect(all.stacks.folded == sum(profiles).folded)
            #expect(all.profileCount == 60)
            let some = try store.merge(
                ProfileSelection(.cpu, in: Afternoon.seconds(0, 20_000)) {
                    $0[LabelName.service] == "a" && $0["instance"] != "1"
                })
            let expected = profiles.filter {
                $0.labels[LabelName.service] == "a" && $0.labels["instance"] != "1"
                    && Afternoon.seconds(0, 20_000).contains($0.start)
            }
            #expect(some.stacks.folded == sum(expected).folded)
            let steps = TimelineSteps(
                lengthNanoseconds: 7_000_000_000_000, origin: Afternoon.begin)
            let timeline = try store.timeline(
                ProfileSelection(.cpu, in: Afternoon.around), steps: steps)
            #expect(timeline.reduce(0) { $0 + $1.value } == all.stacks.totals[0])
        }
    }

    @Test func readersSeeWholeProfilesWhileWritersWrite() async throws {
        let store = try SQLiteProfileStore.open(DataFolder(scratch.path))
        let writers = 4
        let rounds = 40
        try await withThrowingTaskGroup(of: Void.self) { group in
            for writer in 0..<writers {
                group.addTask {
                    for round in 0..<rounds {
                        // Three new stacks each time: the tree grows under the readers' hands.
                        let stacks = "a;w\(writer) 1\na;w\(writer);r\(round) 1\na;r\(round) 1"
                        try store.append([try .cpu(stacks, instance: "\(writer)")])
                    }
                }
            }
            for _ in 0..<2 {
                group.addTask {
                    var last = 0
                    while last < writers * rounds {
                        let merged = try store.merge(ProfileSelection(.cpu, in: Afternoon.around))
                        #expect(merged.profileCount >= last)
                        last = merged.profileCount
                        #expect(merged.stacks.totals[0] == Int64(last) * 3)
                        _ = try store.statistics()
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(try store.statistics().profiles == writers * rounds)
    }

    @Test func everyCallerOfASharedTransactionGetsItsOwnAnswer() async throws {
        let store = try SQLiteProfileStore.open(DataFolder(scratch.path))
        try store.append([try .cpu("f 1", at: Afternoon.second(-86_400))])
        // The day before is damaged: only those who write to it may fail.
        let yesterday = scratch.path + "/profiles/2026-01-29.db"
        try Data(repeating: 0xA5, count: 9000).write(to: URL(fileURLWithPath: yesterday))
        let failed = await withTaskGroup(of: Bool.self, returning: Int.self) { group in
            for index in 0..<40 {
                group.addTask {
                    let start = Afternoon.second(index.isMultiple(of: 4) ? -172_800 : Int64(index))
                    do {
                        try store.append([try .cpu("f 1", at: start)])
                        return false
                    } catch {
                        return true
                    }
                }
            }
            return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(failed == 10)
        #expect(
            try store.merge(ProfileSelection(.cpu, in: Afternoon.seconds(0, 100))).profileCount
                == 30)
    }
}
