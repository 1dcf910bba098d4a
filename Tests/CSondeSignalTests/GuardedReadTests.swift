// SPDX-License-Identifier: Apache-2.0
// Reads of memory that may not be there.

import CSondeSignal
import Glibc
import Testing

@Suite struct GuardedReads {
    @Test func memoryThatIsThereIsRead() {
        let words: [UInt64] = [1, 2, 3]
        var copy: [UInt64] = [0, 0, 0]
        let count = words.withUnsafeBufferPointer { words in
            sonde_read_memory(&copy, UInt64(UInt(bitPattern: words.baseAddress)), 24)
        }
        #expect(count == 24)
        #expect(copy == words)
    }

    @Test(arguments: [
        0, 1, 8, 0x7fff_ffff_f000, 0x8000_0000_0000, 0xffff_8000_0000_0000, UInt64.max - 7,
    ])
    func memoryThatIsNotThereIsNotRead(address: UInt64) {
        var word: UInt64 = 42
        errno = 0
        #expect(sonde_read_memory(&word, address, 8) == -1)
        #expect(word == 42)
        #expect(errno == 0)
    }

    @Test func aReadEndsWhereTheMappingEnds() throws {
        let size = 8192
        let pages = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        let start = try #require(pages)
        defer { munmap(start, size) }
        mprotect(start + 4096, 4096, PROT_NONE)
        var buffer = [UInt8](repeating: 7, count: 64)
        let end = UInt64(UInt(bitPattern: start)) + 4096
        #expect(sonde_read_memory(&buffer, end - 16, 64) == 16)
        #expect(sonde_read_memory(&buffer, end - 1, 1) == 1)
        #expect(sonde_read_memory(&buffer, end, 1) == -1)
    }

    @Test func thisKernelAllowsThem() {
        #expect(sonde_can_read_memory() == 1)
    }
}
