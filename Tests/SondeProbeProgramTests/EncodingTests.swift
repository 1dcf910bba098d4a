// SPDX-License-Identifier: Apache-2.0
// A program survives the way to the agent, and bytes that are none are refused in words.

import SondeModel
import SondeProbeProgram
import Testing

@Suite struct ProgramEncoding {
    @Test func everyProgramComesBackAsItWas() throws {
        var random = SeededRandom(1)
        for _ in 0..<2000 {
            let program = SampleProgram.random(&random)
            #expect(try ProbeProgram(decoding: program.encode()) == program)
        }
    }

    @Test func cutAndChangedBytesAreReadOrRefusedInWords() {
        var random = SeededRandom(2)
        var refused = 0
        for _ in 0..<3000 {
            var bytes = SampleProgram.random(&random).encode()
            guard !bytes.isEmpty else { continue }
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                bytes[place] = UInt8(truncatingIfNeeded: random.next())
            }
            if Bool.random(using: &random) {
                bytes.removeLast(Int.random(in: 0..<bytes.count, using: &random))
            }
            do {
                let program = try ProbeProgram(decoding: bytes)
                // What was read can be written, and then says the same.
                #expect(try ProbeProgram(decoding: program.encode()) == program)
            } catch {
                refused += 1
                #expect("\(error)".contains("cannot ") && "\(error)".contains("want"))
            }
        }
        #expect(refused > 500, "the changes hardly ever mattered")
    }

    @Test func whatIsNoProgramIsRefusedInWords() {
        let tooLarge = [UInt8](repeating: 0x4A, count: ProgramBounds.bytes + 1)
        #expect(
            refusal(tooLarge)
                == "cannot use the probe program: got 2097153 bytes; want at most 2097152")
        #expect(
            refusal([0x18, 9])
                == "cannot read the probe program: got the probe kind 9; want one that this agent "
                + "has")
        #expect(refusal([]) == "cannot read the probe program: got no kind; want one")
        #expect(
            refusal([0x18, 1, 0x4A, 0])
                == "cannot read the probe program: got an image without a build id; want 1 to 64 "
                + "bytes of one")
    }

    @Test func anUnknownOpcodeIsRefused() throws {
        var bytes = sample.encode()
        let place = try #require(bytes.lastIndex(of: Opcode.commit.rawValue))
        bytes[place] = 255
        #expect(
            refusal(bytes)
                == "cannot read the probe program: got the opcode 255 at instruction 1; want one "
                + "that this agent has")
    }

    @Test func instructionsHaveTheirDocumentedBytes() {
        #expect(
            Instruction(.load32S, d: 1, a: 2, b: 3, imm: -2).bytes
                == [15, 1, 2, 3, 0xFE, 0xFF, 0xFF, 0xFF])
    }

    @Test func theEncodingIsThePublishedOne() {
        // If this fails the encoding changed: agents and controllers of two versions would not
        // understand each other. Fields: docs/protocol/probe.proto.
        #expect(
            sample.encode().map { String($0, radix: 16) }.joined(separator: " ") == """
                a 3 70 2d 61 10 2 18 1 22 4 69 6e 66 6f 32 10 8 5 10 e8 7 18 64 20 64 28 80 80 40 30 90 \
                4e 3a 7 61 2e 73 77 69 66 74 40 7 4a 37 a 3 ab cd ef 12 b 8 10 1a 3 66 28 29 20 10 28 \
                20 1a 10 79 0 0 0 0 0 0 0 7a 0 0 0 0 0 0 0 3a 4 8 1 10 40 42 4 a 2 68 69 42 5 a 1 78 10 1
                """)
    }

    private var sample: ProbeProgram {
        var image = ImageProgram(buildID: SampleProgram.buildID)
        image.sites = [
            ProbeSite(
                address: ImageAddress(16), entry: 0, function: "f()",
                functionStart: ImageAddress(16), functionEnd: ImageAddress(32))
        ]
        image.code = [Instruction(.accept), Instruction(.commit)]
        image.shapes = [.signed(bits: 64)]
        image.template = [.text("hi"), .value(expression: "x", shape: 0, format: nil)]
        return ProbeProgram(
            probe: "p-a", revision: 2, limits: ProbeLimits(expiresUnixNanos: 5), file: "a.swift",
            line: 7, images: [image])
    }

    private func refusal(_ bytes: [UInt8]) -> String {
        do {
            _ = try ProbeProgram(decoding: bytes)
            return "it was read"
        } catch {
            return "\(error)"
        }
    }
}
