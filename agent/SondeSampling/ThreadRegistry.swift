// SPDX-License-Identifier: Apache-2.0
// Which threads there are, and one timer for each: armed when a thread is first seen, deleted when
// it is gone.

internal import CSondeSignal
internal import Glibc

/// The threads of this process and their timers.
struct ThreadRegistry {
    /// What is known of one thread.
    struct Entry {
        /// Its slot in the handler's state.
        var slot: UInt32
        /// Its timer's id, or `nil` while it could not be armed.
        var timer: Int32?
        /// The scan that saw it last.
        var seen: UInt64
        /// Its CPU time when the sweep last looked, in nanoseconds.
        var cpuNanoseconds: Int64 = 0
        /// Its samples when the sweep last looked.
        var samples: UInt64 = 0
        /// Whether it was found to block the signal.
        var blocksSignal = false
        /// How often its stack's bounds were looked for in vain.
        var failedBounds = 0
    }

    /// The threads by id.
    private(set) var entries: [Int32: Entry] = [:]
    /// Slots below this number were in use at some time.
    private(set) var usedSlots: UInt32 = 0
    /// Threads without a timer because there are too many, when they were last listed.
    private(set) var tooManyThreads = 0
    /// Threads that got no timer at first because the system refused one, since the start.
    private(set) var refusedTimers: UInt64 = 0
    /// The error of the last refusal, as errno counts; 0 when the last timer was armed.
    private(set) var lastRefusal: Int32 = 0
    /// Why threads could not be listed the last time, as errno counts, or 0.
    private(set) var listError: Int32 = 0

    private let maxThreads: UInt32
    private var freeSlots: [UInt32] = []
    private var buffer: [Int32] = []
    private var scan: UInt64 = 0
    private var random: UInt64

    /// No threads yet.
    ///
    /// - Parameters:
    ///   - maxThreads: The most timers to create; each counts against the user's limit of queued
    ///     signals, which other programs need too.
    ///   - seed: Where the timers' random phases begin.
    init(maxThreads: UInt32, seed: UInt64) {
        self.maxThreads = min(maxThreads, SONDE_MAX_THREADS)
        random = seed | 1
    }

    /// The number of threads that have a timer.
    var armed: Int { entries.values.count { $0.timer != nil } }

    /// Lists the threads, arms a timer for each new one and deletes those of threads that are gone.
    ///
    /// - Parameter period: Nanoseconds of CPU time between samples.
    /// - Returns: Whether any thread came or went.
    mutating func scan(period: UInt32) -> Bool {
        guard let count = listThreads() else { return false }
        scan &+= 1
        tooManyThreads = 0
        var changed = false
        for index in 0..<count {
            let tid = buffer[index]
            if entries[tid] != nil {
                entries[tid]?.seen = scan
            } else if add(tid, period: period) {
                changed = true
            }
        }
        for (tid, entry) in entries where entry.seen != scan {
            // A listing can miss a living thread while others end, so the timer has the last word.
            if let timer = entry.timer, sonde_timer_is_dead(timer) == 0 { continue }
            remove(tid)
            changed = true
        }
        return changed
    }

    /// Deletes every timer.
    mutating func removeAll() {
        for tid in Array(entries.keys) { remove(tid) }
    }

    /// Arms every timer anew with another period.
    ///
    /// A timer that is created anew carries its period in its signals, so that one which is on its
    /// way keeps the old weight.
    mutating func rearm(period: UInt32) {
        for (tid, entry) in entries {
            if let timer = entry.timer { sonde_timer_delete(timer) }
            arm(tid, period: period)
        }
    }

    /// Forgets a thread and deletes its timer.
    mutating func remove(_ tid: Int32) {
        guard let entry = entries.removeValue(forKey: tid) else { return }
        if let timer = entry.timer { sonde_timer_delete(timer) }
        freeSlots.append(entry.slot)
    }

    /// Changes what is known of a thread.
    mutating func update(_ tid: Int32, _ change: (inout Entry) -> Void) {
        guard var entry = entries[tid] else { return }
        change(&entry)
        entries[tid] = entry
    }

    /// Arms the timer of a thread that is known, or notes why that failed.
    mutating func arm(_ tid: Int32, period: UInt32) {
        guard var entry = entries[tid] else { return }
        let timer = sonde_timer_arm(tid, entry.slot, period, randomPhase(period))
        entry.timer = timer >= 0 ? timer : nil
        lastRefusal = timer < 0 ? -timer : 0
        entries[tid] = entry
    }

    // A thread that lives shorter than a period is sampled with the probability that its CPU time
    // has of a period: with a fixed phase it never would be.
    private mutating func randomPhase(_ period: UInt32) -> UInt32 {
        random ^= random << 13
        random ^= random >> 7
        random ^= random << 17
        return UInt32(random >> 32) % max(period, 1) + 1
    }

    private mutating func add(_ tid: Int32, period: UInt32) -> Bool {
        guard let slot = freeSlots.popLast() ?? newSlot() else {
            tooManyThreads += 1
            return false
        }
        sonde_slot_reset(slot)
        let samples = sonde_slot_counts(slot).samples
        entries[tid] = Entry(slot: slot, timer: nil, seen: scan, samples: samples)
        arm(tid, period: period)
        guard entries[tid]?.timer == nil else { return true }
        // It ended since it was listed, or the limit of queued signals is reached; the sweep tries
        // the latter again.
        if lastRefusal == ESRCH || lastRefusal == EINVAL {
            lastRefusal = 0
            remove(tid)
        } else {
            refusedTimers &+= 1
        }
        return true
    }

    private mutating func newSlot() -> UInt32? {
        guard usedSlots < maxThreads else { return nil }
        usedSlots += 1
        return usedSlots - 1
    }

    private mutating func listThreads() -> Int? {
        if buffer.isEmpty { buffer = [Int32](repeating: 0, count: 256) }
        while true {
            let room = Int32(buffer.count)
            let count = buffer.withUnsafeMutableBufferPointer { tids in
                // Safety: writes at most `room` ids.
                sonde_list_threads(tids.baseAddress, room)
            }
            listError = count < 0 ? -count : 0
            guard count > 0 else { return nil }
            if count <= room { return Int(count) }
            // Threads beyond the limit are listed no more than are needed to see that.
            guard buffer.count < 65_536 else { return buffer.count }
            buffer = [Int32](repeating: 0, count: buffer.count * 2)
        }
    }
}
