// SPDX-License-Identifier: Apache-2.0
// The W3C trace context field, valid and not.

import Testing

@testable import SondeProbeRuntime

struct TraceParentTests {
    private let trace = "4bf92f3577b34da6a3ce929d0e0e4736"

    @Test func theExampleOfTheSpecificationIsRead() throws {
        let parent = try #require(TraceParent("00-\(trace)-00f067aa0ba902b7-01"))
        #expect(parent.trace.high == 0x4BF9_2F35_77B3_4DA6)
        #expect(parent.trace.low == 0xA3CE_929D_0E0E_4736)
        #expect(parent.span == 0x00F0_67AA_0BA9_02B7)
        #expect(TraceParent("cc-\(trace)-00f067aa0ba902b7-01-what-comes-later") == parent)
        #expect(TraceParent("cc-\(trace)-00f067aa0ba902b7-01") == parent)
    }

    @Test(arguments: [
        "", "00", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0g",
        "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
        "00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01.x",
    ])
    func whatIsNotValidIsNone(text: String) {
        #expect(TraceParent(text) == nil)
    }
}
