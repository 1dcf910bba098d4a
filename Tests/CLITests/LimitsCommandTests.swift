// SPDX-License-Identifier: Apache-2.0
// `sonde limits` against a controller that answers as docs/http-api.md says.

import Foundation
import Testing
import sonde

@Suite struct LimitsCommandTests {
    private static let answer = """
        {"tenancy": true, "limits": {"labels": 100, "series": 100000}, "set": {"series": 100000},
         "tenants": [
          {"tenant": "day", "limits": {"labels": 100, "series": 100000}, "set": {}, "series": 3,
           "profiles": 17, "profileBytes": 123456, "refused": {}},
          {"tenant": "night", "limits": {"labels": 7, "series": 50}, "set": {"series": 50},
           "series": 50, "profiles": 4, "profileBytes": 99,
           "refused": {"rate_limited": 2, "series_limit": 12}}]}
        """

    private func withStub(_ body: (StubController) throws -> Void) throws {
        let stub = try StubController(["/api/v1/limits": .init(Self.answer)])
        defer { stub.stop() }
        try body(stub)
    }

    @Test func limitsShowsWhatCountsAndWhoWasRefused() throws {
        try withStub { stub in
            let all = try SondeProcess.run(["limits", "--url", stub.url])
            #expect(all.status == 0)
            try expectGolden(all.output, "limits.txt")
            let one = try SondeProcess.run(["limits", "--tenant", "night", "--url", stub.url])
            #expect(one.output.contains("12 series_limit"))
            #expect(!one.output.contains("day"))
            let none = try SondeProcess.run(["limits", "--tenant", "noon", "--url", stub.url])
            #expect(none.status == 1)
            #expect(none.errors.contains("knows no such tenant"))
        }
    }

    @Test func limitsSetSendsNumbersAndTakesThemBack() throws {
        try withStub { stub in
            let set = try SondeProcess.run([
                "limits", "set", "--tenant", "night", "series=50", "labels=default", "--url",
                stub.url,
            ])
            #expect(set.status == 0)
            #expect(set.output == "set for tenant night\n")
            let asked = try #require(stub.asked.last)
            #expect(asked.line.hasPrefix("PUT /api/v1/limits?tenant=night "))
            #expect(
                String(decoding: asked.body, as: UTF8.self)
                    == #"{"series": 50, "labels": null}"#)
        }
    }

    @Test(arguments: ["series", "series=", "series=x", "Series=1", "=1", "a\"b=1"])
    func whatIsNoLimitIsWrongUsage(_ argument: String) throws {
        let set = try SondeProcess.run(["limits", "set", argument])
        #expect(set.status == 2)
        #expect(set.errors.contains("LIMIT=NUMBER"))
    }
}
