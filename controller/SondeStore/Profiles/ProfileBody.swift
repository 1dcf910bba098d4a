// SPDX-License-Identifier: Apache-2.0
// One profile's values as bytes: which nodes of the interned tree have which value.

/// Writes and reads the values of one profile.
///
/// Layout, all numbers varints: the count; the greatest common divisor of all values, because
/// values of CPU time are multiples of the sampling period; then for each value how far its node
/// is from the one before, and the value divided.
enum ProfileBody {
    /// The bytes of values in ascending order of nodes.
    static func encode(_ values: [StackValue]) -> [UInt8] {
        var divisor: UInt64 = 0
        for value in values {
            divisor = greatestCommonDivisor(divisor, value.value.magnitude)
            if divisor == 1 { break }
        }
        // A magnitude of 2^63 divides nothing that fits an Int64.
        let signed = Int64(exactly: max(1, divisor)) ?? 1
        var writer = VarintWriter()
        writer.write(count: values.count)
        writer.write(UInt64(signed))
        var last: Int32 = 0
        for value in values {
            writer.write(UInt64(UInt32(bitPattern: value.node &- last)))
            writer.write(signed: value.value / signed)
            last = value.node
        }
        return writer.bytes
    }

    /// Adds the values to `sums`, which is indexed by node and grows as needed.
    ///
    /// - Parameters:
    ///   - bytes: What ``encode(_:)`` wrote.
    ///   - sums: The sums so far; they saturate where the range ends.
    ///   - limit: The most nodes that a tree may have.
    /// - Throws: ``VarintError`` when the bytes are damaged.
    static func add(
        _ bytes: UnsafeRawBufferPointer, to sums: inout [Int64], limit: Int
    ) throws(VarintError) {
        try decode(bytes, limit: limit) { node, value in
            if node >= sums.count {
                sums.append(
                    contentsOf: repeatElement(0, count: max(node + 1, sums.count * 2) - sums.count))
            }
            sums[node] = sums[node].addingOrSaturating(value)
        }
    }

    /// Calls `take` with each node, in ascending order, and its value.
    @inline(__always)
    static func decode(
        _ bytes: UnsafeRawBufferPointer, limit: Int, _ take: (Int, Int64) -> Void
    ) throws(VarintError) {
        var reader = VarintReader(bytes)
        let count = try reader.readCount()
        guard let divisor = Int64(exactly: try reader.read()) else { throw .outOfRange }
        var node = 0
        for _ in 0..<count {
            node += try reader.read(upTo: limit - node)
            let value = try reader.readSigned().multipliedReportingOverflow(by: divisor)
            guard !value.overflow else { throw .outOfRange }
            take(node, value.partialValue)
        }
    }

    private static func greatestCommonDivisor(_ left: UInt64, _ right: UInt64) -> UInt64 {
        var (left, right) = (left, right)
        while right != 0 { (left, right) = (right, left % right) }
        return left
    }
}
