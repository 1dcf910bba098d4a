// SPDX-License-Identifier: Apache-2.0
// What the helper thread does each time it wakes, and how long it sleeps in between.

internal import CSondeSignal
internal import Glibc

/// When the helper did what; all times by the monotonic clock, in nanoseconds.
struct HelperRounds {
    /// Between rounds while threads come and go: a new thread is unsampled for so long.
    static let shortPause: Int64 = 20_000_000
    /// Between rounds while the same threads are running.
    static let steadyPause: Int64 = 100_000_000
    /// Between rounds while the process does next to nothing.
    static let longPause: Int64 = 250_000_000
    /// For how long threads count as coming and going after one did.
    static let restless: Int64 = 1_000_000_000
    /// Between listings of all threads while their number stays the same.
    ///
    /// A listing takes the kernel about 1.5 us for each thread, so it is done less often where there
    /// are many: up to 2000 threads it uses at most 0.03 % of a processor.
    static func scanEvery(threads: Int) -> Int64 {
        500_000_000 + Int64(min(max(threads, 0), 2000)) * 5_000_000
    }
    /// Between looks at wanted stack bounds, which may read a long map.
    static let boundsEvery: Int64 = 200_000_000
    /// Between sweeps.
    static let sweepEvery: Int64 = 1_000_000_000

    /// The last listing of all threads.
    var lastScan: Int64 = .min / 2
    /// The last change among the threads.
    var lastChange: Int64 = .min / 2
    /// The last look at wanted stack bounds.
    var lastBounds: Int64 = .min / 2
    /// The last sweep.
    var lastSweep: Int64 = .min / 2
    /// The number of sweeps.
    var sweeps = 0
    /// The number of threads in the last round.
    var threadCount: Int32 = 0
    /// The sleep before this round.
    var pause = shortPause
    /// The loader's count of changes when the text was published last.
    var imageChanges: UInt64 = .max
}

extension SamplerState {
    /// Bounds are looked for this often per thread; a stack that is no thread's own never has any.
    static let boundsAttempts = 5

    /// One round of the helper thread.
    ///
    /// - Returns: How long to sleep, in nanoseconds, or `nil` until something is changed.
    mutating func round() -> Int64? {
        let samples = drain()
        guard enabled, !isStopped else { return nil }
        let now = sonde_monotonic_ns()
        checkOwnership()
        guard !isOutOfSignals else { return HelperRounds.longPause }
        scanWhenNeeded(now)
        if now - rounds.lastBounds >= HelperRounds.boundsEvery {
            rounds.lastBounds = now
            publishBounds()
        }
        if now - rounds.lastSweep >= HelperRounds.sweepEvery {
            rounds.lastSweep = now
            rounds.sweeps &+= 1
            threads.sweep(number: rounds.sweeps, period: period, signal: signal)
            publishText()
        }
        return pause(now, samples: samples)
    }

    /// Arms or disarms the timers as configured.
    mutating func apply() {
        guard !isStopped else { return }
        if enabled { checkOwnership() }
        if enabled, !isOutOfSignals {
            threads.rearm(period: period)
            scanWhenNeeded(sonde_monotonic_ns(), always: true)
        } else {
            threads.removeAll()
        }
    }

    private mutating func scanWhenNeeded(_ now: Int64, always: Bool = false) {
        let count = sonde_thread_count()
        guard
            always || count != rounds.threadCount || count <= 0
                || now - rounds.lastScan >= HelperRounds.scanEvery(threads: threads.entries.count)
        else { return }
        rounds.threadCount = count
        rounds.lastScan = now
        if threads.scan(period: period) { rounds.lastChange = now }
    }

    /// Another handler would get signals that it does not expect, and the default action would end
    /// the process: so the timers go at once, and come back with a signal that is free.
    private mutating func checkOwnership() {
        guard !isOutOfSignals, sonde_owns_signal() == 0 else { return }
        replacedSignals += 1
        threads.removeAll()
        var changed: Int32 = 0
        guard sonde_change_signal(&changed) == SONDE_OK else {
            isOutOfSignals = true
            return
        }
        signal = changed
        // Every thread is new to this signal.
        rounds.lastScan = .min / 2
    }

    private mutating func publishBounds() {
        var requests: [StackBoundsFinder.Request] = []
        var tids: [UInt32: Int32] = [:]
        for (tid, entry) in threads.entries where entry.failedBounds < Self.boundsAttempts {
            var stackPointer: UInt64 = 0
            var threadPointer: UInt64 = 0
            guard sonde_slot_wants_bounds(entry.slot, &stackPointer, &threadPointer) != 0
            else { continue }
            tids[entry.slot] = tid
            requests.append(
                StackBoundsFinder.Request(
                    slot: entry.slot, stackPointer: stackPointer, threadPointer: threadPointer))
        }
        guard !requests.isEmpty else { return }
        var finder = StackBoundsFinder(requests)
        guard MemoryMapReader.visitOwnMap({ finder.look(at: $0) }) else { return }
        for (slot, tid) in tids {
            if let range = finder.found[slot] {
                sonde_slot_set_bounds(slot, range.lowerBound, range.upperBound)
            } else {
                threads.update(tid) { $0.failedBounds += 1 }
            }
        }
    }

    /// Tells the handler which text it may look at for prologues.
    mutating func publishText() {
        let changes = LoadedImage.changes
        guard changes != rounds.imageChanges else { return }
        rounds.imageChanges = changes
        var ranges: [Range<UInt64>] = []
        let readable = UInt32(PF_R) | UInt32(PF_X)
        for image in ImageHeaders.all() {
            for header in image.programHeaders
            where header.p_type == UInt32(PT_LOAD) && header.p_flags & readable == readable {
                if let range = image.range(of: header) { ranges.append(range) }
            }
        }
        ranges.sort { $0.lowerBound < $1.lowerBound }
        let pairs = ranges.flatMap { [$0.lowerBound, $0.upperBound] }
        pairs.withUnsafeBufferPointer { pairs in
            // Safety: copied before the call returns.
            sonde_publish_text(pairs.baseAddress, UInt32(clamping: pairs.count / 2))
        }
    }

    /// Sleeps short while threads change, longer when they do not, longest in an idle process.
    private mutating func pause(_ now: Int64, samples: Int) -> Int64 {
        // Samples tell that the process is busy; its CPU clock would cost time for each thread.
        if now - rounds.lastChange < HelperRounds.restless {
            rounds.pause = HelperRounds.shortPause
        } else if samples == 0 {
            rounds.pause = min(rounds.pause * 2, HelperRounds.longPause)
        } else {
            rounds.pause = HelperRounds.steadyPause
        }
        return rounds.pause
    }
}
