// SPDX-License-Identifier: Apache-2.0
// The profile store: what was appended is found again, by time, type and labels.

import SondeModel
import SondeStore
import Testing

@Suite struct SQLiteProfileStoreTests {
    private let scratch = ScratchFolder()

    @Test func aStoredProfileIsMergedAsItWas() throws {
        let store = try SQLiteProfileStore.open(DataFolder(scratch.path))
        let stacks = """
            bookmaker+10;bookmaker+20;libc+30 50000000
            bookmaker+10;bookmaker+20 10000000
            main;odds 70
            """
        try store.append([try .cpu(stacks)])
        let merged = try store.merge(ProfileSelection(.cpu, in: Afternoon.around))
        #expect(merged.stacks.folded == LocationTree(folded: stacks).folded)
        #expect(merged.profileCount == 1)
    }

    @Test func namesKeepEverythingThatTheSenderKnew() throws {
        let store = try SQLiteProfileStore.open(DataFolder(scratch.path))
        let frames = [
            Frame(
                name: "Odds.update()", systemName: "$s4Odds6updateyyF", file: "/src/Odds.swift",
                startLine: 42, module: "bookmaker"),
            Frame(name: "+", file: "", startLine: -1, module: "bookmaker", kind: .inlined),
        ]
        var profile = try Profile.cpu("")
        profile.stacks.add(-5, rootFirst: [.symbolized(frames)])
        profile.stacks.add(
            .max,
            rootFirst: [
                .address(image: ImageID(buildID: nil, path: "[vdso]"), offset: FileOffset(.max))
            ])
        profile.stacks.add(3, to: 0)
        try store.append([profile])
        let merged = try store.merge(ProfileSelection(.cpu, in: Afternoon.around)).stacks
        #expect(merged.keys == profile.stacks.keys)
        #expect(merged.selfValues == profile.stacks.selfValues)
        #expect(merged.parents == profile.stacks.parents)
    }

