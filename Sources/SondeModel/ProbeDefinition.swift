// SPDX-License-Identifier: Apache-2.0
// A probe as a person asked for it: where, what to say, when, for whom and how long.

/// A probe as a person asked for it.
package struct ProbeDefinition: Hashable, Sendable {
    /// What a probe does when its place is reached.
    package enum Kind: String, Hashable, Sendable, CaseIterable {
        /// Says a line.
        case log
    }

    /// The id, given by the controller: `p-` and eight characters.
    package var id: String
    /// Grows with every change.
    package var revision: UInt64
    /// What it does.
    package var kind: Kind
    /// The place, as it was asked for: `File.swift:42`, `Type.method` or `0xOFFSET@build-id`.
    package var location: String
    /// What to say, with `{expressions}`.
    package var template: String
    /// When to say it; empty for always.
    package var condition: String
    /// Whom it is for.
    package var target: Target
    /// How serious its lines are: one of ``levels``.
    package var level: String
    /// The group that it belongs to, the lines' label `probe`; may be empty.
    package var tag: String
    /// Why it was added, in the person's own words; may be empty.
    package var reason: String
    /// When it ends and how often it may fire.
    package var bounds: Bounds
    /// Whether it should be in the service's code.
    package var isEnabled: Bool
    /// When it was added.
    package var created: Timestamp
    /// Who added it.
    package var createdBy: String

    /// The instances that a probe is for.
    package struct Target: Hashable, Sendable {
        /// The service.
        package var service: String
        /// The beginning of an instance's id; empty for all.
        package var instance: String
        /// Labels that the agent must have.
        package var labels: [Label]

        /// A target from its parts.
        package init(service: String, instance: String = "", labels: [Label] = []) {
            self.service = service
            self.instance = instance
            self.labels = labels
        }

        /// Whether an instance is meant.
        ///
        /// - Parameters:
        ///   - service: The instance's service.
        ///   - instance: Its id.
        ///   - labels: Its own labels, in any order.
        /// - Returns: Whether all of it fits.
        package func matches(service: String, instance: String, labels: [Label]) -> Bool {
            service == self.service && instance.hasPrefix(self.instance)
                && self.labels.allSatisfy(labels.contains)
        }
    }

    /// How long a probe lives and how much it may do; each instance counts for itself.
    package struct Bounds: Hashable, Sendable {
        /// When it ends by itself.
        package var expires: Timestamp
        /// How many lines it may say in one instance.
        package var hits: UInt64
        /// Lines a second that it may say in one instance.
        package var linesPerSecond: UInt64

        /// Bounds from their parts.
        package init(expires: Timestamp, hits: UInt64, linesPerSecond: UInt64) {
            self.expires = expires
            self.hits = hits
            self.linesPerSecond = linesPerSecond
        }

        /// How long a probe lives when nothing else is asked for, and at most, in seconds.
        package static let standardSeconds: Int64 = 1800
        package static let longestSeconds: Int64 = 86_400
        /// How many lines it may say when nothing else is asked for, and at most.
        package static let standardHits: UInt64 = 1000
        package static let mostHits: UInt64 = 1_000_000
        /// How many a second when nothing else is asked for, and at most.
        package static let standardRate: UInt64 = 100
        package static let highestRate: UInt64 = 5000
    }

    /// The levels of a line, the least serious first.
    package static let levels = ["trace", "debug", "info", "warn", "error"]

    /// A log point that was just asked for.
    ///
    /// - Parameters:
    ///   - id: The id.
    ///   - location: The place.
    ///   - template: What to say.
    ///   - target: Whom it is for.
    ///   - bounds: When it ends and how often it may fire.
    package init(
        id: String, location: String, template: String, target: Target, bounds: Bounds
    ) {
        self.id = id
        revision = 1
        kind = .log
        self.location = location
        self.template = template
        condition = ""
        self.target = target
        level = "info"
        tag = ""
        reason = ""
        self.bounds = bounds
        isEnabled = true
        created = Timestamp(unixNanoseconds: 0)
        createdBy = ""
    }
}
