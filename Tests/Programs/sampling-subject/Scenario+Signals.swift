// SPDX-License-Identifier: Apache-2.0
// Scenarios in which the host has its own ideas about signals and system calls.

import CSamplingSubject
import Dispatch
import Glibc
import SondeSampling
import Synchronization

extension Scenario {
    /// The host owns SIGPROF before the sampler starts.
    static func ownedSignal(_: [String]) throws {
        report("taken", subject_take_signal(SIGPROF))
        let sampler = try sampler(hertz: 500)
        subject_burn_for(400_000_000)
        report("total", total(sampler.collect()))
        report("host.signals", subject_taken_signals())
        raise(SIGPROF)
        report("host.raised", subject_taken_signals())
        account(sampler.statistics)
        sampler.stop()
        report("owner", subject_signal_owner(SIGPROF))
    }

    /// The host takes SIGPROF after the sampler has.
    static func replacedSignal(_: [String]) throws {
        let sampler = try sampler(hertz: 500)
        subject_burn_for(200_000_000)
        report("signal.before", sampler.statistics.signalName)
        _ = subject_take_signal(SIGPROF)
        let end = Atomic<Bool>(false)
        let thread = startThread {
            while !end.load(ordering: .relaxed) { subject_burn_for(10_000_000) }
        }
        let changed = waitUntil { sampler.statistics.signalName != "SIGPROF" }
        report("changed", changed ? 1 : 0)
        poll(nil, 0, 100)
        _ = sampler.collect()
        let host = subject_taken_signals()
        subject_burn_for(300_000_000)
        report("total", total(sampler.collect()))
        report("host.late", subject_taken_signals() - host)
        end.store(true, ordering: .relaxed)
        pthread_join(thread, nil)
        account(sampler.statistics)
        sampler.stop()
        report("owner", subject_signal_owner(SIGPROF))
    }

    /// The sampler is off while the host sets the default action; switched on, it notices first.
    static func droppedHandler(_: [String]) throws {
        let sampler = try sampler(hertz: 500)
        subject_burn_for(100_000_000)
        sampler.configure(enabled: false, hertz: 500)
        subject_drop_signal(SIGPROF)
        sampler.configure(enabled: true, hertz: 500)
        subject_burn_for(300_000_000)
        account(sampler.statistics)
        report("total", total(sampler.collect()))
        sampler.stop()
    }

    /// A thread that blocks the signal for a while.
    static func blockedSignal(_: [String]) throws {
        let sampler = try sampler(hertz: 100)
        let end = Atomic<Bool>(false)
        let thread = startThread {
            subject_mask_signal(SIGPROF, 1)
            // Of its own CPU time, however long the machine takes for it.
            subject_burn_for(1_500_000_000)
            while !end.load(ordering: .relaxed) { subject_burn_for(10_000_000) }
            subject_mask_signal(SIGPROF, 0)
            subject_burn_for(50_000_000)
        }
        let noticed = waitUntil { sampler.statistics.problems.contains { $0.contains("block") } }
        report("noticed", noticed ? 1 : 0)
        end.store(true, ordering: .relaxed)
        pthread_join(thread, nil)
        let profile = sampler.collect()
        let blocked = profile.stacks.filter { $0.kind == .signalBlocked }
        report("blocked", blocked.reduce(0) { $0 + $1.nanoseconds })
        account(sampler.statistics)
        sampler.stop()
    }

    /// Dispatch's workers, on which Swift's tasks run too, block all signals but SIGPROF.
    ///
    /// Arguments: `owned` when the host owns SIGPROF, so that another signal is used.
    static func dispatchWorkers(_ arguments: [String]) throws {
        if arguments.first == "owned" { _ = subject_take_signal(SIGPROF) }
        let sampler = try sampler(hertz: 100)
        let noticed = Atomic<Bool>(false)
        let ended = Atomic<Bool>(false)
        let group = DispatchGroup()
        for _ in 0..<2 {
            DispatchQueue.global().async(group: group) {
                subject_burn_for(600_000_000)
                while !ended.load(ordering: .relaxed) { subject_burn_for(10_000_000) }
            }
        }
        let hasProblem = waitUntil {
            sampler.statistics.problems.contains { $0.contains("block") }
                || sampler.statistics.sampledNanoseconds > 1_000_000_000
        }
        if hasProblem {
            noticed.store(
                sampler.statistics.problems.contains { $0.contains("block") }, ordering: .relaxed)
        }
        ended.store(true, ordering: .relaxed)
        group.wait()
        report("noticed", noticed.load(ordering: .relaxed) ? 1 : 0)
        report("total", total(sampler.collect()))
        account(sampler.statistics)
        sampler.stop()
    }

    /// A filter forbids guarded reads.
    ///
    /// Arguments: `error` or `kill`.
    static func forbiddenReads(_ arguments: [String]) throws {
        let kill = arguments.first == "kill"
        report("filter", subject_forbid_guarded_reads(kill ? 1 : 0))
        let sampler = try sampler(hertz: 500)
        onThreads(2) { index in
            poll(nil, 0, 100)
            subject_burn_for(700_000_000)
            if index == 0 { _ = subject_burn_on_fibers(20, 32 << 10, 100_000_000) }
        }
        let profile = sampler.collect()
        report("total", total(profile))
        let whole = profile.stacks.filter { $0.frames.count > 3 }.reduce(0) { $0 + $1.nanoseconds }
        report("whole", whole)
        account(sampler.statistics)
        sampler.stop()
    }

    /// errno stays, system calls are restarted, and signals of others are not taken for ours.
    static func manners(_: [String]) throws {
        let sampler = try sampler(hertz: 1000)
        report("errno", subject_errno_changes(300_000_000))
        report("interrupted", subject_interrupted_reads(500_000_000))
        raise(SIGPROF)
        account(sampler.statistics)
        sampler.stop()
    }
}
