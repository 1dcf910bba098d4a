// SPDX-License-Identifier: Apache-2.0
// Whatever address a program reads, the process lives, and what is there is what is read.

import CMachineSubject
import CSondeProbe
import Glibc
import SondeProbeProgram
import Testing

extension MachineSuites {
    @Suite struct Memory {
        init() { TestProbe.start() }

        private static let load = """
            readRegister r0, 0
            accept
            guard L6
            load64 r1, r0, 0
            write64 r1
            endGuard
            L6: commit
            """

        /// What a load at an address gives on the calling thread; `nil` when it cannot be read.
        private static func word(_ probe: TestProbe, _ address: UInt64, rsp: UInt64) -> UInt64? {
            let body = probe.run([address, 0, 0, 0, 0, 0, 0, rsp]).body ?? []
            guard body.count == 9 else { return nil }
            let value = body.dropFirst().reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            return body[0] == 0 ? value : nil
        }

        @Test func wildAddressesAreUnreadable() throws {
            let probe = try TestProbe(Self.load)
            let stack = TestProbe.stackPointer()
            let wild: [UInt64] = [
                0, 1, 0xFFF, 1 << 47, 1 << 63, .max, .max - 7, .max - 3, 0x7FFF_FFFF_F000,
                0xFFFF_FFFF_FF60_0000 - 4, 0xDEAD_BEEF_0000_0000,
            ]
            for address in wild {
                #expect(Self.word(probe, address, rsp: stack) == nil, "\(address)")
            }
        }

        @Test func aLoadAcrossTheEndOfAMappingIsUnreadable() throws {
            let landscape = try Landscape(pages: [10])
            landscape.store([UInt8](repeating: 7, count: 4096), at: 10 * 4096)
            let probe = try TestProbe(Self.load)
            let stack = TestProbe.stackPointer()
            let start = landscape.start + 10 * 4096
            #expect(Self.word(probe, start + 4088, rsp: stack) == 0x0707_0707_0707_0707)
            #expect(Self.word(probe, start + 4089, rsp: stack) == nil)
            #expect(Self.word(probe, start, rsp: stack) == 0x0707_0707_0707_0707)
            #expect(Self.word(probe, start - 1, rsp: stack) == nil)
        }

        @Test func everyAddressAroundAStackIsReadOrRefused() throws {
            // A thread's own stack is read by plain loads: they must end where it ends.
            for bytes: UInt64 in [1 << 17, 1 << 20] {
                subject_on_thread(
                    bytes,
                    { _ in
                        guard let probe = try? TestProbe(MachineSuites.Memory.load) else { return }
                        let stack = TestProbe.stackPointer()
                        var readable = 0
                        for step in 0..<6000 {
                            let address = stack &- (1 << 20) &+ UInt64(step * 509)
                            if MachineSuites.Memory.word(probe, address, rsp: stack) != nil {
                                readable += 1
                            }
                        }
                        #expect(readable > 5)
                        var marker: UInt64 = 0x1234_5678_9ABC_DEF0
                        let address = withUnsafePointer(to: &marker) {
                            UInt64(UInt(bitPattern: $0))
                        }
                        #expect(MachineSuites.Memory.word(probe, address, rsp: stack) == marker)
                    }, nil)
            }
        }

        @Test func aStackThatIsNoThreadsOwnIsReadWithCare() throws {
            // As a fiber's: a few pages with nothing around them.
            let landscape = try Landscape(pages: [20, 21])
            landscape.store([1, 2, 3, 4, 5, 6, 7, 8], at: 21 * 4096)
            let probe = try TestProbe(Self.load)
            let stack = landscape.start + 20 * 4096 + 100
            for _ in 0..<3 {
                let top = landscape.start + 22 * 4096
                #expect(Self.word(probe, top - 4096, rsp: stack) == 0x0807_0605_0403_0201)
                #expect(Self.word(probe, top - 4, rsp: stack) == nil)
                #expect(Self.word(probe, top, rsp: stack) == nil)
            }
        }

        @Test func textsOfSwiftAreReadInAllTheirForms() throws {
            let probe = try TestProbe(
                """
                readRegister r0, 0
                readRegister r1, 1
                accept
                guard L7
                spanSwiftString s0, r0, r1
                writeSpan s0, 256
                endGuard
                L7: commit
                """)
            let stack = TestProbe.stackPointer()
            let native = String(repeating: "order ", count: 20) + String(Int.random(in: 0...9))
            let texts = [
                "", "small", "größer", "exactly 15 byte", "a literal of more than fifteen bytes",
                native, "\(native) with ünïcode", String(repeating: "long ", count: 100),
            ]
            for text in texts {
                let words = unsafeBitCast(text, to: (UInt64, UInt64).self)
                let body = withExtendedLifetime(text) {
                    probe.run([words.0, words.1, 0, 0, 0, 0, 0, stack]).body ?? []
                }
                let bytes = Array(text.utf8)
                let captured = bytes.prefix(256)
                #expect(body.first == 0)
                #expect(
                    Array(body.dropFirst(1))
                        == Self.bytes(UInt32(bytes.count)) + Self.bytes(UInt32(captured.count))
                        + captured)
            }
            let bridged = probe.run([5, 0x4000_0000_0000_1000, 0, 0, 0, 0, 0, stack]).body
            #expect(bridged?.first == FaultKind.bridgedString.rawValue)
        }

        @Test func aTextThatIsGoneSpoilsOnlyItself() throws {
            let probe = try TestProbe(
                """
                readRegister r0, 0
                loadImmediate r1, 64
                accept
                guard L7
                spanMemory s0, r0, r1, 64
                writeSpan s0, 256
                endGuard
                L7: write8 r1
                commit
                """)
            let body = probe.run([0x1000, 0, 0, 0, 0, 0, 0, TestProbe.stackPointer()]).body
            #expect(body == [1, 0, 0x10, 0, 0, 0, 0, 0, 0, 64])
        }

        @Test(arguments: [0, 1] as [Int32])
        func aFilterThatForbidsReadsLeavesStacksAndRegisters(kills: Int32) {
            // In a child, for a filter stays for ever.
            let run: @convention(c) (UnsafeMutableRawPointer?) -> Int32 = { context in
                guard subject_forbid_reads(context == nil ? 0 : 1) == 1 else { return 1 }
                TestProbe.start()
                guard let probe = try? TestProbe(MachineSuites.Memory.load),
                    let registers = try? TestProbe(
                        "readRegister r0, 0\naccept\nwrite8 r0\ncommit")
                else { return 2 }
                let stack = TestProbe.stackPointer()
                let heap = UnsafeMutablePointer<UInt64>.allocate(capacity: 1)
                heap.pointee = 5
                let address = UInt64(UInt(bitPattern: heap))
                guard MachineSuites.Memory.word(probe, address, rsp: stack) == nil else { return 3 }
                return registers.run([9, 0, 0, 0, 0, 0, 0, stack]).body == [9] ? 0 : 4
            }
            #expect(subject_in_child(run, UnsafeMutableRawPointer(bitPattern: Int(kills))) == 0)
        }

        private static func bytes(_ value: UInt32) -> [UInt8] {
            (0..<4).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
        }
    }
}
