// SPDX-License-Identifier: Apache-2.0
// Plain loads of memory that may vanish: nothing of it is noticed by the service, whoever handles
// its faults. Each test is a child of its own, because signals belong to a process.

import CMachineSubject
import CSondeProbe
import Glibc
import SondeProbeProgram
import Testing

extension MachineSuites {
    @Suite struct DirectReads {
        /// Memory that can be read and taken away, and a program that reads it.
        private final class Scene {
            let probe: TestProbe
            let page: UnsafeMutableRawPointer

            init?() {
                TestProbe.start()
                let memory = mmap(
                    nil, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
                guard let memory, memory != MAP_FAILED,
                    let probe = try? TestProbe(
                        """
                        readRegister r0, 0
                        accept
                        guard L6
                        load64 r1, r0, 0
                        write64 r1
                        endGuard
                        L6: commit
                        """)
                else { return nil }
                self.probe = probe
                page = memory
                page.storeBytes(of: 0x1122, as: UInt64.self)
            }

            /// What the program reads; `nil` for a fault.
            func read() -> UInt64? {
                let address = UInt64(UInt(bitPattern: page))
                let stack = TestProbe.stackPointer()
                let body = probe.run([address, 0, 0, 0, 0, 0, 0, stack]).body ?? []
                guard body.count == 9, body[0] == 0 else { return nil }
                return body.dropFirst().reversed().reduce(0) { $0 << 8 | UInt64($1) }
            }

            /// Reads until the page is believed in, takes it away, and reads again.
            func livesThroughLoss() -> Bool {
                guard read() == 0x1122, read() == 0x1122 else { return false }
                munmap(page, 4096)
                return read() == nil && read() == nil
            }
        }

        /// Runs a scene in a child: 0 when all was well.
        private func child(_ run: @escaping @convention(c) (UnsafeMutableRawPointer?) -> Int32)
            -> Int32
        {
            subject_in_child(run, nil)
        }

        @Test func memoryThatVanishesIsUnreadable() {
            let status = child { _ in
                guard let scene = Scene(), sonde_machine_use_direct_reads() == 1 else { return 1 }
                guard scene.livesThroughLoss() else { return 2 }
                // The fault was ours, so the signals still are.
                guard sonde_machine_check_direct_reads() == 1 else { return 3 }
                return sonde_machine_recovered_reads() == 1 ? 0 : 4
            }
            #expect(status == 0)
        }

        @Test func aPageThatOnlyChangedIsReadAnew() {
            let status = child { _ in
                guard let scene = Scene(), sonde_machine_use_direct_reads() == 1 else { return 1 }
                guard scene.read() == 0x1122 else { return 2 }
                for value in 0..<100 as Range<UInt64> {
                    scene.page.storeBytes(of: value, as: UInt64.self)
                    guard scene.read() == value else { return 3 }
                }
                mprotect(scene.page, 4096, PROT_NONE)
                guard scene.read() == nil else { return 4 }
                mprotect(scene.page, 4096, PROT_READ)
                return scene.read() == 99 && scene.read() == 99 ? 0 : 5
            }
            #expect(status == 0)
        }

        @Test func theProgramsOwnFaultsGoToItsHandler() {
            let status = child { _ in
                subject_handle(SIGSEGV, 7)
                guard Scene() != nil, sonde_machine_use_direct_reads() == 1 else { return 1 }
                return subject_touch(16)
            }
            #expect(status == 7)
        }

        @Test func aSignalThatSomebodySendsGoesToItsHandler() {
            let status = child { _ in
                subject_handle(SIGBUS, 8)
                guard Scene() != nil, sonde_machine_use_direct_reads() == 1 else { return 1 }
                subject_send(SIGBUS)
                return 2
            }
            #expect(status == 8)
        }

        @Test func aProgramWithoutHandlerDiesAsItWouldHave() {
            let status = child { _ in
                var limit = rlimit(rlim_cur: 0, rlim_max: 0)
                setrlimit(__rlimit_resource_t(4), &limit)  // no core file
                guard Scene() != nil, sonde_machine_use_direct_reads() == 1 else { return 1 }
                return subject_touch(16)
            }
            // Ended by a signal, not by an exit.
            #expect(status == -1)
        }

        @Test func aHandlerThatCallsTheOneBeforeReachesTheFirst() {
            let status = child { _ in
                subject_handle(SIGSEGV, 9)
                guard Scene() != nil, sonde_machine_use_direct_reads() == 1 else { return 1 }
                subject_handle(SIGSEGV, 0)
                return subject_touch(16)
            }
            #expect(status == 9)
        }

        @Test func whenTheProgramTakesTheSignalReadsGoBackToTheKernel() {
            let status = child { _ in
                guard let scene = Scene(), sonde_machine_use_direct_reads() == 1 else { return 1 }
                subject_handle(SIGSEGV, 10)
                guard sonde_machine_check_direct_reads() == 0 else { return 2 }
                guard sonde_machine_use_direct_reads() == 0 else { return 3 }
                return scene.livesThroughLoss() ? 0 : 4
            }
            #expect(status == 0)
        }

        @Test func aThreadThatBlocksTheSignalAsksTheKernel() {
            let status = child { _ in
                guard let scene = Scene(), sonde_machine_use_direct_reads() == 1 else { return 1 }
                subject_block(SIGSEGV)
                guard scene.livesThroughLoss() else { return 2 }
                return sonde_machine_recovered_reads() == 0 ? 0 : 3
            }
            #expect(status == 0)
        }

        @Test func theSignalsCanBeGivenBack() {
            let status = child { _ in
                subject_handle(SIGSEGV, 11)
                guard let scene = Scene(), sonde_machine_use_direct_reads() == 1 else { return 1 }
                sonde_machine_end_direct_reads()
                guard scene.livesThroughLoss() else { return 2 }
                return subject_touch(16)
            }
            #expect(status == 11)
        }
    }
}
