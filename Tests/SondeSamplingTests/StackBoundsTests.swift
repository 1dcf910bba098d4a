// SPDX-License-Identifier: Apache-2.0
// Which stacks are believed, by maps as the kernel prints them.

import Testing

@testable import SondeSampling

@Suite struct StackBounds {
    static let map = """
        55cb29b2b000-55cb29ba6000 r-xp 00000000 fe:00 5367537                    /usr/bin/service
        55cb41838000-55cb41859000 rw-p 00000000 00:00 0                          [heap]
        7f0000000000-7f0000001000 ---p 00000000 00:00 0
        7f0000001000-7f0000100000 rw-p 00000000 00:00 0
        7f0000200000-7f0000210000 rw-p 00000000 00:00 0
        7f0000300000-7f0000301000 ---p 00000000 00:00 0
        7f0000301000-7f0000310000 r--p 00000000 00:00 0
        7ffc00000000-7ffc00021000 rw-p 00000000 00:00 0                          [stack]
        ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]
        """

    private func find(_ stackPointer: UInt64, _ threadPointer: UInt64) -> Range<UInt64>? {
        var finder = StackBoundsFinder([
            StackBoundsFinder.Request(
                slot: 3, stackPointer: stackPointer, threadPointer: threadPointer)
        ])
        for line in Self.map.split(separator: "\n") {
            if let region = MemoryRegion(line: Array(line.utf8)[...]) { finder.look(at: region) }
        }
        return finder.found[3]
    }

    @Test func aGuardedStackEndsAtItsControlBlock() {
        #expect(find(0x7f00_000f_0000, 0x7f00_000f_f6c0) == 0x7f00_0000_1000..<0x7f00_000f_f6c0)
    }

    @Test func theMainStackEndsWithItsRegion() {
        #expect(find(0x7ffc_0001_0000, 0x7f00_000f_f6c0) == 0x7ffc_0000_0000..<0x7ffc_0002_1000)
    }

    @Test(
        arguments: [
            ("a fiber: the control block is elsewhere", 0x7f00_000f_0000, 0x7f00_0020_f000),
            ("a control block below the stack pointer", 0x7f00_000f_0000, 0x7f00_0000_2000),
            ("no guard below", 0x7f00_0020_8000, 0x7f00_0020_f000),
            ("not writable", 0x7f00_0030_8000, 0x7f00_0030_f000),
            ("the guard itself", 0x7f00_0000_0800, 0x7f00_000f_f6c0),
            ("the heap", 0x55cb_4184_0000, 0x55cb_4185_0000),
            ("not mapped", 0x7f00_0011_0000, 0x7f00_0020_f000),
            ("nowhere", 8, 16),
        ] as [(String, UInt64, UInt64)])
    func otherStacksAreNotBelieved(what: String, stackPointer: UInt64, threadPointer: UInt64) {
        #expect(find(stackPointer, threadPointer) == nil, "\(what)")
    }

    @Test(arguments: [
        "", "x", "-", "1000-", "1000-2000", "2000-1000 rw-p", "1000-1000 rw-p 0", "g-h rw-p 0",
        "11111111111111111-2 rw-p 0", "1000 2000 rw-p",
    ])
    func aLineThatIsNoRegionIsSkipped(line: String) {
        #expect(MemoryRegion(line: Array(line.utf8)[...]) == nil)
    }

    @Test func linesMayArriveInPieces() {
        let bytes = Array((Self.map + "\n").utf8)
        for size in [1, 7, 64, bytes.count] {
            var reader = MemoryMapReader()
            var regions: [MemoryRegion] = []
            for start in stride(from: 0, to: bytes.count, by: size) {
                bytes[start..<min(start + size, bytes.count)].withUnsafeBytes {
                    reader.read($0) { regions.append($0) }
                }
            }
            #expect(regions.count == 9)
            #expect(regions.count { $0.isMainStack } == 1)
            #expect(regions.count { $0.isGuard } == 2)
        }
    }

    @Test func theOwnMapHoldsAStackAndAHeap() {
        var regions: [MemoryRegion] = []
        #expect(MemoryMapReader.visitOwnMap { regions.append($0) })
        #expect(regions.count { $0.isMainStack } == 1)
        #expect(zip(regions, regions.dropFirst()).allSatisfy { $0.end <= $1.start })
    }

    @Test func aBlockedSignalIsReadFromAStatus() {
        let status = Array("Name:\tx\nSigPnd:\t0\nSigBlk:\t0000000004000000\nSigIgn:\tff\n".utf8)
        #expect(ThreadRegistry.blocks(27, status: status))
        #expect(!ThreadRegistry.blocks(26, status: status))
        #expect(!ThreadRegistry.blocks(0, status: status))
        #expect(!ThreadRegistry.blocks(27, status: []))
        #expect(!ThreadRegistry.blocks(27, status: Array("SigBlk:\tzz\n".utf8)))
    }
}
