// SPDX-License-Identifier: Apache-2.0
// Pushes in the exact shape of each client, and hostile bodies at every door.

import Foundation
import SondeAPI
import SondeFormats
import SondeModel
import SondeServer
import SondeWire
import Testing

@Suite struct ClientRequestTests {
    /// What a client sends: the header fields beside the body's, and the body.
    struct Client: Sendable, CustomTestStringConvertible {
        var name: String
        var headers: [(String, String)]
        var body: [UInt8]
        var type: String
        var labels: [String: String]
        var testDescription: String { name }
    }

    private static func request(
        _ labels: [(String, String)], _ types: [String], id: String = ""
    ) -> PushRequest {
        var series = RawProfileSeries()
        series.labels = labels.map { Label(name: $0.0, value: $0.1) }
        var sample = rawSample(pprof(types))
        sample.id = id
        series.samples = [sample]
        var request = PushRequest()
        request.series = [series]
        return request
    }

    static let clients: [Client] = [
        // The Rust crate, and the Python and Ruby packages that are built on it.
        Client(
            name: "pyroscope-rs",
            headers: [
                ("Content-Type", "application/proto"), ("Content-Encoding", "gzip"),
                ("User-Agent", "pyroscope-rs/2.0.0 reqwest"), ("X-Scope-OrgID", "one"),
            ],
            body: (try? Gzip.compress(
                request(
                    [
                        ("__name__", "process_cpu"), ("service_name", "shop"),
                        ("otel.scope.name", "com.grafana.pyroscope/python"),
                        ("process.runtime.name", "cpython"), ("region", "eu"),
                    ], ["cpu/nanoseconds"], id: UUID().uuidString
                ).encode())) ?? [],
            type: "process_cpu:cpu:nanoseconds:cpu:nanoseconds",
            labels: [
                "otel.scope.name": "com.grafana.pyroscope/python",
                "process.runtime.name": "cpython", "region": "eu", "service_name": "shop",
            ]),
        Client(
            name: ".NET", headers: [("Content-Type", "application/proto")],
            body: request(
                [
                    ("service_name", "shop"), ("spy_name", "dotnetspy"),
                    ("__name__", "exception"),
                ], ["exception/count"]
            ).encode(), type: "exception:exception:count:cpu:nanoseconds",
            labels: ["service_name": "shop", "spy_name": "dotnetspy"]),
        Client(
            name: "Alloy",
            headers: [
                ("Content-Type", "application/proto"), ("Connect-Protocol-Version", "1"),
                ("Connect-Timeout-Ms", "10000"), ("Accept-Encoding", "gzip"),
                ("User-Agent", "Alloy/v1.12.0 (linux)"), ("X-Alloy-Id", "9ab1"),
            ],
            // Annotations, which are passed over, stand in field 3 of the series.
            body: annotated(
                request(
                    [
                        ("__name__", "godeltaprof_block"), ("service_name", "shop"),
                        ("__delta__", "false"), ("namespace", "n"), ("pod", "p-1"),
                        ("__session_id__", "77"), ("service_repository", "https://example.com"),
                    ], ["contentions/count"])),
            type: "block:contentions:count:cpu:nanoseconds",
            labels: [
                "__name_replaced__": "godeltaprof_block", "namespace": "n", "pod": "p-1",
                "service_name": "shop", "service_repository": "https://example.com",
            ]),
    ]

    private static func annotated(_ request: PushRequest) -> [UInt8] {
        var writer = ProtobufWriter()
        writer.message(field: 1) { series in
            request.series[0].write(to: &series)
            series.message(field: 3) { annotation in
                annotation.element("pyroscope.key", field: 1)
                annotation.element("value", field: 2)
            }
        }
        return writer.bytes
    }

    @Test(arguments: clients, Transport.allCases)
    func whatClientsPushIsStored(_ client: Client, _ transport: Transport) throws {
        let controller = try TestController()
        let answer = try controller.send(
            "POST", pushTarget, over: transport, headers: client.headers, body: client.body)
        #expect(answer.status == 200, "\(answer.text)")
        #expect(answer.body.isEmpty)
        #expect(answer.header("content-type") == "application/proto")
        #expect(try series(controller) == [client.type])
        #expect(try labels(controller) == client.labels)
    }

    @Test func damagedBodiesAreAnsweredAtEveryDoor() throws {
        let controller = try TestController()
        let router = controller.server.router
        let form = Form([
            ("profile", "p", pprof(["samples/count", "cpu/nanoseconds"])),
            ("sample_type_config", "c", Array(#"{"cpu":{"display-name":"cpu"}}"#.utf8)),
        ])
        let otlp = Array(
            try Data(
                contentsOf: URL(fileURLWithPath: Peer.root + "/Tests/Fixtures/otlp/current.pb")))
        let folded = Array("main;work 3\nmain;rest 5\n".utf8)
        let seeds: [(target: String, type: String, body: [UInt8])] = [
            ("/ingest?name=a", form.headers[0].1, form.bytes),
            ("/ingest?name=a&format=pprof", "x/y", pprof(["cpu/nanoseconds"])),
            ("/ingest?name=a", "x/y", folded), ("/ingest?name=a&format=lines", "x/y", folded),
            ("/ingest?name=a&format=tree", "x/y", [0, 0, 1, 1, 97, 5, 0]),
            ("/ingest?name=a&format=trie", "x/y", [0, 0, 1, 3, 97, 59, 98, 5, 0]),
            ("/ingest?name=a&format=speedscope", "x/y", Array(#"{"shared":{"frames":[]}}"#.utf8)),
            ("/v1development/profiles", "application/x-protobuf", otlp),
        ]
        var random = Seeded(state: 4)
        for round in 0..<2000 {
            let seed = seeds[round % seeds.count]
            let head = RequestHead(
                method: "POST", target: seed.target,
                headers: [
                    HTTPHeader("Content-Type", seed.type), HTTPHeader("Host", "localhost"),
                ])
            guard case .admitted(var request) = router.admit(head) else {
                Issue.record("not admitted")
                return
            }
            request.body = seed.body
            for _ in 0..<Int.random(in: 1...4, using: &random) where !request.body.isEmpty {
                let place = Int.random(in: 0..<request.body.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: request.body[place] = UInt8.random(in: 0...255, using: &random)
                case 1: request.body.remove(at: place)
                default: request.body.removeLast((request.body.count - place) / 4)
                }
            }
            guard case .answer(let response) = router.respond(to: request) else {
                Issue.record("no answer")
                return
            }
            #expect([200, 400, 422].contains(response.status))
        }
    }
}
