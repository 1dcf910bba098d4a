// SPDX-License-Identifier: Apache-2.0
// Log lines that were acknowledged are there, each once, whatever happens to the process.

import Foundation
import SondeModel
import SondeStore
import Testing

@Suite(.timeLimit(.minutes(5)))
struct LogDurabilityTests {
    private let scratch = ScratchFolder()

    @Test func linesThatWereAcknowledgedSurviveKillNineTwentyTimes() throws {
        var acknowledged: Set<String> = []
        var first = 1
        for _ in 0..<20 {
            let writer = try WriterProcess([scratch.path, "\(first)", "logs"])
            for _ in 0..<Int.random(in: 1...60) {
                acknowledged.insert("n" + (try #require(writer.line())))
            }
            writer.killAndWait()
            while let line = writer.line() { acknowledged.insert("n" + line) }
            var configuration = SQLiteLogStore.Configuration()
            configuration.retentionDays = nil
            let store = try SQLiteLogStore(DataFolder(scratch.path), configuration: configuration)
            var found: [String] = []
            var times: [Timestamp] = []
            var request = LogRead(Afternoon.around, limit: .max) { _ in true }
            request.newestFirst = false
            try store.read(request) { _, entry in
                found.append(entry.line)
                times.append(entry.time)
                return entry.metadata["number"].map { "n" + $0 } == entry.line
            }
            #expect(acknowledged.isSubset(of: found))
            #expect(Set(found).count == found.count, "a line is there twice")
            #expect(times == times.sorted())
            #expect(try store.statistics().entries == Int64(found.count))
            first = (found.compactMap { Int($0.dropFirst()) }.max() ?? first) + 1
        }
        #expect(acknowledged.count > 200)
    }
}
