// SPDX-License-Identifier: Apache-2.0
// The slower look at every thread: ids that were reused, signals that never arrive, timers that
// were refused.

internal import CSondeSignal
internal import Glibc

extension ThreadRegistry {
    /// The most threads that one sweep looks at, each with two system calls of 0.3 us; more take
    /// their turns.
    static let sweepSize = 512
    /// CPU time without a sample after which a thread's signal mask is read, in nanoseconds.
    static let suspiciousNanoseconds: Int64 = 200_000_000

    /// Looks at the threads, or at a part of them when there are very many.
    ///
    /// - Parameters:
    ///   - number: Counts the sweeps; chooses the part.
    ///   - period: Nanoseconds of CPU time between samples.
    ///   - signal: The signal whose delivery is watched.
    mutating func sweep(number: Int, period: UInt32, signal: Int32) {
        let parts = entries.count / Self.sweepSize + 1
        for (tid, entry) in entries where Int(entry.slot) % parts == number % parts {
            guard let timer = entry.timer else {
                arm(tid, period: period)
                continue
            }
            if sonde_timer_is_dead(timer) != 0 {
                // The thread is gone, and if its id is still listed, another one has it now: the
                // next scan finds that one.
                remove(tid)
                continue
            }
            watchDelivery(tid, entry, period: period, signal: signal)
        }
    }

    /// The number of threads that were found to block the signal.
    var blockingThreads: Int { entries.values.count { $0.blocksSignal } }

    private mutating func watchDelivery(
        _ tid: Int32, _ entry: Entry, period: UInt32, signal: Int32
    ) {
        let cpu = sonde_thread_cpu_ns(tid)
        guard cpu >= 0 else { return }
        let samples = sonde_slot_counts(entry.slot).samples
        if samples != entry.samples {
            update(tid) {
                $0.samples = samples
                $0.cpuNanoseconds = cpu
                $0.blocksSignal = false
            }
            return
        }
        let limit = max(Self.suspiciousNanoseconds, Int64(period) * 8)
        guard entry.cpuNanoseconds > 0 else {
            update(tid) { $0.cpuNanoseconds = max(cpu, 1) }
            return
        }
        guard cpu - entry.cpuNanoseconds > limit else { return }
        let blocks = Self.blocks(signal, thread: tid)
        update(tid) {
            $0.cpuNanoseconds = cpu
            $0.blocksSignal = blocks
        }
    }

    /// Whether a thread blocks a signal, by `SigBlk` of its status; `false` when that is unknown.
    static func blocks(_ signal: Int32, thread tid: Int32) -> Bool {
        let file = open("/proc/self/task/\(tid)/status", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return false }
        defer { close(file) }
        return withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 8) { buffer in
            // Safety: the kernel writes at most `buffer.count` bytes.
            let count = read(file, buffer.baseAddress, buffer.count)
            guard count > 0 else { return false }
            let status = UnsafeRawBufferPointer(rebasing: buffer[..<count])
            return blocks(signal, status: Array(status))
        }
    }

    /// Whether the text of a thread's status says that it blocks a signal.
    static func blocks(_ signal: Int32, status: [UInt8]) -> Bool {
        let key = Array("SigBlk:".utf8)
        guard (1...64).contains(signal) else { return false }
        for line in status.split(separator: UInt8(ascii: "\n")) where line.starts(with: key) {
            let digits = String(decoding: line.dropFirst(key.count), as: UTF8.self)
                .drop { $0 == "\t" || $0 == " " }
            guard let mask = UInt64(digits, radix: 16) else { return false }
            return mask >> UInt64(signal - 1) & 1 == 1
        }
        return false
    }
}
