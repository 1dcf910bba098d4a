// SPDX-License-Identifier: Apache-2.0
// Finds the names that somebody probably meant.

internal import SondeModel

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
            var distance = EditDistance.between(wanted, lower)
            let isPart = wanted.count > 1 && (lower.contains(wanted) || wanted.contains(lower))
            if isPart, lower.count > 1 { distance = min(distance, limit) }
            if distance <= limit { ranked.append((name, distance)) }
        }
        return ranked.sorted { ($0.distance, $0.name) < ($1.distance, $1.name) }
            .prefix(count).map(\.name)
    }
}
