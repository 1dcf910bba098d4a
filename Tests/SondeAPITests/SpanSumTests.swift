// SPDX-License-Identifier: Apache-2.0
// Heatmaps and selections of spans are what adding up the raw profiles gives.

import Foundation
import SondeModel
import Testing

@Suite struct SpanSumTests {
    /// A value that a heatmap counts, as the profiles say it.
    private struct Value: Hashable {
        var service: String
        var millisecond: Int64
        var value: Int64
    }

    /// A slot of a heatmap: whose it is, when it ends, and how many values are in each bucket.
    private struct Slot: Hashable, Comparable {
        var service: String
        var time: Int64
        var counts: [Int]

        static func < (left: Self, right: Self) -> Bool {
            (left.service, left.time) < (right.service, right.time)
        }
    }

    @Test(arguments: [UInt64(1), 2, 3])
    func aHeatmapCountsEachProfileAndEachSpanOnce(seed: UInt64) throws {
        let raw = RawProfiles(60, seed: seed)
        let controller = try TestController()
        try raw.push(to: controller)
        var random = Seeded(state: seed)
        for step in [1.5, 10, 77.7, 600] {
            let from = Int64.random(in: 0...300_000, using: &random)
            let range = (raw.range.lowerBound + from)...(raw.range.upperBound - 100_000)
            let chosen = raw.profiles.filter { range.contains($0.millisecond) }
            let whole = chosen.map { profile in
                Value(
                    service: profile.service, millisecond: profile.millisecond,
                    value: profile.samples.reduce(0) { $0 + $1.value })
            }
            let parts = chosen.flatMap { profile in
                Dictionary(grouping: profile.samples.filter { $0.span != nil }, by: \.span).map {
                    Value(
                        service: profile.service, millisecond: profile.millisecond,
                        value: $0.value.reduce(0) { $0 + $1.value })
                }
            }
            for (type, values) in [("INDIVIDUAL", whole), ("SPAN", parts)] {
                let heatmap = try ask(
                    controller, "SelectHeatmap", range,
                    #""step":\#(step),"groupBy":["service_name"],"#
                        + #""queryType":"HEATMAP_QUERY_TYPE_\#(type)""#)
                let found = try slots(heatmap)
                #expect(found.map(\.slot).sorted() == expected(values, range.lowerBound, step))
                let edges = Self.edges(values)
                #expect(found.allSatisfy { Self.areNear($0.edges, edges) })
                let counted = found.reduce(0) { $0 + $1.slot.counts.reduce(0, +) }
                #expect(counted == values.count)
            }
        }
    }

    @Test(arguments: [UInt64(4), 5, 6])
    func theStacksOfSpansAreTheSumsOfTheirSamples(seed: UInt64) throws {
        let raw = RawProfiles(50, seed: seed)
        let controller = try TestController()
        try raw.push(to: controller)
        var random = Seeded(state: seed)
        for round in 0..<12 {
            let spans = Set((0..<RawProfiles.spanCount).filter { _ in Bool.random(using: &random) })
            let from = Int64.random(in: 0...400_000, using: &random)
            let range = (raw.range.lowerBound + from)...raw.range.upperBound
            let service = round % 3 == 0 ? "a" : nil
            var expected: [[String]: Int64] = [:]
            for profile in raw.profiles
            where range.contains(profile.millisecond)
                && service ?? profile.service == profile.service
            {
                for sample in profile.samples where sample.span.map(spans.contains) == true {
                    expected[sample.stack, default: 0] += sample.value
                }
            }
            let ids = spans.map { "\"\(RawProfiles.id($0))\"" }.joined(separator: ",")
            let selector = service.map { #"{service_name=\"\#($0)\"}"# } ?? "{}"
            let own = try ask(
                controller, "SelectMergeSpanProfile", range,
                #""labelSelector":"\#(selector)","spanSelector":[\#(ids)]"#)
            #expect(try LevelStacks(own).stacks == expected, "\(spans)")
            guard !spans.isEmpty else { continue }
            let merged = try ask(
                controller, "SelectMergeStacktraces", range,
                #""labelSelector":"\#(selector)","spanSelector":[\#(ids)]"#)
            #expect(try LevelStacks(merged).stacks == expected, "\(spans)")
        }
    }

    private func ask(
        _ controller: TestController, _ procedure: String, _ range: ClosedRange<Int64>,
        _ fields: String
    ) throws -> [String: Any] {
        let body =
            #"{"profileTypeID":"\#(ProfileType.cpu)","start":\#(range.lowerBound),"#
            + #""end":\#(range.upperBound),\#(fields)}"#
        let answer = try controller.send(
            "POST", "/querier.v1.QuerierService/" + procedure, over: .router,
            headers: [("Content-Type", "application/json")], body: Array(body.utf8))
        try #require(answer.status == 200, "\(answer.text)")
        return answer.json
    }

    private func slots(
        _ heatmap: [String: Any]
    ) throws -> [(slot: Slot, edges: [Double])] {
        try (heatmap["series"] as? [[String: Any]] ?? []).flatMap { series in
            let labels = try #require(series["labels"] as? [[String: String]])
            return try #require(series["slots"] as? [[String: Any]]).map { slot in
                let time = try #require((slot["timestamp"] as? String).flatMap { Int64($0) })
                let counts = try #require(slot["counts"] as? [Int])
                return (
                    Slot(service: labels.first?["value"] ?? "", time: time, counts: counts),
                    try #require(slot["yMin"] as? [Double])
                )
            }
        }
    }

    /// The lower edges of twenty buckets of equal width.
    private static func edges(_ values: [Value]) -> [Double] {
        let (low, width) = buckets(values)
        return (0..<20).map { low + width * Double($0) }
    }

    /// Whether numbers are the same but for what reading them from JSON rounds.
    private static func areNear(_ left: [Double], _ right: [Double]) -> Bool {
        left.count == right.count
            && zip(left, right).allSatisfy { abs($0 - $1) <= 1e-9 * max(1, abs($1)) }
    }

    private static func buckets(_ values: [Value]) -> (low: Double, width: Double) {
        let low = Double(values.map(\.value).min() ?? 0)
        let width = (Double(values.map(\.value).max() ?? 0) - low) / 20
        return (low, width > 0 ? width : 1)
    }

    /// The slots that values make, each at the right edge of its step.
    private func expected(_ values: [Value], _ start: Int64, _ seconds: Double) -> [Slot] {
        let step = Int64((seconds * 1000).rounded())
        let (low, width) = Self.buckets(values)
        struct Place: Hashable {
            var service: String
            var time: Int64
        }
        var counts: [Place: [Int]] = [:]
        for value in values {
            let steps = (value.millisecond - start + step - 1) / step
            let place = Place(service: value.service, time: start + steps * step)
            let bucket = min(19, Int((Double(value.value) - low) / width))
            counts[place, default: Array(repeating: 0, count: 20)][bucket] += 1
        }
        return counts.map { Slot(service: $0.service, time: $0.time, counts: $1) }.sorted()
    }
}
