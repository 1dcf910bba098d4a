// SPDX-License-Identifier: Apache-2.0
// Clients of Loki that others wrote push to the controller.

import Foundation
import SondeServer
import Testing

@Suite struct LokiPeerTests {
    @Test(
        .enabled(
            if: Peer.has("logging_loki") && Peer.has("cramjam") && Peer.has("google/protobuf"),
            "needs python-logging-loki, cramjam and protobuf in .cache/venv: `make deps-test`"),
        .timeLimit(.minutes(5)))
    func whatLokisClientsWriteIsFound() throws {
        let controller = try TestController()
        let peer = try Peer("loki_push.py", [controller.address.url])
        defer { peer.end() }
        #expect(peer.output() == "done\n")
        let json = try controller.loki("query_range", [("query", #"{application="peer"}"#)])
        #expect(json.lokiLines == [#"from logging_loki: a "quoted" ü"#])
        let labels = try #require(json.lokiStreams.first?["stream"] as? [String: String])
        #expect(labels["service_name"] == "peer")
        #expect(labels["severity"] == "error")
        #expect(labels["detected_level"] == "error")
        #expect(labels["kind"] == "json")
        let protobuf = try controller.loki(
            "query_range", [("query", #"{job="peer", path="C:\\x \"y\""} | trace_id=~"t[12]""#)])
        #expect(protobuf.lokiLines.sorted() == ["from protobuf 1", "from protobuf 2"])
    }
}
