// SPDX-License-Identifier: Apache-2.0
// Finds the name that somebody probably meant.

/// The names nearest to a mistyped one.
package enum NearestName {
    /// The candidate with the smallest edit distance, if it is near enough to be meant.
    ///
    /// Near enough is a third of the typed length, at least one edit; a candidate that begins with
    /// what was typed is near as well.
    package static func of(_ typed: String, among candidates: [String]) -> String? {
        let limit = max(1, typed.count / 3)
        let ranked = candidates.map { (name: $0, distance: distance(typed, $0)) }
        if let best = ranked.min(by: { $0.distance < $1.distance }), best.distance <= limit {
            return best.name
        }
        guard typed.count > 1 else { return nil }
        return candidates.first { $0.hasPrefix(typed) }
    }

    /// How many letters must be inserted, removed, replaced or swapped with their neighbour.
    ///
    /// - Complexity: O(n * m); both are cut at 64 letters.
    package static func distance(_ left: String, _ right: String) -> Int {
        let left = Array(left.prefix(64)), right = Array(right.prefix(64))
        var beforeLast = [Int](repeating: 0, count: right.count + 1)
        var last = Array(0...right.count)
        for row in left.indices {
            var current = [row + 1]
            for column in right.indices {
                let cost = left[row] == right[column] ? 0 : 1
                var best = min(
                    last[column + 1] + 1, current[column] + 1, last[column] + cost)
                let isSwap =
                    row > 0 && column > 0 && left[row] == right[column - 1]
                    && left[row - 1] == right[column]
                if isSwap { best = min(best, beforeLast[column - 1] + 1) }
                current.append(best)
            }
            beforeLast = last
            last = current
        }
        return last[right.count]
    }
}
