// SPDX-License-Identifier: Apache-2.0
// Profiles that wait for delivery, within limits of bytes and age.

/// A profile that waits for delivery.
struct PendingProfile: Hashable, Sendable {
    /// The pprof document, gzipped.
    var bytes: [UInt8]
    /// A UUID, the same at each attempt.
    var id: String
    /// When it was made, by the monotonic clock, in nanoseconds.
    var created: UInt64
}

/// A queue that drops its oldest entries when it grows too large, and those that are too old.
struct DeliveryQueue: Sendable {
    private var entries: [PendingProfile] = []
    /// The bytes of all entries.
    private(set) var byteCount = 0

    private let maximumBytes: Int
    private let maximumAge: UInt64

    /// A queue with its limits.
    init(maximumBytes: Int, maximumAgeSeconds: Double) {
        self.maximumBytes = maximumBytes
        maximumAge = UInt64(min(max(maximumAgeSeconds, 0), 1e6) * 1e9)
    }

    /// The number of entries.
    var count: Int { entries.count }

    /// The oldest entry.
    var first: PendingProfile? { entries.first }

    /// Adds an entry and makes room for it.
    ///
    /// - Returns: How many were dropped because of the limit of bytes; the new one is among them
    ///   when it alone is too large.
    mutating func append(_ profile: PendingProfile) -> Int {
        guard profile.bytes.count <= maximumBytes else { return 1 }
        var dropped = 0
        while byteCount + profile.bytes.count > maximumBytes {
            removeFirst()
            dropped += 1
        }
        entries.append(profile)
        byteCount += profile.bytes.count
        return dropped
    }

    /// Drops what is too old.
    ///
    /// - Parameter now: The monotonic time, in nanoseconds.
    /// - Returns: How many were dropped.
    mutating func dropOutdated(at now: UInt64) -> Int {
        var dropped = 0
        while let oldest = entries.first, now > oldest.created, now - oldest.created > maximumAge {
            removeFirst()
            dropped += 1
        }
        return dropped
    }

    /// Removes the oldest entry.
    mutating func removeFirst() {
        guard !entries.isEmpty else { return }
        byteCount -= entries.removeFirst().bytes.count
    }
}
