// SPDX-License-Identifier: Apache-2.0
// Snappy blocks there and back, against bytes that others wrote, and against hostile ones.

import SondeSnappy
import Testing

@Suite struct SnappyTests {
    @Test(arguments: [0, 1, 59, 60, 61, 4096, 65_536, 70_000, 1_000_000])
    func whatIsCompressedComesBack(count: Int) throws {
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 / 7 ^ $0 >> 9) }
        let block = try Snappy.compress(bytes)
        #expect(try Snappy.expand(block, limit: count) == bytes)
    }

    @Test func aBlockByHandIsRead() throws {
        // 5 bytes; a literal of one; a copy of four from one byte back.
        let block: [UInt8] = [5, 0, 0x61, 0x01, 0x01]
        #expect(try Snappy.expand(block, limit: 5) == Array("aaaaa".utf8))
    }

    @Test func moreThanTheLimitIsRefusedBeforeMemoryIsTaken() {
        // Says four gigabytes in nine bytes.
        let bomb: [UInt8] = [0xFF, 0xFF, 0xFF, 0xFF, 0x0F, 0, 0x61, 0x01, 0x01]
        #expect(throws: SnappyError.tooLarge(limit: 1024)) {
            try Snappy.expand(bomb, limit: 1024)
        }
    }

    @Test(arguments: [
        [], [5], [5, 0], [0x80, 0x80, 0x80, 0x80, 0x80, 0x80], [5, 0, 0x61, 0x01, 0x09],
        [4, 0, 0x61, 0x01, 0x01], Array("plain text".utf8),
    ])
    func whatIsNoBlockIsSaid(bytes: [UInt8]) {
        #expect(throws: SnappyError.malformed(size: bytes.count)) {
            try Snappy.expand(bytes, limit: 1 << 20)
        }
    }

    @Test func everyCutOfABlockIsRefused() throws {
        let block = try Snappy.compress(Array(repeating: 7, count: 300) + Array(0...255))
        for count in 0..<block.count {
            #expect(throws: SnappyError.self) {
                try Snappy.expand(Array(block[..<count]), limit: 1 << 20)
            }
        }
    }
}
