// SPDX-License-Identifier: Apache-2.0
// The control protocol's probes: the bytes are those that Google's protobuf writes for the .proto.

import SondeWire
import Testing

struct ProbeMessagesTests {
    private var desired: DesiredState {
        var first = ProbeState()
        first.id = "p-7k2m9q4x"
        first.revision = 3
        first.enabled = true
        first.program = [0x0A, 0, 0xFF]
        var second = ProbeState()
        second.id = "p-b"
        second.revision = .max
        var desired = DesiredState()
        desired.revision = "r7"
        desired.probes = [first, second]
        return desired
    }

    private var poll: PollRequest {
        var dropped = Counter()
        dropped.reason = "ring_full"
        dropped.count = 7
        var first = ProbeReport()
        first.id = "p-7k2m9q4x"
        first.revision = 3
        first.state = ProbePhase.tripped.rawValue
        first.reason = "limit"
        first.jumpSites = 4
        first.trapSites = 1
        first.hits = 300
        first.lines = 2
        first.conditionFalse = 290
        first.conditionErrors = 1
        first.dropped = [dropped]
        first.ownCPUNanos = 123_456_789
        first.lastSequence = 9
        var second = ProbeReport()
        second.id = "p-b"
        second.state = ProbePhase.pending.rawValue
        var poll = PollRequest()
        poll.instance = "i"
        poll.report = AgentReport()
        poll.report?.probes = [first, second]
        return poll
    }

    // Written by Google's protobuf for Python 7.36.2, from docs/protocol/control.proto.
    private static let goldenDesired =
        "0a02723722150a0a702d376b326d397134781003180122030a00ff"
        + "22100a03702d6210ffffffffffffffffff01"
    private static let goldenPoll =
        "0a016922544a420a0a702d376b326d3971347810031a077472697070656422056c696d6974"
        + "2804300138ac02400248a20250015a0d0a0972696e675f66756c6c100760959aef3a6809"
        + "4a0e0a03702d621a0770656e64696e67"

    private func bytes(_ hex: String) -> [UInt8] {
        let digits = Array(hex)
        return stride(from: 0, to: digits.count, by: 2).compactMap {
            UInt8(String(digits[$0...($0 + 1)]), radix: 16)
        }
    }

    @Test func aDesiredStateWithProbesHasTheBytesThatProtobufWrites() throws {
        let golden = bytes(Self.goldenDesired)
        #expect(desired.encode() == golden)
        #expect(try DesiredState(decoding: golden[...]) == desired)
    }

    @Test func aReportWithProbesHasTheBytesThatProtobufWrites() throws {
        let golden = bytes(Self.goldenPoll)
        #expect(poll.encode() == golden)
        #expect(try PollRequest(decoding: golden[...]) == poll)
    }

    @Test func everyTruncationIsRefusedOrLeavesAnotherMessage() {
        let bytes = poll.encode()
        for length in 0..<bytes.count {
            if let part = try? PollRequest(decoding: bytes[..<length]) { #expect(part != poll) }
        }
    }
}
