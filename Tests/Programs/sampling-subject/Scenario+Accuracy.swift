// SPDX-License-Identifier: Apache-2.0
// Scenarios that compare what was sampled with what threads really used.

import CSamplingSubject
import Glibc
import SondeSampling
import Synchronization

extension Scenario {
    /// Four threads burn in three functions, 5 : 3 : 2.
    ///
    /// Arguments: rate, CPU milliseconds each.
    static func accuracy(_ arguments: [String]) throws {
        let hertz = arguments.first.flatMap(Double.init) ?? 100
        let milliseconds = arguments.dropFirst().first.flatMap(Int64.init) ?? 1000
        let sampler = try sampler(hertz: hertz)
        let used = Mutex<[Int64]>([0, 0, 0])
        onThreads(4) { _ in
            // A thread is unsampled until the helper has seen it.
            poll(nil, 0, 300)
            var own: [Int64] = [0, 0, 0]
            var now = subject_thread_cpu()
            let end = now + milliseconds * 1_000_000
            // Expiries are noticed at the kernel's tick, so work that repeats with the tick would
            // always be caught in the same place.
            while now < end {
                let size = UInt64.random(in: 10_000...200_000)
                for (index, parts) in [5, 3, 2].enumerated() {
                    let rounds = UInt64(parts) * size
                    switch index {
                    case 0: _ = subject_burn_one(rounds)
                    case 1: _ = subject_burn_two(rounds)
                    default: _ = subject_burn_three(rounds)
                    }
                    let then = subject_thread_cpu()
                    own[index] += then - now
                    now = then
                }
            }
            used.withLock { sum in for index in 0..<3 { sum[index] += own[index] } }
        }
        let profile = sampler.collect()
        let cpu = used.withLock { $0 }
        report("cpu", cpu.reduce(0, +))
        report("total", total(profile))
        for index in 0..<3 {
            report("cpu.\(index)", cpu[index])
            report("leaf.\(index)", leafTime(profile, burn: Int32(index + 1)))
        }
        let captured = profile.stacks.filter { $0.kind == .captured }
        report("stacks", captured.count)
        report("frames.median", medianDepth(profile))
        report("duration", profile.durationNanoseconds)
        account(sampler.statistics)
        sampler.stop()
    }

    /// The rate changes again and again while threads burn; weights must add up all the same.
    static func rateChange(_: [String]) throws {
        let sampler = try sampler(hertz: 100)
        let used = Mutex<Int64>(0)
        let done = Atomic<Int>(0)
        let threads = (0..<3).map { _ in
            startThread {
                poll(nil, 0, 300)
                let before = subject_thread_cpu()
                subject_burn_for(1_000_000_000)
                used.withLock { $0 += subject_thread_cpu() - before }
                done.add(1, ordering: .relaxed)
            }
        }
        let rates: [Double] = [1000, 50, 400, 97, 250]
        var changes = 0
        while done.load(ordering: .relaxed) < 3 {
            poll(nil, 0, 300)
            sampler.configure(enabled: true, hertz: rates[changes % rates.count])
            changes += 1
        }
        for thread in threads { pthread_join(thread, nil) }
        report("changes", changes)
        report("cpu", used.withLock { $0 })
        report("total", total(sampler.collect()))
        sampler.configure(enabled: false, hertz: .nan)
        report("timers.off", subject_timers())
        report("hertz", sampler.statistics.hertz)
        subject_burn_for(200_000_000)
        report("total.off", total(sampler.collect()))
        sampler.configure(enabled: true, hertz: 5000)
        report("hertz.clamped", sampler.statistics.hertz)
        account(sampler.statistics)
        sampler.stop()
    }

    /// Idle threads beside one that burns; what the sampler costs.
    ///
    /// Arguments: number of threads.
    static func idleThreads(_ arguments: [String]) throws {
        let count = arguments.first.flatMap(Int.init) ?? 200
        let end = Atomic<Bool>(false)
        let idle = (0..<count).map { _ in
            startThread { while !end.load(ordering: .relaxed) { poll(nil, 0, 60_000) } }
        }
        let sampler = try sampler(hertz: 100)
        _ = waitUntil { sampler.statistics.threads > count }
        let before = sampler.statistics
        let cpuBefore = processCPU()
        subject_burn_for(1_500_000_000)
        let after = sampler.statistics
        report("cpu", processCPU() - cpuBefore)
        report(
            "own", Int64(after.ownCPUNanoseconds) - Int64(before.ownCPUNanoseconds))
        report(
            "own.helper", Int64(after.helperNanoseconds) - Int64(before.helperNanoseconds))
        account(after)
        sampler.stop()
        _ = idle
    }

    /// Threads that live for less than a period: on average they are sampled all the same.
    static func shortThreads(_: [String]) throws {
        let sampler = try sampler(hertz: 100)
        let used = Mutex<Int64>(0)
        onThreads(150) { _ in
            poll(nil, 0, 200)
            let before = subject_thread_cpu()
            subject_burn_for(6_000_000)
            used.withLock { $0 += subject_thread_cpu() - before }
        }
        report("cpu", used.withLock { $0 })
        report("burned", leafTime(sampler.collect(), burn: 1))
        account(sampler.statistics)
        sampler.stop()
    }

    static func processCPU() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    private static func medianDepth(_ profile: CPUProfile) -> Int {
        let depths = profile.stacks.filter { $0.kind == .captured }.map(\.frames.count).sorted()
        return depths.isEmpty ? 0 : depths[depths.count / 2]
    }
}
