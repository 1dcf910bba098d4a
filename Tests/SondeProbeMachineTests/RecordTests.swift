// SPDX-License-Identifier: Apache-2.0
// Records arrive whole, once, in order, from threads that come and go; lost ones are counted.

import CMachineSubject
import CSondeProbe
import Glibc
import SondeProbeProgram
import Testing

extension MachineSuites {
    @Suite struct Records {
        init() {
            TestProbe.start()
            _ = TestProbe.drain()
        }

        @Test func aRecordSaysWhoAndWhenAndWhere() throws {
            let probe = try TestProbe("accept\ncommit")
            var scope = sonde_scope()
            scope.trace_id.3 = 9
            scope.labels = 5
            var outer = sonde_scope_before()
            sonde_scope_enter(&scope, &outer)
            defer { sonde_scope_leave(&outer) }
            sonde_machine_adjust_clock()
            var before = timespec(), after = timespec()
            clock_gettime(CLOCK_REALTIME, &before)
            SharedContext(pointer: probe.context).hit()
            clock_gettime(CLOCK_REALTIME, &after)
            sonde_machine_adjust_clock()
            let record = try #require(TestProbe.drain().first { $0.slot == probe.slot })
            let nanoseconds = { (time: timespec) in
                Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
            }
            // The clock's rate was measured for some milliseconds only.
            let room: Int64 = 1_000_000
            #expect(record.unixNanoseconds > nanoseconds(before) - room)
            #expect(record.unixNanoseconds < nanoseconds(after) + room)
            #expect(record.tid == subject_thread_number())
            #expect(record.sequence == 1 && record.site == 0)
            // Not in a Swift task.
            #expect(record.header.task == 0 && record.header.labels == 5)
            #expect(record.header.trace_id.3 == 9)
        }

        @Test func whatFindsNoRoomIsCountedAndLeavesAGap() throws {
            let probe = try TestProbe(
                """
                readRegister r0, 7
                loadImmediate r1, 4000
                accept
                writeMemory r0, r1, 4000
                commit
                """)
            let context = SharedContext(pointer: probe.context)
            for _ in 0..<5000 { context.hit() }
            let full = probe.counts
            #expect(full.lost.0 > 0 && full.committed > 0)
            #expect(full.committed + full.lost.0 == 5000)
            #expect(UInt64(TestProbe.drain().count) == full.committed)
            context.hit()
            #expect(TestProbe.drain().map(\.sequence) == [5001])
        }

        @Test func recordsOfAnyLengthComeOutWhole() throws {
            let probe = try TestProbe(
                """
                readRegister r0, 0
                accept
                loopBegin r1, r0, 500
                write8 r0
                loopEnd
                commit
                """)
            let context = SharedContext(pointer: probe.context)
            var random = SeededRandom(7)
            for _ in 0..<300 {
                let lengths = (0..<20).map { _ in UInt64.random(in: 0...500, using: &random) }
                for length in lengths { context.hit(length) }
                let records = TestProbe.drain().filter { $0.slot == probe.slot }
                #expect(records.map { UInt64($0.body.count) } == lengths)
                for record in records {
                    let length = UInt8(truncatingIfNeeded: record.body.count)
                    #expect(record.body.allSatisfy { $0 == length })
                }
            }
        }

        @Test func threadsThatComeAndGoLoseNothingUnseen() throws {
            let probe = try TestProbe(
                """
                readRegister r0, 0
                accept
                write64 r0
                loopBegin r1, r0, 60
                write8 r0
                loopEnd
                commit
                """)
            let context = SharedContext(pointer: probe.context)
            final class Drained: @unchecked Sendable {
                var records: [TestProbe.Record] = []
                var isOver = false
                var lock = pthread_spinlock_t()
                init() { pthread_spin_init(&lock, 0) }
                func stop() {
                    pthread_spin_lock(&lock)
                    isOver = true
                    pthread_spin_unlock(&lock)
                }
                var goesOn: Bool {
                    pthread_spin_lock(&lock)
                    defer { pthread_spin_unlock(&lock) }
                    return !isOver
                }
            }
            let drained = Drained()
            let rounds = 40
            onThreads(2) { number in
                if number == 0 {
                    while drained.goesOn { drained.records += TestProbe.drain() }
                } else {
                    for _ in 0..<rounds {
                        onThreads(6) { thread in
                            for hit in 0..<50 { context.hit(UInt64(thread * 10 + hit % 10)) }
                        }
                    }
                    drained.stop()
                }
            }
            drained.records += TestProbe.drain()
            let counts = probe.counts
            let mine = drained.records.filter { $0.slot == probe.slot }
            #expect(counts.hits == UInt64(rounds * 6 * 50))
            #expect(UInt64(mine.count) == counts.committed)
            #expect(Set(mine.map(\.sequence)).count == mine.count)
            #expect(counts.committed + counts.lost.0 + counts.lost.1 == counts.hits)
            for record in mine {
                let count = Int(record.body[0])
                #expect(record.body.count == 8 + count)
                #expect(record.body.dropFirst(8).allSatisfy { Int($0) == count })
            }
        }

        @Test func ringsOfThreadsThatEndedInARecordAreTakenBack() throws {
            let rings = sonde_record_rings()
            for _ in 0..<rings { #expect(subject_abandon_ring() == 1) }
            // All are held by the dead: nobody waits for them.
            let probe = try TestProbe("accept\ncommit")
            #expect(probe.run().outcome == SONDE_DROPPED)
            #expect(probe.counts.lost.1 == 1)
            _ = sonde_record_recover_rings()
            #expect(sonde_record_recover_rings() == rings)
            #expect(probe.run().outcome == SONDE_COMMITTED)
            // A living thread's ring is left alone.
            _ = sonde_record_recover_rings()
            #expect(sonde_record_recover_rings() == 0)
        }

        @Test func aChildOfForkStartsAnew() throws {
            let status = subject_in_child(
                { _ in
                    TestProbe.start()
                    guard TestProbe.drain().isEmpty,
                        let probe = try? TestProbe(
                            "readRegister r0, 7\naccept\nload64 r1, r0, 0\nwrite64 r1\ncommit")
                    else { return 1 }
                    SharedContext(pointer: probe.context).hit()
                    guard let record = TestProbe.drain().first else { return 2 }
                    return record.tid == subject_thread_number() && record.sequence == 1 ? 0 : 3
                }, nil)
            #expect(status == 0)
        }
    }
}
