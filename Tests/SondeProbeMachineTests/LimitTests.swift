// SPDX-License-Identifier: Apache-2.0
// No limit is passed, by however many threads, and what is limited is counted.

import CMachineSubject
import CSondeProbe
import Glibc
import SondeProbeProgram
import Testing

/// Runs a body on several threads at once and waits for them.
func onThreads(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
    final class Job {
        let run: () -> Void
        init(_ run: @escaping () -> Void) { self.run = run }
    }
    var threads: [pthread_t] = []
    for number in 0..<count {
        var thread = pthread_t()
        let job = Unmanaged.passRetained(Job { body(number) })
        // Safety: the thread takes the reference that was passed.
        let made = pthread_create(
            &thread, nil,
            { argument in
                if let argument { Unmanaged<Job>.fromOpaque(argument).takeRetainedValue().run() }
                return nil
            }, job.toOpaque())
        if made == 0 { threads.append(thread) } else { job.release() }
    }
    for thread in threads { pthread_join(thread, nil) }
}

/// A program's context as threads share it; the machine is made for that.
struct SharedContext: @unchecked Sendable {
    let pointer: UnsafeMutableRawPointer?

    /// A hit on the calling thread's stack.
    func hit(_ first: UInt64 = 0) {
        var registers = sonde_hit_registers()
        registers.gpr.0 = first
        registers.gpr.7 = TestProbe.stackPointer()
        sonde_hit_run_program(pointer, &registers)
    }
}

extension MachineSuites {
    @Suite struct Limits {
        init() { TestProbe.start() }

        private static let line = "accept\ncommit"

        @Test func noThreadGetsALineTooMany() throws {
            var limits = TestProbe.Limits()
            limits.hits = 1000
            limits.firstSequence = 50
            let probe = try TestProbe(Self.line, limits)
            let context = SharedContext(pointer: probe.context)
            onThreads(4) { _ in for _ in 0..<2000 { context.hit() } }
            let counts = probe.counts
            #expect(counts.committed == 1000)
            #expect(counts.hits == 8000)
            #expect(counts.last_sequence == 1050)
            #expect(counts.closed_by == SONDE_LIMIT_HITS)
            let sequences = TestProbe.drain().filter { $0.slot == probe.slot }.map(\.sequence)
            #expect(sequences.sorted() == Array(51...1050))
        }

        @Test func aBucketIsExactlyATokenBucket() {
            var random = SeededRandom(6)
            for _ in 0..<500 {
                let interval = UInt64.random(in: 1...1000, using: &random)
                let burst = UInt64.random(in: 1...20, using: &random)
                var now: UInt64 = 1 << 40
                let times = (0..<200).map { _ in
                    now += UInt64.random(in: 0...(interval * 2), using: &random)
                    return now
                }
                var taken = [UInt8](repeating: 0, count: times.count)
                subject_take(interval, burst * interval, times, UInt32(times.count), &taken)
                // Plainly: tokens come one each interval, and at most the burst are kept.
                var level = burst * interval, last = times[0]
                for (time, result) in zip(times, taken) {
                    level = min(burst * interval, level + (time - last))
                    last = time
                    let passes = level >= interval
                    if passes { level -= interval }
                    #expect((result == 1) == passes)
                }
                // So no window of any length holds more than the burst and its own share.
                let passed = zip(times, taken).filter { $0.1 == 1 }.map(\.0)
                for (start, first) in passed.enumerated() {
                    for (end, last) in passed.enumerated() where end >= start {
                        let most = burst + (last - first) / interval
                        if UInt64(end - start + 1) > most {
                            Issue.record("\(end - start + 1) in \(last - first)")
                        }
                    }
                }
            }
        }

