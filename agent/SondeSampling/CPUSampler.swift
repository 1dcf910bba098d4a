// SPDX-License-Identifier: Apache-2.0
// The sampler as the agent uses it: start, configure, collect, stop.

internal import CSondeSignal
internal import Glibc
internal import SondeLock
internal import SondeModel

/// Samples the stacks of all threads of this process by the CPU time they use.
///
/// Every thread, old and new, gets a timer on its own CPU clock; idle threads are not woken. A
/// thread whose timer fires walks its own stack in a signal handler and goes on; a helper thread
/// adds the stacks up until ``collect()`` takes them. Nothing here traps, prints or exits.
///
/// In a child of `fork` the sampler is inert: every method returns at once and samples nothing.
/// There a new one can be started.
package final class CPUSampler: Sendable {
    /// How to sample.
    package struct Configuration: Hashable, Sendable {
        /// Samples per second of CPU time, for each thread; clamped to 1...1000.
        package var hertz: Double = 100
        /// Whether timers are armed at once.
        package var enabled = true
        /// The most frames of one stack, 1...512; deeper stacks are cut at the root's end.
        package var maxDepth = 512
        /// The most distinct stacks between two calls of ``CPUSampler/collect()``.
        ///
        /// The weight of any others goes to one entry of kind ``CPUStack/Kind/tooManyStacks``.
        package var maxDistinctStacks = 16_384

        /// The defaults.
        package init() {}
    }

    private let helper: HelperThread
    private let base: TickBase
    private let process = OwnProcess()

    /// Installs the signal handler and starts the helper thread.
    ///
    /// SIGPROF is used when nobody owns it, otherwise a free real-time signal.
    ///
    /// - Parameter configuration: How to sample; can be changed by ``configure(enabled:hertz:)``.
    /// - Throws: ``SamplingError`` when a sampler already runs or the system refuses what it needs.
    package init(_ configuration: Configuration = Configuration()) throws(SamplingError) {
        let count = sonde_thread_count()
        guard count > 0 else {
            throw SamplingError(
                .threadsHidden,
                "cannot list threads: got errno \(-count) from /proc/self/task; "
                    + "want a readable folder")
        }
        let depth = configuration.maxDepth
        // Never waited for: in a child of fork it may be held by a thread that does not exist.
        let attempt = Self.gate.withLockIfAvailable { _ in Self.install(maxDepth: depth) }
        let signal = try (attempt ?? .failure(Self.isRunning)).get()
        base = TickBase()
        helper = HelperThread(
            SamplerState(configuration, signal: signal, maxThreads: Self.maxThreads()))
        // Threads that exist are sampled from now on, however late the helper gets a processor.
        helper.state.withLock { state in
            state.publishText()
            state.apply()
        }
        let status = helper.start()
        guard status == 0 else {
            helper.state.withLock { $0.threads.removeAll() }
            sonde_uninstall()
            sonde_release_memory()
            throw SamplingError(
                .systemRefused,
                "cannot start the sampler's thread: got errno \(status) from pthread_create; "
                    + "want a thread")
        }
    }

    deinit { stop() }

    /// Changes rate and state while threads are being sampled.
    ///
    /// What was sampled before keeps its weight. `hertz` is clamped to 1...1000; not a number
    /// leaves the rate as it is.
    package func configure(enabled: Bool, hertz: Double) {
        guard isOwnProcess else { return }
        let changed = helper.state.withLock { state in
            let period = SamplerState.period(hertz: hertz) ?? state.period
            guard state.enabled != enabled || state.period != period else { return false }
            state.enabled = enabled
            state.period = period
            state.apply()
            return true
        }
        if changed { helper.wake() }
    }

    /// Disarms every timer and ends the helper thread.
    ///
    /// Returns when nothing of the sampler runs any more. What was sampled and not yet collected
    /// can still be collected. Calling it again does nothing.
    package func stop() {
        guard isOwnProcess else { return }
        helper.stop()
        helper.state.withLock { state in
            guard !state.isStopped else { return }
            state.threads.removeAll()
            sonde_uninstall()
            state.isStopped = true
            state.finish(helperNanoseconds: state.endedHelperNanoseconds, base: base)
            sonde_release_memory()
        }
    }

    /// Lets the calling thread be sampled, also when it blocks all signals.
    package func admitCallingThread() {
        let signal = sonde_used_signal()
        if signal > 0 { HelperThread.unblock(signal) }
    }

    /// Takes what was sampled since the last call, or since the start.
    ///
    /// One caller at a time; a second one waits.
    package func collect() -> CPUProfile {
        guard isOwnProcess else {
            return CPUProfile(
                start: Timestamp(unixNanoseconds: sonde_wall_ns()), durationNanoseconds: 0,
                periodNanoseconds: 0, stacks: [])
        }
        return helper.state.withLock { $0.collect() }
    }

    /// How the sampler is doing.
    package var statistics: SamplerStatistics {
        guard isOwnProcess else {
            return SamplerStatistics(
                enabled: false, hertz: 0, signalName: "", samples: 0, sampledNanoseconds: 0,
                threads: 0, losses: [], helperNanoseconds: 0, handlerNanoseconds: 0,
                memoryBytes: 0, problems: ["this process is a child of the one that was sampled"])
        }
        return helper.state.withLock { state in
            state.statistics(helperNanoseconds: helper.cpuNanoseconds, base: base)
        }
    }

    // In a child of fork the helper does not exist, and may have held the lock when it was forked.
    private var isOwnProcess: Bool { process.isThisOne }

    private static let gate = Locked<Void>(())

    private static let isRunning = SamplingError(
        .alreadyRunning, "cannot start a sampler: got one that runs already; want none")

    private static func install(maxDepth: Int) -> Result<Int32, SamplingError> {
        let shards = UInt32(clamping: max(2, sysconf(Int32(_SC_NPROCESSORS_ONLN)) * 2))
        var signal: Int32 = 0
        let depth = UInt32(clamping: max(1, maxDepth))
        switch sonde_install(shards, depth, sonde_hwcap2(), &signal) {
        case SONDE_OK:
            return .success(signal)
        case SONDE_ALREADY_RUNNING:
            return .failure(isRunning)
        case SONDE_NO_FREE_SIGNAL:
            return .failure(
                SamplingError(
                    .noFreeSignal,
                    "cannot take a signal: got handlers for SIGPROF and all real-time signals; "
                        + "want one free"))
        default:
            return .failure(
                SamplingError(
                    .systemRefused,
                    "cannot reserve memory for samples: got a refusal; want a few MiB"))
        }
    }

    // Each timer counts against RLIMIT_SIGPENDING, which all processes of the user share: half of
    // it is left to them.
    private static func maxThreads() -> UInt32 {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(11), &limit) == 0 else { return SONDE_MAX_THREADS }
        return UInt32(clamping: min(UInt64(limit.rlim_cur) / 2, UInt64(SONDE_MAX_THREADS)))
    }
}
