// SPDX-License-Identifier: Apache-2.0
// Times, ranges, steps and the short names of profile types.

import SondeModel
import SondeQuery
import Testing

@Suite struct TimeTests {
    private let now = Timestamp(unixMilliseconds: 1_700_000_000_000)

    @Test(arguments: [
        ("now", 0), ("now-1h", -3_600_000), ("now-90s", -90_000), ("now-1h30m", -5_400_000),
        ("now+5s", 5000), ("now-2d", -172_800_000), ("now-1w", -604_800_000), (" now-1m ", -60_000),
        ("1700000000001", 1), ("0", -1_700_000_000_000), ("-1", -1_700_000_000_001),
    ])
    func aPointInTimeIsRead(text: String, milliseconds: Int64) throws {
        let time = try TimeExpression.parse(text, now: now)
        #expect(time.unixMilliseconds - now.unixMilliseconds == milliseconds)
    }

    @Test(arguments: [
        "", "yesterday", "now-", "now-h", "now-1", "now-1x", "now1h", "now--1h", "now-1h-1h", "1.5",
        "now-1000000000000s", "99999999999999999999", "now-١h", "Now",
    ])
    func whatIsNoTimeIsRefused(text: String) throws {
        let error = try #require(throws: QueryError.self) {
            try TimeExpression.parse(text, now: now)
        }
        #expect(error.message.hasPrefix("cannot read time: got \"\(text)\"; want"))
    }

    @Test func timesFarAwaySaturate() throws {
        #expect(
            try TimeExpression.parse("9223372036854775807", now: now).unixNanoseconds == .max)
        #expect(try TimeExpression.parse("now-999999999w", now: now) < now)
    }

    @Test func aRangeHasDefaultsAndAnOrder() throws {
        let range = try TimeExpression.range(from: nil, until: "", now: now)
        #expect(range.until == now)
        #expect(range.from == now.advanced(byNanoseconds: -3_600_000_000_000))
        // Milliseconds mean all of the last one.
        let exact = try TimeExpression.range(from: "5", until: "5", now: now)
        #expect(exact.until.unixNanoseconds - exact.from.unixNanoseconds == 999_999)
        let error = try #require(throws: QueryError.self) {
            try TimeExpression.range(from: "now", until: "now-1h", now: now)
        }
        #expect(error.message.contains("got from=now after until=now-1h; want from before until"))
    }

    @Test(arguments: [
        (1, 1), (300, 1), (700, 2), (1800, 5), (3600, 10), (10_800, 30), (86_400, 300),
        (604_800, 1800), (2_592_000, 7200), (31_536_000, 172_800),
    ])
    func aStepGivesAbout300Points(rangeSeconds: Int64, stepSeconds: Int64) throws {
        let range = try #require(
            TimeRange(from: now, until: now.advanced(byNanoseconds: rangeSeconds * 1_000_000_000)))
        #expect(TimelineStep.choose(for: range) == stepSeconds * 1_000_000_000)
        #expect(try TimelineStep.parse(nil, for: range) == stepSeconds * 1_000_000_000)
    }

    @Test func aGivenStepIsBounded() throws {
        let hour = try TimeExpression.range(from: nil, until: nil, now: now)
        #expect(try TimelineStep.parse("15", for: hour) == 15_000_000_000)
        #expect(try TimelineStep.parse("0.5", for: hour) == 500_000_000)
        for text in ["0", "-1", "x", "nan", "inf", "1e300", "0.0001", "0.1"] {
            #expect(throws: QueryError.self) { try TimelineStep.parse(text, for: hour) }
        }
        let all = try #require(
            TimeRange(from: .init(unixNanoseconds: .min), until: .init(unixNanoseconds: .max)))
        #expect(TimelineStep.choose(for: all) > 0)
    }

    @Test func profileTypesHaveShortNames() throws {
        let alloc = try #require(ProfileType("memory:alloc_space:bytes:space:bytes"))
        let mutex = try #require(ProfileType("mutex:delay:nanoseconds::"))
        #expect(ProfileTypeName.short(.cpu) == "cpu")
        #expect(ProfileTypeName.short(alloc) == "alloc_space")
        #expect(ProfileTypeName.short(mutex) == "mutex_delay")
        #expect(try ProfileTypeName.parse(nil) == .cpu)
        #expect(try ProfileTypeName.parse("") == .cpu)
        #expect(try ProfileTypeName.parse("cpu") == .cpu)
        #expect(try ProfileTypeName.parse("alloc_space", known: [alloc, mutex]) == alloc)
        #expect(try ProfileTypeName.parse(mutex.description) == mutex)
        let error = try #require(throws: QueryError.self) {
            try ProfileTypeName.parse("memroy", known: [alloc, mutex])
        }
        #expect(error.message.contains("want one of alloc_space, cpu, mutex_delay"))
    }
}
