// SPDX-License-Identifier: Apache-2.0
// What Java's agent and OpenTelemetry's collector send, with files that their own tools wrote.

import Foundation
import SondeAPI
import SondeModel
import SondeServer
import SondeWire
import Testing

@Suite struct RecordingIngestTests {
    private static func fixture(_ name: String) throws -> [UInt8] {
        Array(try Data(contentsOf: URL(fileURLWithPath: Peer.root + "/Tests/Fixtures/" + name)))
    }

    @Test(arguments: Transport.allCases, [false, true])
    func whatJavasAgentSendsIsStored(_ transport: Transport, isForm: Bool) throws {
        let controller = try TestController()
        let recording = try Self.fixture("jfr/recording.jfr.gz")
        let now = Int(Date().timeIntervalSince1970)
        let target =
            "/ingest?name=shop.api%7Bregion%3Deu%7D&units=samples&aggregationType=sum&from=\(now - 10)"
            + "&until=\(now)&spyName=javaspy&sampleRate=100&format=jfr"
        let form = try Form([
            ("jfr", "jfr", recording), ("labels", "labels", Gzip.compress([])),
        ])
        let answer = try controller.send(
            "POST", target, over: transport,
            headers: isForm ? form.headers : [("Content-Type", "application/octet-stream")],
            body: isForm ? form.bytes : recording)
        #expect(answer.status == 200, "\(answer.text)")
        #expect(answer.body.isEmpty)
        #expect(
            try series(controller) == [
                "block:contentions:count:block:count", "block:delay:nanoseconds:block:count",
                "memory:alloc_sample_bytes:bytes:space:bytes",
                "memory:alloc_sample_objects:count:space:bytes",
                "mutex:contentions:count:mutex:count", "mutex:delay:nanoseconds:mutex:count",
                "process_cpu:cpu:nanoseconds:cpu:nanoseconds",
            ])
        #expect(
            try labels(controller) == [
                "pyroscope_spy": "javaspy", "region": "eu", "service_name": "shop.api",
            ])
        // As the JDK's own tool folds the recording.
        let golden = String(decoding: try Self.fixture("jfr/recording.folded"), as: UTF8.self)
        let wanted = golden.split(separator: "\n").filter { $0.hasPrefix("process_cpu:cpu ") }
            .map { String($0.dropFirst("process_cpu:cpu ".count)) }
        let folded = try controller.send("GET", "/api/v1/flame?format=folded&maxNodes=100000").text
        #expect(Set(folded.split(separator: "\n").map(String.init)) == Set(wanted))
    }

    @Test(arguments: [
        (Form([("labels", nil, [])]), "jfr"), (Form([("jfr", nil, [1, 2, 3])]), "cannot read JFR"),
    ])
    func whatIsNoRecordingIsRefused(_ form: Form, _ word: String) throws {
        let controller = try TestController()
        let answer = try controller.send(
            "POST", "/ingest?name=shop&format=jfr", headers: form.headers, body: form.bytes)
        #expect(answer.status == 422)
        #expect(answer.message.contains(word), "\(answer.message)")
    }

    private static let paths = [
        "/v1development/profiles",
        "/opentelemetry.proto.collector.profiles.v1development.ProfilesService/Export",
    ]

    @Test(
        arguments: paths,
        [
            ("otlp/current.pb", "application/x-protobuf"),
            ("otlp/current.pb", "application/protobuf"),
            ("otlp/current.json", "application/json"),
            ("otlp/values-first.pb", "application/x-protobuf"),
        ])
    func whatOpenTelemetrySendsIsStored(_ path: String, _ file: (String, String)) throws {
        let body = try Self.fixture(file.0)
        for transport in Transport.allCases {
            let controller = try TestController { $0.retentionDays = nil }
            let answer = try controller.send(
                "POST", path, over: transport,
                headers: [("Content-Type", file.1), ("Content-Encoding", "gzip")],
                body: try Gzip.compress(body))
            #expect(answer.status == 200, "\(answer.text)")
            #expect(answer.text == (file.1 == "application/json" ? "{}" : ""))
            let type = file.1 == "application/json" ? file.1 : "application/x-protobuf"
            #expect(answer.header("content-type") == type)
            let range = "from=1699999000000&until=1700001000000"
            // Samples are counted; their time is the period's.
            for (service, total) in [("shop", 80_000_000), ("checkout", 50_000_000)] {
                let top = try controller.send(
                    "GET", "/api/v1/top?selector=\(service)&\(range)")
                #expect(top.json["total"] as? Int == total)
                #expect(top.text.contains("Checkout.pay"))
            }
            let list = try controller.send("GET", "/api/v1/series?selector=shop&\(range)")
            let series = (list.json["series"] as? [[String: Any]])?.first
            #expect(series?["type"] as? String == "process_cpu:cpu:nanoseconds:cpu:nanoseconds")
            #expect(
                series?["labels"] as? [String: String] == [
                    "host.name": "eu-1", "process.pid": "7", "service_name": "shop",
                ])
            let metrics = try controller.send("GET", "/metrics").text
            #expect(metrics.contains("\nsonde_ingest_dropped_sample_labels_total 1\n"))
        }
    }

    @Test(arguments: [
        ("text/plain", 415, "content type"), ("application/proto", 415, "content type"),
        ("application/x-protobuf", 400, "cannot read OTLP profiles"),
        ("application/json", 400, "JSON"),
    ])
    func whatIsNoOTLPIsRefused(_ type: String, _ status: Int, _ word: String) throws {
        let controller = try TestController()
        let answer = try controller.send(
            "POST", Self.paths[0], headers: [("Content-Type", type)], body: [0xFF, 1, 2])
        #expect(answer.status == status)
        #expect(answer.message.contains(word), "\(answer.message)")
        let old = try controller.send(
            "POST", Self.paths[0], headers: [("Content-Type", "application/x-protobuf")],
            body: Self.fixture("otlp/too-old.pb"))
        #expect(old.status == 400)
        #expect(old.message.contains("1.9"))
    }

    @Test func profilesOfOpenTelemetryWithoutATimeOrAServiceGetThem() throws {
        let controller = try TestController()
        // A dictionary of nothing but null entries and names, one profile, one sample.
        let json = #"""
            {"resourceProfiles": [{"resource": {"attributes": [
               {"key": "process.executable.name", "value": {"stringValue": "shopd"}}]},
              "scopeProfiles": [{"profiles": [{"sampleType": {"typeStrindex": 1, "unitStrindex": 2},
                "samples": [{"stackIndex": 1, "values": ["5"]}]}]}]}],
             "dictionary": {"mappingTable": [{}], "linkTable": [{}], "attributeTable": [{}],
              "stringTable": ["", "off_cpu", "nanoseconds", "main"],
              "functionTable": [{}, {"nameStrindex": 3}],
              "locationTable": [{}, {"lines": [{"functionIndex": 1}]}],
              "stackTable": [{}, {"locationIndices": [1]}]}}
            """#
        let answer = try controller.send(
            "POST", Self.paths[0], headers: [("Content-Type", "application/json")],
            body: Array(json.utf8))
        #expect(answer.status == 200, "\(answer.text)")
        #expect(try series(controller) == ["off_cpu:off_cpu:nanoseconds::"])
        #expect(try labels(controller)["service_name"] == "unknown_service:shopd")
    }
}
