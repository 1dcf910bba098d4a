// SPDX-License-Identifier: Apache-2.0
// Profiles come in as Pyroscope's clients send them.

import Foundation
import SondeAPI
import SondeFormats
import SondeModel
import SondeServer
import SondeWire
import Testing

@Suite struct PushTests {
    @Test(arguments: Transport.allCases)
    func aPushedProfileIsInTheTopTable(_ transport: Transport) throws {
        let controller = try TestController()
        let answer = try controller.send(
            "POST", pushTarget, over: transport, headers: [("Content-Type", "application/proto")],
            body: push(profile(["main", "work"], 70)))
        #expect(answer.status == 200)
        #expect(answer.header("content-type") == "application/proto")
        #expect(answer.body.isEmpty)
        let top = try controller.send("GET", "/api/v1/top?selector=bookmaker", over: transport)
        #expect(top.status == 200)
        let functions = try #require(top.json["functions"] as? [[String: Any]])
        #expect(functions.map { $0["name"] as? String } == ["work", "main"])
        #expect(functions.map { $0["self"] as? Int } == [70, 0])
        #expect(functions.map { $0["total"] as? Int } == [70, 70])
    }

    @Test(arguments: Transport.allCases, [false, true])
    func bothLayersOfGzipAreIndependent(_ transport: Transport, inner: Bool) throws {
        let controller = try TestController()
        let raw = profile(["a"], 1)
        let body = push(inner ? try Gzip.compress(raw) : raw)
        let answer = try controller.send(
            "POST", pushTarget, over: transport,
            headers: [("Content-Type", "application/proto"), ("Content-Encoding", "gzip")],
            body: try Gzip.compress(body))
        #expect(answer.status == 200)
        #expect(try stored(controller) == 1)
    }

    @Test(arguments: Transport.allCases)
    func jsonTakesBothSpellingsAndIgnoresWhatItDoesNotKnow(_ transport: Transport) throws {
        let controller = try TestController()
        for name in ["rawProfile", "raw_profile"] {
            let base64 = Data(profile(["a"], 1)).base64EncodedString()
            let json = """
                {"unknown": {"deep": [1, {"x": null}]}, "series": [{"annotations": null, "labels": [
                  {"name": "__name__", "value": "process_cpu"},
                  {"name": "service_name", "value": "bookmaker"}],
                  "samples": [{"\(name)": "\(base64)", "ID": null}]}]}
                """
            let answer = try controller.send(
                "POST", pushTarget, over: transport,
                headers: [("Content-Type", "application/json; charset=utf-8")],
                body: Array(json.utf8))
            #expect(answer.status == 200)
            #expect(answer.text == "{}")
            #expect(answer.header("content-type") == "application/json")
        }
        #expect(try stored(controller) == 2)
    }

    @Test(arguments: Transport.allCases)
    func theGoodPartOfAPushIsStoredAndTheBadPartIsTold(_ transport: Transport) throws {
        let controller = try TestController()
        var request = pushRequest(profile(["a"], 1))
        request.series[0].samples.append(rawSample([1, 2, 3]))
        var nameless = request.series[0]
        nameless.labels.removeAll { $0.name == "__name__" }
        request.series.append(nameless)
        let answer = try controller.send(
            "POST", pushTarget, over: transport, headers: [("Content-Type", "application/proto")],
            body: request.encode())
        #expect(answer.status == 400)
        #expect(answer.code == "invalid_argument")
        #expect(answer.message.contains("cannot read pprof"))
        #expect(answer.message.contains("no __name__"))
        #expect(try stored(controller) == 1)
        let status = try controller.send("GET", "/api/v1/status", over: transport)
        let rejected = status.json["rejected"] as? [String: Int]
        #expect(rejected == ["malformed": 1, "bad_labels": 2])
    }

    @Test(arguments: [
        ("text/plain", "", 415, "unsupported_media_type"),
        ("", "", 415, "unsupported_media_type"),
        ("application/proto", "", 400, "invalid_argument"),
        ("application/json", "", 400, "invalid_argument"),
        ("application/json", "{", 400, "invalid_argument"),
        ("application/json", "{}{}", 400, "invalid_argument"),
        ("application/json", #"{"series": 1}"#, 400, "invalid_argument"),
        ("application/proto", "\u{1}", 400, "invalid_argument"),
    ])
    func whatIsNoPushIsRefusedWithAReason(
        _ type: String, _ body: String, _ status: Int, _ code: String
    ) throws {
        let controller = try TestController()
        for transport in Transport.allCases {
            let answer = try controller.send(
                "POST", pushTarget, over: transport, headers: [("Content-Type", type)],
                body: Array(body.utf8))
            #expect(answer.status == status)
            #expect(answer.code == code)
            #expect(answer.message.hasPrefix("cannot "))
        }
        #expect(try stored(controller) == 0)
    }

    @Test func profilesWithoutATimeBeginWhenTheyAreReceived() throws {
        let controller = try TestController()
        for time in [0, 1, 31_535_999_000_000_000] as [Int64] {
            let answer = try controller.send(
                "POST", pushTarget, headers: [("Content-Type", "application/proto")],
                body: push(profile(["a"], 1, time: time)))
            #expect(answer.status == 200)
        }
        let top = try controller.send("GET", "/api/v1/top?from=now-1m")
        #expect(top.json["profiles"] as? Int == 3)
    }

    @Test(arguments: Transport.allCases)
    func aBombIsCutAtTheLimitOfWhatComesOut(_ transport: Transport) throws {
        let controller = try TestController { $0.limits.pushBytes = 1 << 20 }
        let bomb = try Gzip.compress([UInt8](repeating: 0, count: 50 << 20))
        #expect(bomb.count < 1 << 20)
        let answer = try controller.send(
            "POST", pushTarget, over: transport,
            headers: [("Content-Type", "application/proto"), ("Content-Encoding", "gzip")],
            body: bomb)
        #expect(answer.status == 400)
        #expect(answer.code == "invalid_argument")
        #expect(answer.message.contains("want at most 1048576"))
        // Where a status of HTTP is at hand, it is that one.
        for target in ["/ingest?name=app", "/v1development/profiles"] {
            let plain = try controller.send(
                "POST", target, over: transport,
                headers: [
                    ("Content-Type", "application/x-protobuf"), ("Content-Encoding", "gzip"),
                ], body: bomb)
            #expect(plain.status == 413, "\(target)")
            #expect(plain.code == "too_large")
        }
    }

    @Test func aBombInsideOfAPushIsCutToo() throws {
        let controller = try TestController { $0.limits.tenant.profileBytes = 1 << 20 }
        let bomb = try Gzip.compress([UInt8](repeating: 0, count: 50 << 20))
        let answer = try controller.send(
            "POST", pushTarget, headers: [("Content-Type", "application/proto")], body: push(bomb))
        #expect(answer.status == 400)
        #expect(answer.message.contains("1048576"))
        #expect(try stored(controller) == 0)
    }

    @Test func connectHeadersAreChecked() throws {
        let controller = try TestController()
        for (header, value, status) in [
            ("Connect-Protocol-Version", "1", 200), ("Connect-Protocol-Version", "2", 400),
            ("Connect-Timeout-Ms", "5000", 200), ("Connect-Timeout-Ms", "soon", 400),
            ("Connect-Timeout-Ms", "12345678901", 400), ("Content-Encoding", "br", 501),
        ] {
            let answer = try controller.send(
                "POST", pushTarget,
                headers: [("Content-Type", "application/proto"), (header, value)],
                body: push(profile(["a"], 1)))
            #expect(answer.status == status, "\(header): \(value)")
        }
    }
}
