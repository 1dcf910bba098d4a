// SPDX-License-Identifier: Apache-2.0
// Moved instructions, byte by byte.

import CSondeProbe
import Testing

@Suite struct RelocationGoldens {
    /// Where the instructions come from and where the pad lies.
    static let start: UInt64 = 0x10000
    static let pad: UInt64 = 0x20000

    struct Golden: CustomTestStringConvertible {
        var assembly: String
        var bytes: String
        var moved: String
        var testDescription: String { assembly }
    }

    static let goldens: [Golden] = [
        Golden(
            assembly: "mov rax, rbx", bytes: "48 89 d8",
            moved: "48 89 d8 e9 fb ff fe ff"),
        Golden(
            assembly: "push rbp", bytes: "55",
            moved: "55 e9 fb ff fe ff cc cc"),
        Golden(
            assembly: "ret", bytes: "c3",
            moved: "c3 cc cc cc cc cc cc cc"),
        Golden(
            assembly: "mov rax, [rip+16]", bytes: "48 8b 05 10 00 00 00",
            moved: "48 8b 05 10 00 ff ff e9 fb ff fe ff cc cc cc cc"),
        Golden(
            assembly: "lea rdi, [rip-32]", bytes: "48 8d 3d e0 ff ff ff",
            moved: "48 8d 3d e0 ff fe ff e9 fb ff fe ff cc cc cc cc"),
        Golden(
            assembly: "cmp dword [rip+8], 7: an immediate behind the displacement",
            bytes: "83 3d 08 00 00 00 07",
            moved: "83 3d 08 00 ff ff 07 e9 fb ff fe ff cc cc cc cc"),
        Golden(
            assembly: "vmovups ymm0, [rip+64]", bytes: "c5 fc 10 05 40 00 00 00",
            moved: "c5 fc 10 05 40 00 ff ff e9 fb ff fe ff cc cc cc"),
        Golden(
            assembly: "jmp +16", bytes: "eb 10",
            moved: "e9 0d 00 ff ff cc cc cc"),
        Golden(
            assembly: "jmp +4096", bytes: "e9 00 10 00 00",
            moved: "e9 00 10 ff ff cc cc cc"),
        Golden(
            assembly: "jz +16", bytes: "74 10",
            moved: "0f 84 0c 00 ff ff e9 f7 ff fe ff cc cc cc cc cc"),
        Golden(
            assembly: "jg -4096", bytes: "0f 8f 00 f0 ff ff",
            moved: "0f 8f 00 f0 fe ff e9 fb ff fe ff cc cc cc cc cc"),
        Golden(
            assembly: "bnd jz +16", bytes: "f2 74 10",
            moved: "0f 84 0d 00 ff ff e9 f8 ff fe ff cc cc cc cc cc"),
        Golden(
            assembly: "loop -8", bytes: "e2 f8",
            moved: "e2 02 eb 05 e9 f1 ff fe ff e9 f4 ff fe ff cc cc"),
        Golden(
            assembly: "jecxz +2", bytes: "67 e3 02",
            moved: "67 e3 02 eb 05 e9 fb ff fe ff e9 f4 ff fe ff cc"),
        Golden(
            assembly: "call +256", bytes: "e8 00 01 00 00",
            moved: "e8 01 00 00 00 cc 48 8d 64 24 08 ff 35 07 00 00 00 e9 ef 00 ff ff cc cc "
                + "05 00 01 00 00 00 00 00"),
        Golden(
            assembly: "call __tls_get_addr, with filling", bytes: "66 66 48 e8 00 01 00 00",
            moved:
                "e8 01 00 00 00 cc 48 8d 64 24 08 ff 35 07 00 00 00 e9 f2 00 ff ff cc cc "
                + "08 00 01 00 00 00 00 00"),
        Golden(
            assembly: "call rax", bytes: "ff d0",
            moved: "e8 01 00 00 00 cc 48 8d 64 24 08 ff 35 07 00 00 00 ff e0 cc cc cc cc cc "
                + "02 00 01 00 00 00 00 00"),
        Golden(
            assembly: "call r12", bytes: "41 ff d4",
            moved: "e8 01 00 00 00 cc 48 8d 64 24 08 ff 35 07 00 00 00 41 ff e4 cc cc cc cc "
                + "03 00 01 00 00 00 00 00"),
        Golden(
            assembly: "call [rip+32]", bytes: "ff 15 20 00 00 00",
            moved: "e8 01 00 00 00 cc 48 8d 64 24 08 ff 35 07 00 00 00 ff 25 0f 00 ff ff cc "
                + "06 00 01 00 00 00 00 00"),
        Golden(
            assembly: "call [rsp]", bytes: "ff 14 24",
            moved: "e8 01 00 00 00 cc 48 8d 64 24 08 ff 35 07 00 00 00 ff 64 24 08 cc cc cc "
                + "03 00 01 00 00 00 00 00"),
        Golden(
            assembly: "call [rsp+8]", bytes: "ff 54 24 08",
            moved: "e8 01 00 00 00 cc 48 8d 64 24 08 ff 35 07 00 00 00 ff 64 24 10 cc cc cc "
                + "04 00 01 00 00 00 00 00"),
        Golden(
            assembly: "call [rsp+0x100]", bytes: "ff 94 24 00 01 00 00",
            moved: "e8 01 00 00 00 cc 48 8d 64 24 08 ff 35 07 00 00 00 ff a4 24 08 01 00 00 "
                + "07 00 01 00 00 00 00 00"),
        Golden(
            assembly: "call [rax+rcx*8+16]", bytes: "ff 54 c8 10",
            moved: "e8 01 00 00 00 cc 48 8d 64 24 08 ff 35 07 00 00 00 ff 64 c8 10 cc cc cc "
                + "04 00 01 00 00 00 00 00"),
        Golden(
            assembly: "jmp [rip+32]", bytes: "ff 25 20 00 00 00",
            moved: "ff 25 20 00 ff ff cc cc"),
        Golden(
            assembly: "jmp rax", bytes: "ff e0",
            moved: "ff e0 cc cc cc cc cc cc"),
        Golden(
            assembly: "syscall", bytes: "0f 05",
            moved: "0f 05 e9 fb ff fe ff cc"),
        Golden(
            assembly: "endbr64; push rbp", bytes: "f3 0f 1e fa 55",
            moved: "f3 0f 1e fa 55 e9 fb ff fe ff cc cc cc cc cc cc"),
        Golden(
            assembly: "mov rax, rbx; call +0", bytes: "48 89 d8 e8 00 00 00 00",
            moved: "48 89 d8 e8 01 00 00 00 cc 48 8d 64 24 08 ff 35 0c 00 00 00 e9 ef ff fe "
                + "ff cc cc cc cc cc cc cc 08 00 01 00 00 00 00 00"),
    ]

