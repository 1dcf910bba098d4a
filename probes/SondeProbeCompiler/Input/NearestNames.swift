// SPDX-License-Identifier: Apache-2.0
// Finds the names that somebody probably meant.

/// Finds the names that somebody probably meant.
enum NearestNames {
    /// Up to `count` candidates, the likeliest first; only those near enough to be meant.
    static func of(_ typed: String, among candidates: [String], count: Int = 3) -> [String] {
        let wanted = typed.lowercased()
        let limit = max(1, typed.count / 3)
        var ranked: [(name: String, distance: Int)] = []
        var seen: Set<String> = []
        for name in candidates where seen.insert(name).inserted {
            let lower = name.lowercased()
            var distance = distance(wanted, lower)
            let isPart = wanted.count > 1 && (lower.contains(wanted) || wanted.contains(lower))
            if isPart, lower.count > 1 { distance = min(distance, limit) }
            if distance <= limit { ranked.append((name, distance)) }
        }
        return ranked.sorted { ($0.distance, $0.name) < ($1.distance, $1.name) }
            .prefix(count).map(\.name)
    }

    /// How many letters must be inserted, removed, replaced or swapped with their neighbor; both
    /// are cut at 64 letters.
    static func distance(_ left: String, _ right: String) -> Int {
        let left = Array(left.prefix(64)), right = Array(right.prefix(64))
        var beforeLast = [Int](repeating: 0, count: right.count + 1)
        var last = Array(0...right.count)
        for row in left.indices {
            var current = [row + 1]
            for column in right.indices {
                let cost = left[row] == right[column] ? 0 : 1
                var best = min(last[column + 1] + 1, current[column] + 1, last[column] + cost)
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
