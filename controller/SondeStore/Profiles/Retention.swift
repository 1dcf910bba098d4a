// SPDX-License-Identifier: Apache-2.0
// What a profile store keeps, and what it says about what it removed.

package import SondeModel

/// Profiles of some series that are kept for less than the others.
package struct RetentionRule: Sendable {
    /// What a person calls the rule: its selector.
    package var name: String
    /// How many days are kept, today included.
    package var days: Int
    /// Which series.
    package var matches: @Sendable (ProfileSeries) -> Bool

    /// A rule from its parts.
    package init(
        name: String, days: Int, matches: @escaping @Sendable (ProfileSeries) -> Bool
    ) {
        self.name = name
        self.days = days
        self.matches = matches
    }
}

/// What a store removed by itself.
package struct Removal: Hashable, Sendable {
    /// Why it went.
    package enum Reason: Hashable, Sendable {
        /// The day is older than what is kept.
        case age
        /// The store had more bytes than it may.
        case bytes
        /// A rule keeps these series for less.
        case rule(String)

        /// The reason in one word, as metrics label it.
        package var name: String {
            switch self {
            case .age: "age"
            case .bytes: "bytes"
            case .rule: "rule"
            }
        }
    }

    /// When it went.
    package var time: Timestamp
    /// The day whose profiles went, such as `2026-01-31`.
    package var day: String
    /// Why.
    package var reason: Reason
    /// How many profiles; -1 when the day could not be read.
    package var profiles: Int64
    /// How many bytes on disk.
    package var bytes: Int64
}

/// What a store removed since it was opened.
package struct RemovalHistory: Sendable {
    /// The latest removals, oldest first.
    package private(set) var latest: [Removal] = []
    /// The profiles that went, by reason.
    package private(set) var profiles: [String: Int64] = [:]
    /// The bytes that went, by reason.
    package private(set) var bytes: [String: Int64] = [:]

    private static let remembered = 100

    /// Nothing was removed yet.
    package init() {}

    mutating func add(_ removal: Removal) {
        latest.append(removal)
        if latest.count > Self.remembered { latest.removeFirst() }
        profiles[removal.reason.name, default: 0] += max(0, removal.profiles)
        bytes[removal.reason.name, default: 0] += removal.bytes
    }
}
