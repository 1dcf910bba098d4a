// SPDX-License-Identifier: Apache-2.0
// The sampler's account of itself.

internal import CSondeSignal
internal import Glibc

/// The time stamp counter and the monotonic clock at one moment.
struct TickBase: Sendable {
    /// The time stamp counter.
    var ticks = sonde_ticks()
    /// The monotonic clock, in nanoseconds.
    var nanoseconds = sonde_monotonic_ns()

    /// Converts ticks to nanoseconds by what both clocks counted since this moment.
    func nanoseconds(ofTicks count: UInt64) -> UInt64 {
        let passedTicks = sonde_ticks() &- ticks
        let passed = sonde_monotonic_ns() &- nanoseconds
        guard passedTicks > 0, passed > 0, passedTicks < .max / 2 else { return 0 }
        let product = count.multipliedFullWidth(by: UInt64(passed))
        guard product.high < passedTicks else { return .max }
        return passedTicks.dividingFullWidth(product).quotient
    }
}

extension SamplerState {
    /// The account.
    ///
    /// - Parameters:
    ///   - helperNanoseconds: CPU time of the helper thread.
    ///   - base: When the handler was installed.
    /// - Returns: The account; after the end, the last one.
    func statistics(helperNanoseconds: UInt64, base: TickBase) -> SamplerStatistics {
        if let finalStatistics { return finalStatistics }
        var samples: UInt64 = 0
        var sampledNanoseconds: UInt64 = 0
        var ticks: UInt64 = 0
        for slot in 0..<threads.usedSlots {
            let counts = sonde_slot_counts(slot)
            samples &+= counts.samples
            sampledNanoseconds &+= counts.sampled_ns
            ticks &+= counts.handler_ticks
        }
        return SamplerStatistics(
            enabled: enabled && !isStopped && !isOutOfSignals, hertz: 1e9 / Double(period),
            signalName: Self.name(of: signal), samples: samples,
            sampledNanoseconds: sampledNanoseconds, threads: threads.armed, losses: losses,
            helperNanoseconds: max(helperNanoseconds, endedHelperNanoseconds),
            handlerNanoseconds: base.nanoseconds(ofTicks: ticks), memoryBytes: memoryBytes,
            problems: problems)
    }

    /// The name of a signal that the sampler may use.
    static func name(of signal: Int32) -> String {
        signal == SIGPROF ? "SIGPROF" : "SIGRTMIN+\(signal - SONDE_FIRST_REAL_TIME)"
    }

    private var losses: [SamplerStatistics.Loss] {
        let counts: [(String, UInt64)] = [
            ("ring_full", sonde_lost_samples(SONDE_LOSS_RING_FULL)),
            ("ring_busy", sonde_lost_samples(SONDE_LOSS_RING_BUSY)),
            ("stale_signal", sonde_lost_samples(SONDE_LOSS_STALE)),
            ("foreign_signal", sonde_lost_samples(SONDE_LOSS_FOREIGN)),
            ("too_many_stacks", stacks.overflowedSamples),
            ("signal_blocked", delayedSamples),
            ("timer_refused", threads.refusedTimers),
        ]
        return counts.filter { $0.1 > 0 }.map { SamplerStatistics.Loss(reason: $0.0, count: $0.1) }
    }

    private var memoryBytes: Int {
        // A slot takes 64 bytes; pages of slots that were never used are not resident.
        let untouchedSlots = Int(SONDE_MAX_THREADS - threads.usedSlots) * 64
        return Int(clamping: sonde_reserved_bytes()) - untouchedSlots + stacks.memoryBytes
            + threads.entries.capacity * 64 + HelperThread.stackBytes
    }

    private var problems: [String] {
        var problems: [String] = []
        if sonde_guarded_reads() == 0 {
            problems.append(
                "cannot read memory with a guard: process_vm_readv is forbidden here; "
                    + "stacks of fibers and of new threads are cut to their leaf")
        }
        if replacedSignals > 0 {
            problems.append(
                "another handler took our signal \(replacedSignals) times; now using "
                    + (isOutOfSignals ? "none: no free signal is left" : Self.name(of: signal)))
        }
        if threads.blockingThreads > 0 {
            problems.append(
                "\(threads.blockingThreads) threads block \(Self.name(of: signal)) and cannot be "
                    + "sampled"
                    + (signal == SIGPROF
                        ? "" : "; Dispatch's workers let only SIGPROF through, which is taken"))
        }
        if threads.tooManyThreads > 0 {
            problems.append(
                "cannot arm timers of \(threads.tooManyThreads) threads: got "
                    + "\(threads.armed) timers already; want fewer threads or a higher "
                    + "RLIMIT_SIGPENDING")
        }
        if threads.lastRefusal != 0 {
            problems.append(
                "cannot arm a timer: got errno \(threads.lastRefusal) from timer_create; "
                    + "want room below RLIMIT_SIGPENDING")
        }
        if threads.listError != 0 {
            problems.append(
                "cannot list threads: got errno \(threads.listError) from /proc/self/task; "
                    + "want a readable folder")
        }
        return problems
    }
}