    @Test(arguments: goldens)
    func anInstructionIsMoved(golden: Golden) throws {
        #expect(try moved(golden.bytes) == golden.moved)
    }

    @Test(arguments: [
        ("call rsp", "ff d4"), ("call [rsp+0x78]", "ff 54 24 78"), ("ud2", "0f 0b"),
        ("int3", "cc"), ("hlt", "f4"), ("mov eax, [eip+16]", "67 8b 05 10 00 00 00"),
        ("xbegin +0", "c7 f8 00 00 00 00"), ("int 0x80", "cd 80"), ("iretq", "48 cf"),
        ("jmp far [rax]", "48 ff 28"), ("jmp rel16", "66 e9 00 00 00 00"),
    ])
    func whatOnlyWorksInItsPlaceIsRefused(assembly: String, bytes: String) throws {
        #expect(try moved(bytes) == "")
    }

    @Test func whatIsFarAwayIsReachedThroughAWord() throws {
        let far = try moved("e9 00 10 00 00", to: 0x1_0000_0000)
        // jmp [rip+2]; two bytes of filling; the target
        #expect(far == "ff 25 02 00 00 00 cc cc 05 10 01 00 00 00 00 00")
        // An operand cannot be reached through a word, nor a conditional target.
        #expect(try moved("48 8b 05 10 00 00 00", to: 0x1_0000_0000) == "")
        #expect(try moved("74 10", to: 0x1_0000_0000) == "")
    }