    @Test func bothEndsOfARangeBelongToIt() throws {
        let store = try SQLiteProfileStore.open(DataFolder(scratch.path))
        try store.append((0..<4).map { try .cpu("f 1", at: Afternoon.second($0 * 10)) })
        #expect(
            try store.merge(ProfileSelection(.cpu, in: Afternoon.seconds(10, 20))).profileCount == 2
        )
        #expect(
            try store.merge(ProfileSelection(.cpu, in: Afternoon.seconds(11, 19))).profileCount == 0
        )
        #expect(
            try store.merge(ProfileSelection(.cpu, in: Afternoon.seconds(0, 30))).profileCount == 4)
    }

    @Test func onlyMatchingSeriesOfTheTypeAreMerged() throws {
        let store = try SQLiteProfileStore.open(DataFolder(scratch.path))
        var memory = try Profile.cpu("f 1000")
        memory.type = try #require(ProfileType("memory:alloc_space:bytes:space:bytes"))
        try store.append([
            try .cpu("f 1", instance: "1"), try .cpu("f 10", instance: "2"),
            try .cpu("f 100", service: "other"), memory,
        ])
        let one = try store.merge(
            ProfileSelection(.cpu, in: Afternoon.around) { $0["instance"] == "2" })
        #expect(one.stacks.folded == "f 10")
        let service = try store.merge(
            ProfileSelection(.cpu, in: Afternoon.around) { $0[LabelName.service] == "bookmaker" })
        #expect(service.stacks.folded == "f 11")
        let all = try store.merge(ProfileSelection(.cpu, in: Afternoon.around))
        #expect(all.stacks.folded == "f 111")
        #expect(
            try store.merge(ProfileSelection(memory.type, in: Afternoon.around)).stacks.folded
                == "f 1000")
        #expect(try store.series(in: Afternoon.around).count == 4)
        #expect(try store.series(in: Afternoon.seconds(1, 2)).isEmpty)
    }

    @Test func aRangeOverMidnightAddsBothDaysUp() throws {
        let store = try SQLiteProfileStore.open(DataFolder(scratch.path))
        let midnight = 9 * 3600 as Int64
        try store.append([
            try .cpu("a;b 1\na;c 5", at: Afternoon.second(midnight - 1)),
            try .cpu("a;b 2\na;d 7", at: Afternoon.second(midnight)),
        ])
        let merged = try store.merge(ProfileSelection(.cpu, in: Afternoon.seconds(0, midnight)))
        #expect(merged.stacks.folded == "a;b 3\na;c 5\na;d 7")
        #expect(merged.profileCount == 2)
        #expect(try store.statistics().profiles == 2)
        #expect(try store.series(in: Afternoon.seconds(0, midnight)).count == 1)
    }

    @Test func aTimelineSumsTheProfilesThatBeginInEachStep() throws {
        let store = try SQLiteProfileStore.open(DataFolder(scratch.path))
        try store.append([
            try .cpu("f 1\ng 2", at: Afternoon.second(0)),
            try .cpu("f 10", at: Afternoon.second(9)),
            try .cpu("f 100", at: Afternoon.second(10)), try .cpu("f 7", at: Afternoon.second(40)),
        ])
        let steps = TimelineSteps(lengthNanoseconds: 10_000_000_000, origin: Afternoon.begin)
        let points = try store.timeline(
            ProfileSelection(.cpu, in: Afternoon.around), steps: steps)
        #expect(
            points == [
                TimelinePoint(time: Afternoon.second(0), value: 3, profiles: 1),
                TimelinePoint(time: Afternoon.second(10), value: 110, profiles: 2),
                TimelinePoint(time: Afternoon.second(40), value: 7, profiles: 1),
            ])
    }

    @Test func aStoreThatIsOpenedAgainGoesOnWhereItWas() throws {
        do {
            let store = try SQLiteProfileStore.open(DataFolder(scratch.path))
            try store.append([try .cpu("a;b 1"), try .cpu("a;c 2")])
        }
        let store = try SQLiteProfileStore.open(DataFolder(scratch.path))
        try store.append([try .cpu("a;b 10\na;d 20")])
        let merged = try store.merge(ProfileSelection(.cpu, in: Afternoon.around))
        #expect(merged.stacks.folded == "a;b 11\na;c 2\na;d 20")
        #expect(try store.statistics().profiles == 3)
        #expect(try store.statistics().bytes > 0)
    }

    @Test func anyTimeIsTakenWhenAllIsKept() throws {
        let store = try SQLiteProfileStore.open(DataFolder(scratch.path))
        let times = [.min, .min + 1, -1, 0, 1, .max - 1, .max].map {
            Timestamp(unixNanoseconds: $0)
        }
        try store.append(try times.map { try .cpu("f 1", at: $0) })
        let range = try #require(
            TimeRange(
                from: Timestamp(unixNanoseconds: .min), until: Timestamp(unixNanoseconds: .max)))
        for _ in 0..<2 {
            #expect(try store.merge(ProfileSelection(.cpu, in: range)).profileCount == 7)
            let steps = TimelineSteps(
                lengthNanoseconds: 86_400_000_000_000, origin: Afternoon.begin)
            let points = try store.timeline(ProfileSelection(.cpu, in: range), steps: steps)
            #expect(points.reduce(0) { $0 + $1.profiles } == 7)
            try store.makeBlocks()
        }
    }

    @Test func aStoreWithoutProfilesAnswersNothing() throws {
        let store = try SQLiteProfileStore.open(DataFolder(scratch.path))
        #expect(try store.merge(ProfileSelection(.cpu, in: Afternoon.around)).stacks.count == 1)
        #expect(try store.series(in: Afternoon.around).isEmpty)
        #expect(
            try store.timeline(
                ProfileSelection(.cpu, in: Afternoon.around),
                steps: TimelineSteps(lengthNanoseconds: 1, origin: Afternoon.begin)
            ).isEmpty)
        #expect(try store.statistics() == ProfileStoreStatistics(profiles: 0, bytes: 0))
    }
}
