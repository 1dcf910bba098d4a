// SPDX-License-Identifier: Apache-2.0
// `sonde store` against a controller that answers as docs/http-api.md says.

import Foundation
import Testing
import sonde

@Suite struct StoreCommandTests {
    private static let figures = """
        {"profiles": 5184000, "bytes": 3221225472, "oldestMs": 1769904000000,
         "newestMs": 1772495990000, "services": [
          {"name": "bets", "profiles": 2592000, "series": 10, "profileBytes": 1073741824,
           "stackNodes": 31234, "stackBytes": 524288},
          {"name": "odds", "profiles": 2592000, "series": 10, "profileBytes": 1473741824,
           "stackNodes": 8, "stackBytes": 100}],
         "removed": [
          {"timeMs": 1772496000000, "day": "2026-01-31", "reason": "age", "profiles": 12, "bytes": 99},
          {"timeMs": 1772496000000, "day": "2026-02-01", "reason": "rule",
           "rule": "{service_name=\\"test\\"}", "profiles": 3, "bytes": 1048576}]}
        """

    private func run(_ words: [String], _ path: String, _ answer: String) throws -> (
        process: SondeProcess, stub: StubController
    ) {
        let stub = try StubController([path: .init(answer)])
        defer { stub.stop() }
        return (try SondeProcess.run(["store"] + words + ["--url", stub.url]), stub)
    }

    @Test func statsShowsEachServiceAndWhatWasRemoved() throws {
        let (process, _) = try run(["stats"], "/api/v1/store", Self.figures)
        #expect(process.status == 0)
        try expectGolden(process.output, "store-stats.txt")
        #expect(process.errors.contains("5184000 profiles in 3072.0 MiB on disk"))
        #expect(process.errors.contains("12 profiles of 2026-01-31, 0.0 MiB, too old"))
        #expect(process.errors.contains("1.0 MiB, by the rule {service_name=\"test\"}"))
    }

    @Test func aCheckThatFindsDamageFails() throws {
        let well = #"{"databases": 3, "profiles": 7, "blocks": 1, "problems": []}"#
        let (good, _) = try run(["check"], "/api/v1/store/check", well)
        #expect(good.status == 0)
        #expect(good.output == "all is well: 3 databases, 7 profiles, 1 blocks\n")
        let ill = #"{"databases": 3, "profiles": 7, "blocks": 1, "problems": ["x is damaged"]}"#
        let (bad, _) = try run(["check"], "/api/v1/store/check", ill)
        #expect(bad.status == 1)
        #expect(bad.output == "x is damaged\n")
        #expect(bad.errors.contains("got 1 problems in 3 databases"))
    }

    @Test func aBackupNamesItsFolder() throws {
        let (process, stub) = try run(
            ["backup", "/backup/one"], "/api/v1/store/backup",
            #"{"folder": "/backup/one", "databases": 4, "bytes": 2097152}"#)
        #expect(process.status == 0)
        #expect(process.output == "copied 4 databases and 2.0 MiB to /backup/one\n")
        let asked = try #require(stub.asked.last)
        #expect(String(decoding: asked.body, as: UTF8.self).contains("backup"))
        let wrong = try SondeProcess.run(["store", "backup", "relative"])
        #expect(wrong.status == 2)
    }
}
