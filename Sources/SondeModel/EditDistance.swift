// SPDX-License-Identifier: Apache-2.0
// How far a mistyped name is from the one that was meant.

/// How far two names are from each other.
package enum EditDistance {
    /// The most bytes of a name that are compared; nobody types a longer one by heart.
    package static let longestName = 256

    /// How many letters must be inserted, removed, replaced or swapped with their neighbor.
    ///
    /// A letter is a byte of UTF-8.
    ///
    /// - Parameters:
    ///   - left: One name; compared up to ``longestName``.
    ///   - right: The other one; compared up to ``longestName``.
    ///   - ignoringCase: Whether `A` is as good as `a`.
    /// - Returns: The number of such changes that make one of the other.
    /// - Complexity: O(n * m).
    package static func between(
        _ left: some StringProtocol, _ right: some StringProtocol, ignoringCase: Bool = false
    ) -> Int {
        let bytes = { (text: [UInt8]) in ignoringCase ? text.map(lowercase) : text }
        return between(
            bytes(Array(left.utf8.prefix(longestName))),
            bytes(Array(right.utf8.prefix(longestName))))
    }

    private static func between(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var beforeLast = [Int](repeating: 0, count: right.count + 1)
        var last = Array(0...right.count)
        var current = beforeLast
        for row in left.indices {
            current[0] = row + 1
            for column in right.indices {
                let cost = left[row] == right[column] ? 0 : 1
                var best = min(last[column + 1] + 1, current[column] + 1, last[column] + cost)
                let isSwap =
                    row > 0 && column > 0 && left[row] == right[column - 1]
                    && left[row - 1] == right[column]
                if isSwap { best = min(best, beforeLast[column - 1] + 1) }
                current[column + 1] = best
            }
            (beforeLast, last, current) = (last, current, beforeLast)
        }
        return last[right.count]
    }

    private static func lowercase(_ byte: UInt8) -> UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
    }
}
