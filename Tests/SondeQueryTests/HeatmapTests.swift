// SPDX-License-Identifier: Apache-2.0
// Values are counted by step and size.

import SondeModel
import SondeQuery
import Testing

@Suite struct HeatmapTests {
    @Test func valuesFallIntoTwentyEqualBuckets() {
        let heatmap = Heatmap([0, 100, 40])
        #expect(heatmap.edges.count == 20)
        #expect(heatmap.edges.first == 0)
        #expect(heatmap.edges.last == 95)
        let slots = heatmap.slots(
            of: [value(0, at: 0), value(100, at: 10), value(40, at: 11)],
            from: Timestamp(unixNanoseconds: 0), stepNanoseconds: 10)
        #expect(slots.map(\.time.unixNanoseconds) == [0, 10, 20])
        #expect(slots.map { $0.counts.firstIndex(of: 1) } == [0, 19, 8])
        #expect(slots.allSatisfy { $0.counts.count == 20 })
    }

    @Test func theExampleOfABucketIsItsLargestValue() {
        let heatmap = Heatmap([0, 100])
        let slots = heatmap.slots(
            of: [value(1, at: 1), value(3, at: 2), value(2, at: 3), value(100, at: 3)],
            from: Timestamp(unixNanoseconds: 0), stepNanoseconds: 10)
        #expect(slots.map(\.examples) == [[3, 100]])
        #expect(slots.first?.counts.first == 3)
    }

    @Test func equalValuesAndNoValuesHaveBucketsToo() {
        #expect(Heatmap([7, 7]).edges.first == 7)
        #expect(Heatmap([]).edges.count == 20)
    }

    /// A value whose source is itself.
    private func value(_ value: Int64, at time: Int64) -> Heatmap.Value {
        Heatmap.Value(
            time: Timestamp(unixNanoseconds: time), value: value, source: Int(value))
    }
}
