// SPDX-License-Identifier: Apache-2.0
// Finds the name that somebody probably meant.

internal import SondeModel

/// The names nearest to a mistyped one.
package enum NearestName {
    /// The candidate with the smallest edit distance, if it is near enough to be meant.
    ///
    /// Near enough is a third of the typed length, at least one edit; a candidate that begins with
    /// what was typed is near as well.
    package static func of(_ typed: String, among candidates: [String]) -> String? {
        let limit = max(1, typed.count / 3)
        let ranked = candidates.map { (name: $0, distance: EditDistance.between(typed, $0)) }
        if let best = ranked.min(by: { $0.distance < $1.distance }), best.distance <= limit {
            return best.name
        }
        guard typed.count > 1 else { return nil }
        return candidates.first { $0.hasPrefix(typed) }
    }
}
