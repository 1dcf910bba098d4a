// SPDX-License-Identifier: Apache-2.0
// Questions about parts of profiles: spans, traces, single profiles, stacks; and their bounds.

import SondeModel
import SondeStore
import Synchronization
import Testing

@Suite struct SelectionTests {
    private let scratch = ScratchFolder()

    private func store() throws -> SQLiteProfileStore {
        let store = try SQLiteProfileStore.open(
            DataFolder(scratch.path), now: Afternoon.second(86_400))
        var first = try Profile.cpu("main;f 10\nmain;g 20", at: Afternoon.second(0))
        first.spans = [
            SpanStacks(
                span: SpanID(1), trace: TraceID(high: 7, low: 8),
                stacks: LocationTree(folded: "main;f 4")),
            SpanStacks(span: SpanID(2), stacks: LocationTree(folded: "main;g 5\nmain;f 1")),
            SpanStacks(span: SpanID(1), stacks: LocationTree(folded: "main;f 2")),
        ]
        var second = try Profile.cpu("main;f 100", instance: "2", at: Afternoon.second(5))
        second.spans = [
            SpanStacks(
                span: SpanID(3), trace: TraceID(high: 7, low: 8),
                stacks: LocationTree(folded: "main;f 50"))
        ]
        try store.append([first, second, try .cpu("main;h 1000", at: Afternoon.second(10))])
        return store
    }

    private var all: ProfileSelection { ProfileSelection(.cpu, in: Afternoon.around) }

    private func profiles(
        _ store: SQLiteProfileStore, _ selection: ProfileSelection
    ) throws -> [ProfileTotal] {
        let found = Mutex<[ProfileTotal]>([])
        try store.totals(selection, Reading()) { one in found.withLock { $0.append(one) } }
        return found.withLock { $0.sorted { $0.start < $1.start } }
    }

    @Test func aSpanIsWhatItSpent() throws {
        let store = try store()
        var selection = all
        selection.spans = [SpanID(1)]
        #expect(try store.merge(selection).stacks.folded == "main;f 6")
        #expect(try store.merge(selection).profileCount == 1)
        selection.spans = [SpanID(2), SpanID(3), SpanID(99)]
        #expect(try store.merge(selection).stacks.folded == "main;f 51\nmain;g 5")
        #expect(try profiles(store, selection).map(\.total) == [6, 50])
        selection.spans = [SpanID(99)]
        #expect(try store.merge(selection).profileCount == 0)
    }

    @Test func aTraceIsAllOfItsSpans() throws {
        let store = try store()
        var selection = all
        selection.traces = [TraceID(high: 7, low: 8)]
        #expect(try store.merge(selection).stacks.folded == "main;f 56")
        let found = try profiles(store, selection)
        #expect(found.flatMap(\.spans).map(\.span) == [SpanID(1), SpanID(3)])
        #expect(
            found.flatMap(\.spans).map(\.trace) == [.init(high: 7, low: 8), .init(high: 7, low: 8)])
        let steps = TimelineSteps(lengthNanoseconds: 3_600_000_000_000, origin: Afternoon.begin)
        #expect(try store.timeline(selection, steps: steps).map(\.value) == [6, 50])
    }

    @Test func anIdNamesOneProfileForAsLongAsItIsKept() throws {
        var ids: [ProfileID] = []
        do {
            let store = try store()
            let found = try profiles(store, all)
            #expect(found.map(\.total) == [30, 100, 1000])
            #expect(found.map(\.spans.count) == [2, 1, 0])
            #expect(
                found.map(\.durationNanoseconds) == [
                    10_000_000_000, 10_000_000_000, 10_000_000_000,
                ])
            #expect(found.map { $0.labels["instance"] } == ["1", "2", "1"])
            ids = found.map(\.id)
            #expect(Set(ids).count == 3)
            #expect(ProfileID(ids[2].description) == ids[2])
        }
        let store = try SQLiteProfileStore.open(
            DataFolder(scratch.path), now: Afternoon.second(86_400))
        try store.makeBlocks()
        #expect(try profiles(store, all).map(\.id) == ids)
        var selection = all
        selection.profileIDs = [ids[1], ids[2]]
        #expect(try store.merge(selection).stacks.folded == "main;f 100\nmain;h 1000")
        selection.profileIDs = []
        #expect(try store.merge(selection).profileCount == 0)
    }

    @Test func onlyChosenStacksCount() throws {
        let store = try store()
        try store.append(
            (20..<60).map { try .cpu("main;f 1\nmain;g 1", at: Afternoon.second($0)) })
        for _ in 0..<2 {
            var selection = all
            selection.stacks = { tree in
                (0..<tree.count).map { $0 > 0 && tree.keys[Int(tree.keyIndices[$0])].text == "f" }
            }
            #expect(try store.merge(selection).stacks.folded == "main;f 150")
            let steps = TimelineSteps(
                lengthNanoseconds: 3_600_000_000_000, origin: Afternoon.second(-1))
            #expect(try store.timeline(selection, steps: steps).map(\.value) == [150])
            #expect(try profiles(store, selection).reduce(0) { $0 + $1.total } == 150)
            try store.makeBlocks()
        }
    }

    @Test func aStepHoldsItsEndAndNotItsBeginning() {
        let steps = TimelineSteps(lengthNanoseconds: 10, origin: Timestamp(unixNanoseconds: 3))
        let ends = [-17, -16, -8, -7, 2, 3, 4, 13, 14].map {
            steps.end(of: Timestamp(unixNanoseconds: $0)).unixNanoseconds
        }
        #expect(ends == [-17, -7, -7, -7, 3, 3, 13, 13, 23])
    }

    @Test func aQuestionEndsWhenNobodyWaitsForIt() throws {
        let store = try store()
        let gone = Reading(isCancelled: { true })
        let late = Reading(deadline: .now)
        let small = Reading(maximumNodes: 2)
        for (reading, code, want) in [
            (gone, StoreError.Code.cancelled, "who asked is gone"),
            (late, .exhausted, "it takes longer than allowed"),
            (small, .exhausted, "want at most 2"),
        ] {
            let error = try #require(throws: StoreError.self) { try store.merge(all, reading) }
            #expect(error.code == code)
            #expect(error.message.contains(want), "\(error)")
        }
        #expect(throws: StoreError.self) { try store.totals(all, gone) { _ in } }
    }
}
