// SPDX-License-Identifier: Apache-2.0
// How the values of single profiles or spans are distributed, in each step of time.

package import SondeModel

/// A distribution of values over time: steps across, buckets of values up.
package struct Heatmap: Sendable {
    /// How many buckets there are, whatever the values.
    package static let bucketCount = 20

    /// One value with what it is of.
    package struct Value: Sendable {
        /// When it was.
        package var time: Timestamp
        /// The value.
        package var value: Int64
        /// What it is of, by a number that the caller chose.
        package var source: Int

        /// A value from its parts.
        package init(time: Timestamp, value: Int64, source: Int) {
            self.time = time
            self.value = value
            self.source = source
        }
    }

    /// The distribution in one step.
    package struct Slot: Sendable {
        /// The step's right edge.
        package var time: Timestamp
        /// How many values are in each bucket.
        package var counts: [Int32]
        /// The source of the largest value in each bucket that has one.
        package var examples: [Int]
    }

    /// The least value of each bucket, of all groups and steps alike.
    package let edges: [Double]
    private let lowest: Int64
    private let width: Double

    /// Buckets of equal width between the least and the largest of all values.
    ///
    /// - Parameter values: All values, of all groups.
    package init(_ values: some Sequence<Int64>) {
        var lowest = Int64.max
        var highest = Int64.min
        for value in values {
            lowest = min(lowest, value)
            highest = max(highest, value)
        }
        if lowest > highest { (lowest, highest) = (0, 0) }
        let width = (Double(highest) - Double(lowest)) / Double(Self.bucketCount)
        self.lowest = lowest
        self.width = width > 0 ? width : 1
        let (first, step) = (Double(lowest), self.width)
        edges = (0..<Self.bucketCount).map { first + step * Double($0) }
    }

    /// The slots of one group, oldest first; steps without a value are left out.
    ///
    /// - Parameters:
    ///   - values: The group's values.
    ///   - start: Where the grid of steps begins.
    ///   - stepNanoseconds: How long a step is; more than 0.
    /// - Returns: The slots.
    package func slots(
        of values: [Value], from start: Timestamp, stepNanoseconds: Int64
    ) -> [Slot] {
        var counts: [Int64: [Int32]] = [:]
        var largest: [Int64: [Int: Value]] = [:]
        for value in values {
            let passed = value.time.unixNanoseconds &- start.unixNanoseconds
            // A value on an edge belongs to the step that ends there.
            let step = max(0, passed &+ stepNanoseconds &- 1) / stepNanoseconds
            let place = bucket(of: value.value)
            counts[step, default: [Int32](repeating: 0, count: Self.bucketCount)][place] &+= 1
            if let known = largest[step]?[place], known.value >= value.value { continue }
            largest[step, default: [:]][place] = value
        }
        return counts.sorted { $0.key < $1.key }.map { step, counts in
            let (passed, overflow) = step.multipliedReportingOverflow(by: stepNanoseconds)
            let examples = (largest[step] ?? [:]).sorted { $0.key < $1.key }
            return Slot(
                time: start.advanced(byNanoseconds: overflow ? .max : passed), counts: counts,
                examples: examples.map(\.value.source))
        }
    }

    private func bucket(of value: Int64) -> Int {
        let place = (Double(value) - Double(lowest)) / width
        return min(Self.bucketCount - 1, max(0, Int(place)))
    }
}
