// SPDX-License-Identifier: Apache-2.0
// What a tenant may send: the limits, their names, and the values that each can have.

/// What a tenant may send; each limit is generous, and a breach is told with its name and value.
package struct TenantLimits: Hashable, Sendable {
    /// Bytes of a push, as sent and expanded.
    package var pushBytes = 64 << 20
    /// Bytes of one profile, expanded.
    package var profileBytes = 32 << 20
    /// Bytes of expanded profiles that may come in each second.
    package var bytesPerSecond = 64 << 20
    /// Bytes that may come at once after a quiet time.
    package var burstBytes = 256 << 20
    /// Labels of one series.
    package var labels = 100
    /// Bytes of a label's name.
    package var labelNameBytes = 1024
    /// Bytes of a label's value.
    package var labelValueBytes = 4096
    /// Series that had a profile in this hour or the one before.
    package var series = 100_000
    /// Entries of a stack that are kept.
    package var stackDepth = 1000
    /// How many seconds ago a profile may have begun; 0: as long as profiles are kept.
    package var pastSeconds = 0
    /// How many seconds from now a profile may begin.
    package var futureSeconds = 86_400

    /// The defaults.
    package init() {}

    /// One limit: what it is called and which values it can have.
    package struct Field: Sendable {
        /// What configuration, answers and refusals call it.
        package let name: String
        /// The values that it can have.
        package let range: ClosedRange<Int>
        /// Whether it counts bytes.
        package let isBytes: Bool
        let path: WritableKeyPath<TenantLimits, Int> & Sendable

        init(
            _ name: String, _ range: ClosedRange<Int>, bytes: Bool = false,
            _ path: WritableKeyPath<TenantLimits, Int> & Sendable
        ) {
            self.name = name
            self.range = range
            isBytes = bytes
            self.path = path
        }
    }

    /// All limits, in the order in which they are shown.
    package static let fields: [Field] = [
        Field("push_bytes", 1024...(1 << 40), bytes: true, \.pushBytes),
        Field("profile_bytes", 1024...(1 << 40), bytes: true, \.profileBytes),
        Field("profile_bytes_per_second", 1024...(1 << 40), bytes: true, \.bytesPerSecond),
        Field("profile_burst_bytes", 1024...(1 << 40), bytes: true, \.burstBytes),
        Field("labels", 1...10_000, \.labels),
        Field("label_name_bytes", 16...65_536, \.labelNameBytes),
        Field("label_value_bytes", 16...65_536, \.labelValueBytes),
        Field("series", 1...100_000_000, \.series),
        Field("stack_depth", 1...16_384, \.stackDepth),
        Field("profile_past_seconds", 0...(36_500 * 86_400), \.pastSeconds),
        Field("profile_future_seconds", 0...86_400, \.futureSeconds),
    ]

    /// The value of the limit of this name, or `nil` when there is none.
    package subscript(name: String) -> Int? {
        get { Self.fields.first { $0.name == name }.map { self[keyPath: $0.path] } }
        set {
            guard let newValue, let field = Self.fields.first(where: { $0.name == name })
            else { return }
            self[keyPath: field.path] = newValue
        }
    }

    /// These limits with those of the overrides in their place.
    package func overridden(by values: [String: Int]) -> TenantLimits {
        var limits = self
        for (name, value) in values { limits[name] = value }
        return limits
    }
}
