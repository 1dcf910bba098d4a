// SPDX-License-Identifier: Apache-2.0
// What one tenant sent: bytes by time, series that are alive, what was refused.

package import SondeModel
internal import Synchronization

/// What one tenant sent, and what it may still send.
package final class TenantAccount: Sendable {
    /// What is known of a tenant at one moment.
    package struct Figures: Hashable, Sendable {
        /// The limits that count.
        package var limits: TenantLimits
        /// Series that had a profile in this hour or the one before.
        package var series = 0
        /// Profiles that were stored since the start.
        package var profiles: UInt64 = 0
        /// Bytes of expanded profiles that were taken since the start.
        package var bytes: UInt64 = 0
        /// Profiles that were refused since the start, by reason.
        package var refused: [String: UInt64] = [:]
    }

    private struct State {
        var limits: TenantLimits
        var rate: ByteRate
        var series = LiveSeries()
        var profiles: UInt64 = 0
        var bytes: UInt64 = 0
        var refused: [String: UInt64] = [:]

        init(_ limits: TenantLimits) {
            self.limits = limits
            rate = ByteRate(bytesPerSecond: limits.bytesPerSecond, burst: limits.burstBytes)
        }
    }

    /// The tenant's name.
    package let name: String
    private let state: Mutex<State>

    init(_ name: String, _ limits: TenantLimits) {
        self.name = name
        state = Mutex(State(limits))
    }

    /// The limits that count now.
    package var limits: TenantLimits { state.withLock { $0.limits } }

    /// What is known now.
    package var figures: Figures {
        state.withLock { state in
            Figures(
                limits: state.limits, series: state.series.count, profiles: state.profiles,
                bytes: state.bytes, refused: state.refused)
        }
    }

    func set(_ limits: TenantLimits) {
        state.withLock { state in
            guard limits != state.limits else { return }
            if limits.bytesPerSecond != state.limits.bytesPerSecond
                || limits.burstBytes != state.limits.burstBytes
            {
                state.rate = ByteRate(
                    bytesPerSecond: limits.bytesPerSecond, burst: limits.burstBytes)
            }
            state.limits = limits
        }
    }

    /// Whether so many bytes could come now; takes none of them.
    func hasRoom(for bytes: Int, at now: ContinuousClock.Instant) -> Bool {
        let rate = state.withLock { $0.rate }
        return rate.has(bytes, at: now)
    }

    /// Takes bytes when they may come now; otherwise takes none.
    func take(_ bytes: Int, at now: ContinuousClock.Instant) -> Bool {
        let rate = state.withLock { $0.rate }
        return rate.take(bytes, at: now)
    }

    /// Whether a series is alive already or may come to life.
    func admits(_ type: ProfileType, _ labels: LabelSet, at now: Timestamp) -> Bool {
        var hasher = Hasher()
        hasher.combine(type)
        hasher.combine(labels)
        // Two series of one hash, which nobody outside can aim at, count as one.
        let hash = hasher.finalize()
        return state.withLock { state in
            state.series.admit(hash, limit: state.limits.series, at: now)
        }
    }

    func stored(profiles: Int, bytes: Int) {
        state.withLock { state in
            state.profiles &+= UInt64(profiles)
            state.bytes &+= UInt64(bytes)
        }
    }

    func refused(_ count: Int, _ reason: String) {
        state.withLock { $0.refused[reason, default: 0] &+= UInt64(count) }
    }
}

/// The series that had a profile in this hour or the one before, by their hashes.
package struct LiveSeries: Sendable {
    private var current: Set<Int> = []
    private var previous: Set<Int> = []
    private var hour: Int64 = 0

    private static let hourNanoseconds: Int64 = 3_600_000_000_000

    /// No series yet.
    package init() {}

    /// How many there are.
    package var count: Int { current.count + previous.count }

    /// Keeps a series alive, or brings it to life where the limit has room for it.
    package mutating func admit(_ hash: Int, limit: Int, at now: Timestamp) -> Bool {
        let present = now.unixNanoseconds / Self.hourNanoseconds
        if present != hour {
            previous = present == hour + 1 ? current : []
            current = []
            hour = present
        }
        if current.contains(hash) { return true }
        if previous.remove(hash) == nil, count >= limit { return false }
        current.insert(hash)
        return true
    }
}
