// SPDX-License-Identifier: Apache-2.0
// The probes of this process: reconciled by the control thread, looked after by one of their own.

internal import Glibc
internal import SondeHTTPClient
internal import SondeLock
internal import SondeModel
internal import SondeProbeRuntime
internal import SondeSampling
internal import SondeWire
internal import Synchronization

/// Keeps probes as the controller wants them and hands their lines to delivery.
///
/// Its two threads start with the first probe: a service that is never probed does not pay for them.
final class ProbeKeeper: Sendable {
    /// What the keeper works with.
    struct Parts: Sendable {
        var identity: Identity
        var images: ImageCatalog
        /// For lines.
        var client: HTTPClient
        var ledger: Ledger
        /// Makes what changes the text; called once, with the first probe.
        var patcher: @Sendable () -> any ProbePatcher
        /// Wraps what a thread of the agent does.
        var thread:
            @Sendable (_ name: String, _ body: @escaping @Sendable () -> Void) ->
                AgentThread?
        /// Called when there is something to report: a probe's state changed by itself, or it was hit.
        var onChange: @Sendable () -> Void
    }

    private let settings: AgentSettings
    private let parts: Parts
    private let logs: LogDelivery
    private let wake = Flag()
    private let state = Locked(State())
    private let stopDeadline = Atomic<UInt64>(0)

    private struct State {
        var runtime: ProbeRuntime?
        var threads: [AgentThread] = []
        /// The runtime's count of changes when it was last asked for reports.
        var reportedChanges: UInt64 = 0
        var hasStopped = false
    }

    init(_ settings: AgentSettings, _ parts: Parts) {
        self.settings = settings
        self.parts = parts
        logs = LogDelivery(settings, parts.identity, client: parts.client, ledger: parts.ledger)
    }

    /// Its threads, once they run.
    var threads: [AgentThread] { state.withLock { $0.threads } }

    /// Lines that wait for delivery, and their bytes.
    var waiting: (lines: Int, bytes: Int) { logs.waiting }

    /// How every probe is.
    var reports: [ProbeReport] { state.withLock { $0.runtime?.reports ?? [] } }

    /// What was lost, by reason, and what was given to us that could not be used.
    var losses: [(reason: String, count: UInt64)] {
        let (orphans, unwritten) = state.withLock {
            ($0.runtime?.orphans ?? 0, $0.runtime?.memory.failures ?? 0)
        }
        let all = [
            ("probe_records_orphaned", orphans), ("install_markers_unwritten", unwritten),
            ("traceparents_invalid", WorkScope.invalidTraceParents),
        ]
        return all.filter { $0.1 > 0 }
    }

    /// Notes that the controller is about to be told how the probes are.
    func beginReport() {
        state.withLock { $0.reportedChanges = $0.runtime?.stateChanges ?? 0 }
    }

    /// Makes the probes those of the desired state; returns when it is done.
    func want(_ probes: [ProbeState]) {
        let images = RunningImages(parts.images).list
        let isUsed = state.withLock { state in
            guard !state.hasStopped, state.runtime != nil || !probes.isEmpty else { return false }
            if state.runtime == nil { state.runtime = makeRuntime() }
            state.runtime?.want(probes, images: images)
            tellHowMany(state.runtime?.turnedAway ?? 0)
            parts.ledger.setProblem(state.runtime?.memory.problem, at: .installMemory)
            if state.threads.isEmpty { state.threads = startThreads() }
            return true
        }
        if isUsed { wake.raise() }
    }

    /// Makes the threads take out the probes, deliver what there is and end.
    ///
    /// - Parameter deadline: When to give up, by the monotonic clock.
    func stop(by deadline: UInt64) {
        stopDeadline.store(max(1, deadline), ordering: .releasing)
        let hasThread = state.withLock { state in
            state.hasStopped = true
            return !state.threads.isEmpty
        }
        wake.raise()
        // Without its thread nobody else takes the probes out.
        if !hasThread { finish(deadline) }
    }

    private func tellHowMany(_ turnedAway: Int) {
        let most = ProbeRuntime.maximumProbes
        parts.ledger.setProblem(
            turnedAway == 0
                ? nil
                : "cannot take \(turnedAway) probes: got \(most &+ turnedAway); "
                    + "want at most \(most) in one process",
            at: .probeCount)
    }

    private func makeRuntime() -> ProbeRuntime {
        let marker = InstallMarker(
            folder: settings.probes.runtimeFolder, service: settings.service)
        let blindness = WorkScope.learnInTask().map {
            "cannot tell the tasks and asynchronous traces of hits: \($0); want it loaded from the start"
        }
        parts.ledger.setProblem(blindness, at: .probes)
        return ProbeRuntime(
            policy: settings.probes.policy, patcher: parts.patcher(), marker: marker,
            senses: ThreadNames.senses())
    }

    private func startThreads() -> [AgentThread] {
        let logs = logs
        let bodies: [(String, @Sendable () -> Void)] = [
            ("sonde-probes", { [self] in run() }), ("sonde-logs", { logs.run() }),
        ]
        var threads: [AgentThread] = []
        for (name, body) in bodies {
            guard let thread = parts.thread(name, body) else {
                // The first takes the probes out in the end; without it the second has no use.
                parts.ledger.setProblem(
                    "cannot look after probes: got no thread \(name); want one", at: .probes)
                break
            }
            threads.append(thread)
        }
        return threads
    }