    @Test func aBranchInsideGoesToTheCopyInside() throws {
        // dec edi; jnz -4; nop
        let entries = try entries("ff cf 75 fc 90")
        #expect(entries.bytes.hasPrefix("ff cf 0f 85 f8 ff ff ff 90 e9"))
        #expect(entries.offsets == [0, 2, 8])
    }

    @Test func aHitSkipsTheRedZoneAndPassesItsSite() throws {
        let hit = try moved("90", site: 0x1122_3344_5566_7788, enter: 0x99aa)
        // lea rsp, [rsp-128]; push [rip+20]; call [rip+22]; nop; jmp back; filling; two words
        #expect(
            hit == "48 8d 64 24 80 ff 35 0d 00 00 00 ff 15 0f 00 00 00 90 e9 ea ff fe ff cc "
                + "88 77 66 55 44 33 22 11 aa 99 00 00 00 00 00 00")
    }

    @Test func bytesThatAreNoInstructionAreNotDecoded() {
        #expect(sonde_decoder_load() == 1)
        var instruction = sonde_instruction()
        for bytes: [UInt8] in [[0x06], [0x48], [0x0f, 0xff], [0xf0, 0x90], []] {
            #expect(sonde_decode(bytes, UInt64(bytes.count), 0, &instruction) == 0)
        }
    }

    /// The pad without sites for instructions that follow each other, as text.
    private func moved(
        _ text: String, to pad: UInt64 = pad, site: UInt64 = 0, enter: UInt64 = 0
    ) throws -> String {
        try entries(text, to: pad, site: site, enter: enter).bytes
    }

    private func entries(
        _ text: String, to pad: UInt64 = pad, site: UInt64 = 0, enter: UInt64 = 0
    ) throws -> (bytes: String, offsets: [UInt64]) {
        try #require(sonde_decoder_load() == 1)
        let bytes = text.split(separator: " ").compactMap { UInt8($0, radix: 16) }
        var plan = sonde_pad_plan()
        plan.start = Self.start
        plan.enter = enter
        plan.sites.0 = site
        var decoded: [sonde_instruction] = []
        var offset = 0
        while offset < bytes.count {
            var instruction = sonde_instruction()
            let rest = Array(bytes[offset...])
            try #require(
                sonde_decode(
                    rest, UInt64(rest.count), Self.start + UInt64(offset), &instruction) == 1)
            decoded.append(instruction)
            offset += Int(instruction.length)
        }
        plan.count = UInt32(decoded.count)
        withUnsafeMutableBytes(of: &plan.instructions) { room in
            for (index, instruction) in decoded.enumerated() {
                room.storeBytes(
                    of: instruction, toByteOffset: index * MemoryLayout<sonde_instruction>.stride,
                    as: sonde_instruction.self)
            }
        }
        var output = [UInt8](repeating: 0, count: Int(SONDE_PAD_BYTES))
        var entries = [UInt64](repeating: 0, count: Int(SONDE_REGION_INSTRUCTIONS))
        let size = bytes.withUnsafeBufferPointer { bytes in
            plan.bytes = bytes.baseAddress
            return sonde_pad_build(&plan, pad, &output, &entries)
        }
        let text = output.prefix(Int(size)).map { byte in
            let digits = String(byte, radix: 16)
            return digits.count == 1 ? "0" + digits : digits
        }
        return (
            text.joined(separator: " "), entries.prefix(decoded.count).map { $0 &- pad }
        )
    }
}
