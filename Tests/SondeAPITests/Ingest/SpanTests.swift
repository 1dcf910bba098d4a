// SPDX-License-Identifier: Apache-2.0
// Samples that belong to spans stay known as theirs.

import Foundation
import SondeAPI
import SondeFormats
import SondeModel
import SondeWire
import Testing

@Suite struct SpanIngestTests {
    @Test func spansOfAPushAreKeptAndOtherTextsCounted() throws {
        var document = try PprofDocument(decoding: pprof(["cpu/nanoseconds"])[...])
        let trace = "0102030405060708090a0b0c0d0e0f10"
        func sample(_ locations: [UInt64], _ value: Int64, _ labels: [(String, String)]) {
            document.samples.append(
                .init(
                    locationIDs: locations, values: [value],
                    labels: labels.map { .init(key: $0.0, text: $0.1) }))
        }
        sample([1, 2], 5, [("span_id", "00000000000000aB"), ("trace_id", trace)])
        sample([2], 7, [("profile_id", "00000000000000ab"), ("thread", "x")])
        sample([1], 9, [("span_id", "nonsense")])
        sample([1], 0, [("span_id", "00000000000000cd")])
        let labels = LabelSet().setting("__name__", to: "process_cpu")
        let profile = try #require(
            try document.profiles(seriesLabels: labels, receivedAt: .now).first)
        #expect(profile.stacks.totals[0] == 31)
        #expect(profile.spans.map(\.span.description) == ["00000000000000ab"])
        #expect(profile.spans.first?.trace?.description == trace)
        #expect(profile.spans.first?.stacks.totals[0] == 12)
        #expect(profile.spans.first?.stacks.keys.count == 2)
        let controller = try TestController()
        let answer = try controller.send(
            "POST", pushTarget, headers: [("Content-Type", "application/proto")],
            body: push(document.encode()))
        #expect(answer.status == 200, "\(answer.text)")
        let metrics = try controller.send("GET", "/metrics").text
        #expect(metrics.contains("\nsonde_ingest_dropped_sample_labels_total 1\n"))
    }

    @Test func alloysDifferencesAreNamedAsTheyAre() throws {
        let controller = try TestController()
        for (name, type) in [
            ("godeltaprof_memory", "memory"), ("godeltaprof_block", "block"),
            ("wall", "process_cpu"),
        ] {
            var request = pushRequest(pprof(["cpu/nanoseconds"]), service: name)
            request.series[0].labels[0].value = name
            let answer = try controller.send(
                "POST", pushTarget, headers: [("Content-Type", "application/proto")],
                body: request.encode())
            #expect(answer.status == 200)
            let text = try controller.send("GET", "/api/v1/series?selector=\(name)").text
            #expect(text.contains("\"type\":\"\(type):cpu:nanoseconds:cpu:nanoseconds\""))
            #expect(
                text.contains("\"__name_replaced__\":\"\(name)\"") == name.hasPrefix("godeltaprof"))
        }
    }
}