    /// What the probes' thread does until it is stopped.
    private func run() {
        var images = RunningImages(parts.images)
        var pace = DrainPace(settings.pace.probeDrain)
        var reports = HitReportPace(settings.pace.hitReport)
        while true {
            // Acquire; pairs with the release in `stop`.
            let deadline = stopDeadline.load(ordering: .acquiring)
            guard deadline == 0 else { return finish(deadline) }
            images.look()
            let (lines, isBusy, hasMore, hasNews, hits) = state.withLock { state in
                guard let runtime = state.runtime else {
                    return ([ProbeLine](), false, false, false, UInt64(0))
                }
                let lines = runtime.work(images: images.list)
                let hasNews = runtime.stateChanges != state.reportedChanges
                state.reportedChanges = runtime.stateChanges
                parts.ledger.setProblem(runtime.memory.problem, at: .installMemory)
                return (lines, runtime.isBusy, runtime.hasMore, hasNews, runtime.hits)
            }
            logs.append(lines)
            if reports.isDue(hits: hits, now: Clock.monotonic) || hasNews { parts.onChange() }
            if hasMore { continue }
            let wait = pace.next(hadLines: !lines.isEmpty)
            _ = wake.wait(until: Clock.monotonic(after: isBusy ? wait : 86_400))
        }
    }

    private func finish(_ deadline: UInt64) {
        logs.append(state.withLock { $0.runtime?.removeAll() ?? [] })
        logs.stop(by: deadline)
    }
}

/// How long the probes' thread waits between two looks at the rings.
///
/// Where nothing is hit, half as often is soon enough: an idle probe costs half as much then, and
/// its first line still arrives well before the eye would notice.
struct DrainPace: Hashable, Sendable {
    /// Looks in vain after which the pace is slow.
    static let patience = 40

    private let seconds: Double
    private var vain = 0

    /// A pace that begins fast.
    init(_ seconds: Double) { self.seconds = seconds }

    /// How many seconds to wait after a look.
    mutating func next(hadLines: Bool) -> Double {
        vain = hadLines ? 0 : min(vain &+ 1, Self.patience)
        return vain < Self.patience ? seconds : seconds * 2
    }
}

/// When the controller is told of new hits, beside the polls that are made anyway.
///
/// Soon after the first hit, so that a probe's figures follow its lines; then in growing distances,
/// for each report ends the poll that waits and costs a request. Without hits none is made.
struct HitReportPace: Hashable, Sendable {
    private let nanoseconds: UInt64
    private var reported: UInt64 = 0
    private var nextAt: UInt64 = 0
    private var isGoingOn = false

    /// A pace of at most one report in so many seconds.
    init(_ seconds: Double) {
        nanoseconds = UInt64(exactly: (min(seconds, 1e6) * 1e9).rounded()) ?? 1_000_000_000
    }

    /// Looks whether a report is due, which is made then.
    ///
    /// - Parameters:
    ///   - hits: The hits of all probes in the text.
    ///   - now: The monotonic time.
    /// - Returns: Whether it is time to tell.
    mutating func isDue(hits: UInt64, now: UInt64) -> Bool {
        guard now >= nextAt else { return false }
        guard hits != reported else {
            isGoingOn = false
            return false
        }
        reported = hits
        nextAt = now &+ (isGoingOn ? nanoseconds &* 2 : nanoseconds)
        isGoingOn = true
        return true
    }
}

/// The images of the process as probes know them, read again when they change.
private struct RunningImages {
    private let catalog: ImageCatalog
    private var changes: UInt64
    /// The images that have a build id.
    private(set) var list: [RunningImage]

    init(_ catalog: ImageCatalog) {
        self.catalog = catalog
        let current = catalog.current
        changes = current.changes
        list = Self.list(of: current)
    }

    mutating func look() {
        let current = catalog.current
        guard current.changes != changes else { return }
        changes = current.changes
        list = Self.list(of: current)
    }

    private static func list(of snapshot: ImageCatalog.Snapshot) -> [RunningImage] {
        snapshot.images.compactMap { image in
            image.buildID.map {
                RunningImage(
                    buildID: $0, path: image.path, bias: image.bias, start: image.loadStart,
                    end: image.loadEnd)
            }
        }
    }
}

/// Names of the process's threads, looked up again now and then.
private final class ThreadNames {
    private var names: [UInt32: String?] = [:]
    private var forgetAt: UInt64 = 0

    /// The most names that are kept.
    private static let maximum = 1024

    /// The clocks and the names of this process.
    static func senses() -> RuntimeSenses {
        let names = Locked(ThreadNames())
        return RuntimeSenses(
            monotonic: { Clock.monotonic }, unix: { Int64(clamping: Clock.unix) },
            threadName: { number in names.withLock { $0.name(of: number) } })
    }

    private func name(of thread: UInt32) -> String? {
        let now = Clock.monotonic
        if now >= forgetAt || names.count >= Self.maximum {
            names = [:]
            forgetAt = now &+ 1_000_000_000
        }
        if let known = names[thread] { return known }
        let name = Self.read(thread)
        names[thread] = name
        return name
    }

    private static func read(_ thread: UInt32) -> String? {
        let file = open("/proc/self/task/\(thread)/comm", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 64)
        let got = Glibc.read(file, &bytes, bytes.count)
        guard got > 1 else { return nil }
        return String(decoding: bytes.prefix(got).prefix { $0 != 10 }, as: UTF8.self)
    }
}
