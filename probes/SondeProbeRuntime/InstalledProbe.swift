// SPDX-License-Identifier: Apache-2.0
// One probe of the desired state, from the moment it is wanted until it is not.

internal import SondeModel
internal import SondeProbeProgram
internal import SondeWire

/// A probe that is wanted, and how far it got.
struct WantedProbe {
    /// What the controller asked for last.
    let wanted: ProbeState
    /// The decoded and verified program; `nil` when it never got that far.
    var program: ProbeProgram?
    var renderer: LineRenderer?
    var phase = ProbePhase.pending
    var reason = ""
    /// Where it is in the text, when it is.
    var sites: InstalledSites?
    /// The images that it was put into.
    var images: Set<RunningImage> = []
    /// What the last handle did when it was given up, added to what earlier ones had done.
    var past = ProbeActivity()
    /// Lines that were rendered.
    var lines: UInt64 = 0
    /// Records that could not be rendered.
    var unrendered: UInt64 = 0

    init(_ wanted: ProbeState) { self.wanted = wanted }

    /// The nanosecond of the Unix epoch from which on the probe is over; `nil` while it is not in
    /// the text or waiting to be.
    var expires: Int64? {
        guard phase == .installed || phase == .pending, let program else { return nil }
        return program.limits.expiresUnixNanos
    }

    /// Notes that the probe is not in the text and will not be by itself.
    mutating func rest(_ phase: ProbePhase, _ reason: String) {
        self.phase = phase
        self.reason = reason
    }

    /// How the probe is.
    ///
    /// - Parameter activity: What its handle did so far.
    /// - Returns: The report, with what earlier handles did.
    func report(_ activity: ProbeActivity) -> ProbeReport {
        let all = past.adding(activity)
        var report = ProbeReport()
        report.id = wanted.id
        report.revision = wanted.revision
        report.state = phase.rawValue
        report.reason = reason
        report.jumpSites = UInt64(clamping: sites?.jumps ?? 0)
        report.trapSites = UInt64(clamping: sites?.traps ?? 0)
        report.hits = all.hits
        report.lines = lines
        report.conditionFalse = all.conditionFalse
        report.conditionErrors = all.conditionErrors
        var dropped = all.dropped
        if unrendered > 0 { dropped["unrenderable", default: 0] &+= unrendered }
        report.dropped = dropped.sorted { $0.key < $1.key }.map { reason, count in
            var counter = Counter()
            counter.reason = reason
            counter.count = count
            return counter
        }
        report.ownCPUNanos = all.cpuNanoseconds
        report.lastSequence = all.lastSequence
        return report
    }
}

extension ProbeActivity {
    /// This and a later handle's activity of the same probe.
    func adding(_ later: ProbeActivity) -> ProbeActivity {
        var sum = self
        sum.hits &+= later.hits
        sum.conditionFalse &+= later.conditionFalse
        sum.conditionErrors &+= later.conditionErrors
        sum.dropped.merge(later.dropped) { $0 &+ $1 }
        sum.cpuNanoseconds &+= later.cpuNanoseconds
        // A later handle goes on counting where the earlier one stopped.
        sum.lastSequence = max(lastSequence, later.lastSequence)
        sum.hasUsedUpHits = later.hasUsedUpHits
        sum.trippedBy = later.trippedBy
        return sum
    }
}