        @Test func linesASecondAreLimitedForTheProbeAndForAll() throws {
            var limits = TestProbe.Limits()
            limits.linesPerSecond = 1
            limits.burst = 5
            let probe = try TestProbe(Self.line, limits)
            for _ in 0..<100 { _ = probe.run() }
            let counts = probe.counts
            #expect((5...8).contains(counts.committed))
            #expect(counts.limited.2 == 100 - counts.committed)
            #expect(counts.last_sequence == counts.committed)
            #expect(counts.closed_by == SONDE_LIMIT_NONE)

            TestProbe.start(lines: 3)
            defer { TestProbe.start() }
            let others = [try TestProbe(Self.line), try TestProbe(Self.line)]
            for _ in 0..<50 { for other in others { _ = other.run() } }
            let all = others.map(\.counts)
            #expect(all.map(\.committed).reduce(0, +) < 12)
            #expect(all.map(\.limited.3).reduce(0, +) > 88)
        }

        @Test func bytesASecondAreLimited() throws {
            var limits = TestProbe.Limits()
            limits.bytesPerSecond = 1000
            let probe = try TestProbe(
                """
                readRegister r0, 7
                loadImmediate r1, 800
                accept
                writeMemory r0, r1, 800
                commit
                """, limits)
            for _ in 0..<100 { _ = probe.run() }
            // One line may go over the limit, for its length is not known before.
            #expect((2...4).contains(probe.counts.committed))
            #expect(probe.counts.limited.4 == 100 - probe.counts.committed)
        }

        @Test func aLimitOfNothingLetsNothingPass() throws {
            for change in [\TestProbe.Limits.linesPerSecond, \.bytesPerSecond] {
                var limits = TestProbe.Limits()
                limits[keyPath: change] = 0
                let probe = try TestProbe(Self.line, limits)
                #expect(probe.run().outcome == SONDE_LIMITED)
                #expect(probe.counts.last_sequence == 0)
            }
        }

        @Test func aProbeThatTakesTooMuchTimeClosesItself() throws {
            var limits = TestProbe.Limits()
            limits.cpuMillionths = 10_000
            let probe = try TestProbe(Self.spinning, limits)
            let start = sonde_machine_ticks()
            let second = sonde_machine_ticks_per_second()
            while probe.counts.closed_by == SONDE_LIMIT_NONE {
                _ = probe.run()
                guard sonde_machine_ticks() - start < 20 * second else { break }
            }
            let counts = probe.counts
            #expect(counts.closed_by == SONDE_LIMIT_CPU)
            // One percent of a second is forgiven; one hit in eight is measured.
            #expect((5_000_000...200_000_000).contains(counts.cpu_ns), "\(counts.cpu_ns)")
            #expect(probe.run().outcome == SONDE_CLOSED)
            #expect(probe.counts.closed == 1)
        }

        @Test func allProbesTogetherMayTakeTheirShareOnly() throws {
            TestProbe.start(cpuMillionths: 10_000)
            defer { TestProbe.start() }
            let probes = [try TestProbe(Self.spinning), try TestProbe(Self.spinning)]
            let start = sonde_machine_ticks()
            let second = sonde_machine_ticks_per_second()
            while probes.allSatisfy({ $0.counts.closed_by == SONDE_LIMIT_NONE }) {
                for probe in probes { _ = probe.run() }
                guard sonde_machine_ticks() - start < 20 * second else { break }
            }
            #expect(probes.contains { $0.counts.closed_by == SONDE_LIMIT_PROCESS_CPU })
        }

        @Test func aClosedProbeDoesNothingAnyMore() throws {
            let probe = try TestProbe(Self.line)
            sonde_probe_close(probe.probe)
            #expect(probe.run().outcome == SONDE_CLOSED)
            #expect(probe.counts.closed_by == SONDE_LIMIT_NONE)
        }

        private static let spinning = """
            loadImmediate r0, 20000
            loopBegin r1, r0, 20000
            add r2, r1, r1
            loopEnd
            loadImmediate r0, 0
            stopIfZero r0
            accept
            commit
            """
    }
}
