// SPDX-License-Identifier: Apache-2.0
// The five-part id of a kind of profile, as Pyroscope writes it.

/// The kind of a profile: `name:sampleType:sampleUnit:periodType:periodUnit`.
///
/// Period type and unit may be empty (`memory:alloc_in_new_tlab_bytes:bytes::`).
package struct ProfileType: Hashable, Sendable, CustomStringConvertible {
    /// The profile's name, such as `process_cpu`.
    package var name: String
    /// What a value counts, such as `cpu` or `samples`.
    package var sampleType: String
    /// The unit of a value, such as `nanoseconds`, `count` or `bytes`.
    package var sampleUnit: String
    /// What triggers a sample, such as `cpu`; may be empty.
    package var periodType: String
    /// The unit of the period; may be empty.
    package var periodUnit: String

    /// A profile type from its five parts.
    package init(
        name: String, sampleType: String, sampleUnit: String, periodType: String, periodUnit: String
    ) {
        self.name = name
        self.sampleType = sampleType
        self.sampleUnit = sampleUnit
        self.periodType = periodType
        self.periodUnit = periodUnit
    }

    /// A profile type from its id, or `nil` when it is none.
    ///
    /// A sixth part, `delta`, is ignored.
    package init?(_ id: String) {
        var parts = id.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        if parts.count == 6, parts[5] == "delta" { parts.removeLast() }
        guard parts.count == 5, !parts[0].isEmpty, !parts[1].isEmpty, !parts[2].isEmpty
        else { return nil }
        self.init(
            name: parts[0], sampleType: parts[1], sampleUnit: parts[2], periodType: parts[3],
            periodUnit: parts[4])
    }

    /// The id, with its four colons.
    package var description: String {
        "\(name):\(sampleType):\(sampleUnit):\(periodType):\(periodUnit)"
    }

    /// CPU time, in nanoseconds.
    package static let cpu = ProfileType(
        name: "process_cpu", sampleType: "cpu", sampleUnit: "nanoseconds", periodType: "cpu",
        periodUnit: "nanoseconds")
}
