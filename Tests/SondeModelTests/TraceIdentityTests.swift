// SPDX-License-Identifier: Apache-2.0
// Ids of spans, traces and profiles are read as they are written.

import SondeModel
import Testing

@Suite struct TraceIdentityTests {
    @Test func idsAreReadAsTheyAreWritten() throws {
        #expect(SpanID("00F067aa0ba902b7")?.description == "00f067aa0ba902b7")
        let trace = "4bf92f3577b34da6a3ce929d0e0e4736"
        #expect(TraceID(trace)?.description == trace)
        #expect(TraceID(trace)?.low == 0xa3ce_929d_0e0e_4736)
        let profile = "00005011-0000-8000-8000-00000000002a"
        #expect(ProfileID(profile)?.description == profile)
        #expect(ProfileID(profile.uppercased()) == ProfileID(profile))
    }

    @Test func whatIsNoIdIsRefused() {
        for text in [
            "", "00f067aa0ba902b", "00f067aa0ba902b71", "00f067aa0ba902bg", "+0f067aa0ba902b7",
        ] {
            #expect(SpanID(text) == nil)
        }
        #expect(TraceID("00f067aa0ba902b7") == nil)
        #expect(ProfileID("00005011000080008000000000000002a") == nil)
        #expect(ProfileID("00005011-0000-8000-80000-0000000002a") == nil)
    }
}
