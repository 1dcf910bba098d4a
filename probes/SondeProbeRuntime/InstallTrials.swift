// SPDX-License-Identifier: Apache-2.0
// Which probes were put into the text so lately that a death of the process may be their doing.

/// The probes that are on trial.
///
/// A trial ends when the process has lived on for a second, or when it has run through the probe: a
/// hit was seen at one look, and at a later one the process still lives.
struct InstallTrials {
    /// How long after an install a death still counts as caused by it.
    static let nanoseconds: UInt64 = 1_000_000_000

    private struct Trial {
        var key: InstallMarker.Key
        var end: UInt64
        var wasHit = false
    }

    private var trials: [Trial] = []

    /// Whether no probe is on trial.
    var isEmpty: Bool { trials.isEmpty }

    /// Begins the trial of probes that were just installed.
    mutating func begin(_ keys: [InstallMarker.Key], now: UInt64) {
        let end = now &+ Self.nanoseconds
        trials.removeAll { keys.contains($0.key) }
        trials += keys.map { Trial(key: $0, end: end) }
    }

    /// Ends the trials that are over.
    ///
    /// - Parameters:
    ///   - now: The monotonic time.
    ///   - hits: How often a probe was hit so far, by its id.
    /// - Returns: What passed its trial.
    mutating func look(now: UInt64, hits: (String) -> UInt64) -> [InstallMarker.Key] {
        guard !trials.isEmpty else { return [] }
        var passed: [InstallMarker.Key] = []
        trials.removeAll { trial in
            guard now >= trial.end || trial.wasHit else { return false }
            passed.append(trial.key)
            return true
        }
        for index in trials.indices { trials[index].wasHit = hits(trials[index].key.id) > 0 }
        return passed
    }

    /// Ends all trials.
    mutating func end() { trials = [] }
}
