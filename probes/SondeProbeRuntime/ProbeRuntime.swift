// SPDX-License-Identifier: Apache-2.0
// Keeps the probes in the service's text as the controller wants them and the policy lets it.

internal import SondeModel
internal import SondeProbeProgram
package import SondeWire

/// What of the world the runtime looks at.
package struct RuntimeSenses: Sendable {
    /// Nanoseconds of a clock that never goes back.
    package var monotonic: @Sendable () -> UInt64
    /// Nanoseconds since the Unix epoch.
    package var unix: @Sendable () -> Int64
    /// A thread's name by the kernel's number, if it still runs.
    package var threadName: @Sendable (UInt32) -> String?

    /// Senses from their parts.
    package init(
        monotonic: @escaping @Sendable () -> UInt64, unix: @escaping @Sendable () -> Int64,
        threadName: @escaping @Sendable (UInt32) -> String?
    ) {
        self.monotonic = monotonic
        self.unix = unix
        self.threadName = threadName
    }
}

/// The probes of this process.
///
/// One thread uses it, and it calls nobody back.
///
///     runtime.want(desired.probes, images: images)
///     let lines = runtime.work(images: images)     // again and again, while `isBusy`
///     let reports = runtime.reports
package final class ProbeRuntime {
    /// The most probes of a process; more are refused.
    package static let maximumProbes = 1000
    /// The latest expiry from the moment in which a program arrives.
    static let longestLife: Int64 = 86_400_000_000_000
    /// About how many bytes of records one call of ``work(images:)`` takes at most.
    static let drainBytes = 1 << 20

    let policy: ProbePolicy
    let patcher: any ProbePatcher
    let senses: RuntimeSenses
    private let marker: InstallMarker?
    /// What earlier processes of this service died of, maybe.
    private let suspects: [InstallMarker.Key: InstallMarker.Phase]
    private var trials = InstallTrials()
    var probes: [String: WantedProbe] = [:]
    /// Which probe a handle belongs to, also a little after it was removed.
    private var owners: [UInt32: String] = [:]
    private var finished: [ProbeLine] = []
    private var images: [RunningImage] = []
    private var nextMaintenance: UInt64 = 0
    /// Probes of the last desired state that were more than ``maximumProbes``.
    package private(set) var turnedAway = 0
    /// Records of probes that were not wanted any more.
    package private(set) var orphans: UInt64 = 0
    /// Changes whenever a probe's state does, but not with its counters.
    package private(set) var stateChanges: UInt64 = 0
    /// Hits of the probes that are in the text, as of the last ``work(images:)``.
    package private(set) var hits: UInt64 = 0
    /// Whether more records wait than the last ``work(images:)`` took.
    package private(set) var hasMore = false

    /// A runtime without probes.
    ///
    /// - Parameters:
    ///   - policy: What the service's owner allows.
    ///   - patcher: Changes the text.
    ///   - marker: Remembers what was being installed when the process died, or `nil`.
    ///   - senses: Clocks and names.
    package init(
        policy: ProbePolicy, patcher: any ProbePatcher, marker: InstallMarker?,
        senses: RuntimeSenses
    ) {
        self.policy = policy
        self.patcher = patcher
        self.marker = marker
        self.senses = senses
        suspects = marker?.refused() ?? [:]
    }

    /// Why installs are not remembered over a death of the process, and how often that was so.
    package var memory: (problem: String?, failures: UInt64) {
        (marker?.problem, marker?.unwritten ?? 0)
    }

    /// Whether there is anything to look after: a probe in the text, or one that waits for an image.
    package var isBusy: Bool {
        !trials.isEmpty || hasMore
            || probes.values.contains { $0.phase == .installed || $0.phase == .pending }
    }

    /// How every wanted probe is, by id.
    package var reports: [ProbeReport] {
        probes.values.map { $0.report(activity(of: $0)) }.sorted { $0.id < $1.id }
    }

    /// Installs what is new, removes what is gone and replaces what has another revision.
    ///
    /// What is as it was stays untouched, in the text and in its state.
    package func want(_ wanted: [ProbeState], images: [RunningImage]) {
        self.images = images
        turnedAway = 0
        var latest: [String: ProbeState] = [:]
        var order: [String] = []
        for probe in wanted where !probe.id.isEmpty {
            if latest.updateValue(probe, forKey: probe.id) == nil { order.append(probe.id) }
        }
        for id in probes.keys.sorted() where latest[id] == nil { discard(id) }
        var fresh: [String] = []
        for id in order {
            guard let probe = latest[id] else { continue }
            if let known = probes[id], known.wanted.revision == probe.revision,
                known.wanted.enabled == probe.enabled
            {
                continue
            }
            admit(probe)
            if probes[id]?.phase == .pending { fresh.append(id) }
            stateChanges &+= 1
        }
        install(fresh)
    }

    /// Looks after what is there: records, limits, images that came or went.
    ///
    /// - Parameter images: The images that are loaded now.
    /// - Returns: The lines of hits since the last call.
    package func work(images: [RunningImage]) -> [ProbeLine] {
        if images != self.images {
            let gone = Set(self.images).subtracting(images)
            self.images = images
            follow(gone)
        }
        drain()
        maintain()
        enforceLimits()
        let passed = trials.look(now: senses.monotonic()) { id in
            probes[id].map { activity(of: $0).hits } ?? 0
        }
        marker?.end(passed)
        return takeLines()
    }

    /// Takes every probe out of the text.
    ///
    /// - Returns: The lines that were not handed over yet.
    package func removeAll() -> [ProbeLine] {
        drain()
        for id in probes.keys.sorted() { discard(id) }
        marker?.end()
        trials.end()
        return takeLines()
    }

    /// What was rendered, in the order of the hits: each ring has only its own in order.
    private func takeLines() -> [ProbeLine] {
        let lines = finished
        finished = []
        let times = lines.map(\.unixNanoseconds)
        guard zip(times, times.dropFirst()).contains(where: { $0 > $1 }) else { return lines }
        return lines.enumerated().sorted {
            ($0.element.unixNanoseconds, $0.offset) < ($1.element.unixNanoseconds, $1.offset)
        }.map(\.element)
    }

    // MARK: Arriving

    /// Takes up a probe that is new or has changed; it is pending then, or at rest.
    private func admit(_ wanted: ProbeState) {
        var probe = WantedProbe(wanted)
        if let earlier = probes[wanted.id] {
            retract(wanted.id)
            if let kept = probes[wanted.id] { probe.past = kept.past }
            probe.lines = earlier.lines
            probe.unrendered = earlier.unrendered
        } else if probes.count >= Self.maximumProbes {
            // Told once for all of them: a report for each would have no bound either.
            turnedAway &+= 1
            return
        }
        defer { probes[wanted.id] = probe }
        guard policy.mode != .off else {
            return probe.rest(.failed, "probes are off in this agent's own configuration")
        }
        guard wanted.enabled else { return probe.rest(.disabled, "") }
        if let phase = suspects[InstallMarker.Key(id: wanted.id, revision: wanted.revision)] {
            return probe.rest(.held, Self.words(phase, wanted.id))
        }
        let program: ProbeProgram
        switch ProgramAdmission.program(of: wanted, policy, now: senses.unix()) {
        case .success(let admitted): program = admitted
        case .failure(let refusal): return probe.rest(.failed, refusal.reason)
        }
        probe.program = program
        probe.renderer = LineRenderer(program, policy)
        if policy.mode == .readOnly {
            return probe.rest(
                .disabled, "this agent is read-only: the program is fine and was not installed")
        }
        if senses.unix() >= program.limits.expiresUnixNanos {
            return probe.rest(.expired, "its time was over before it arrived")
        }
    }

    /// Puts pending probes into the text as far as their images are loaded.
    private func install(_ ids: [String]) {
        let ready = ids.compactMap { id -> (id: String, order: InstallOrder)? in
            guard let probe = probes[id], let program = probe.program else { return nil }
            let order = InstallOrder(
                program: program, images: program.images.map { image(of: $0.buildID) },
                lastSequence: probe.past.lastSequence)
            return order.hasImage ? (id, order) : nil
        }
        guard !ready.isEmpty else { return }
        // On disk first: whatever happens from here on, the next start knows what was tried.
        let keys = ready.map { InstallMarker.Key(id: $0.id, revision: $0.order.program.revision) }
        marker?.begin(keys)
        for (id, order) in ready {
            guard var probe = probes[id] else { continue }
            do {
                let sites = try patcher.install(order)
                probe.sites = sites
                probe.images = Set(order.images.compactMap { $0 })
                probe.phase = .installed
                probe.reason = ""
                owners[sites.handle] = id
            } catch {
                probe.rest(.failed, error.reason)
            }
            probes[id] = probe
            stateChanges &+= 1
        }
        let isThere = { (key: InstallMarker.Key) in self.probes[key.id]?.phase == .installed }
        marker?.end(keys.filter { !isThere($0) })
        marker?.complete(keys.filter(isThere))
        trials.begin(keys.filter(isThere), now: senses.monotonic())
    }

    /// Why a probe is held back.
    private static func words(_ phase: InstallMarker.Phase, _ id: String) -> String {
        let what =
            switch phase {
            case .installing: "while this was being put into its code"
            case .installed: "within a second after this was put into its code"
            }
        return "the service died here \(what); `sonde probe enable \(id)` tries again"
    }

    private func image(of buildID: BuildID) -> RunningImage? {
        images.first { $0.buildID == buildID }
    }

    // MARK: Leaving

    /// Takes a probe out of the text, if it is there, and renders what it left behind.
    private func retract(_ id: String, unloaded: Set<RunningImage> = []) {
        guard let sites = probes[id]?.sites else { return }
        patcher.remove(
            sites.handle,
            unloaded: unloaded.map { $0.start.rawValue..<max($0.start.rawValue, $0.end.rawValue) })
        drain()
        let last = patcher.activity(of: sites.handle)
        let sum = (probes[id]?.past ?? ProbeActivity()).adding(last)
        probes[id]?.past = sum
        probes[id]?.sites = nil
        probes[id]?.images = []
    }

    private func discard(_ id: String) {
        retract(id)
        probes[id] = nil
        owners = owners.filter { $0.value != id }
        stateChanges &+= 1
    }

    private func rest(_ id: String, _ phase: ProbePhase, _ reason: String) {
        retract(id)
        probes[id]?.rest(phase, reason)
        stateChanges &+= 1
    }

    /// Puts probes into images that came, and forgets those in images that went.
    private func follow(_ gone: Set<RunningImage>) {
        var changed: [String] = []
        for (id, probe) in probes where probe.phase == .installed || probe.phase == .pending {
            let now = Set((probe.program?.images ?? []).compactMap { image(of: $0.buildID) })
            guard now != probe.images else { continue }
            changed.append(id)
        }
        for id in changed.sorted() {
            retract(id, unloaded: gone)
            probes[id]?.rest(.pending, "")
            stateChanges &+= 1
        }
        install(changed.sorted())
    }

    // MARK: Working

    private func drain() {
        hasMore = patcher.drain(limit: Self.drainBytes) { handle, header, body in
            guard let id = owners[handle], let renderer = probes[id]?.renderer else {
                orphans &+= 1
                return
            }
            guard
                var line = renderer.line(
                    header, body: body, threadName: senses.threadName(header.thread))
            else {
                probes[id]?.unrendered &+= 1
                return
            }
            // Behind our own names, which count more.
            line.metadata += ScopeLabels.labels(of: header.labels)
            probes[id]?.lines &+= 1
            finished.append(line)
        }
    }

    private func activity(of probe: WantedProbe) -> ProbeActivity {
        probe.sites.map { patcher.activity(of: $0.handle) } ?? ProbeActivity()
    }

    private func enforceLimits() {
        let unix = senses.unix()
        var sum: UInt64 = 0
        defer { hits = sum }
        for id in probes.keys.sorted() {
            guard let probe = probes[id] else { continue }
            if let expires = probe.expires, unix >= expires {
                rest(id, .expired, "its time is over")
                continue
            }
            guard probe.phase == .installed, let limits = probe.program?.limits else { continue }
            let activity = activity(of: probe)
            sum &+= activity.hits
            if activity.hasUsedUpHits {
                rest(id, .expired, "its \(limits.hits) hits are used up")
            } else if let limit = activity.trippedBy {
                rest(id, .tripped, limit)
            }
        }
    }

    /// Lets the patcher look after itself; takes out what it can no longer vouch for.
    private func maintain() {
        let now = senses.monotonic()
        guard now >= nextMaintenance else { return }
        nextMaintenance = now &+ 1_000_000_000
        if !hasMore, owners.count > probes.count &+ 64 {
            // Handles of earlier revisions: what they left in the rings was drained long ago.
            let current = Set(probes.values.compactMap { $0.sites?.handle })
            owners = owners.filter { current.contains($0.key) }
        }
        guard let reason = patcher.maintain() else { return }
        for (id, probe) in probes.sorted(by: { $0.key < $1.key }) where probe.sites?.traps ?? 0 > 0
        {
            rest(id, .tripped, reason)
        }
    }
}
