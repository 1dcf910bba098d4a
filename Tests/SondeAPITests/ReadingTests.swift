// SPDX-License-Identifier: Apache-2.0
// Stored profiles are read in every form.

import Foundation
import SondeFormats
import SondeModel
import SondeWire
import Testing

@Suite struct ReadingTests {
    @Test(arguments: Transport.allCases)
    func theFlameGraphComesInColumns(_ transport: Transport) throws {
        let controller = try filled()
        let answer = try controller.send(
            "GET", "/api/v1/flame?selector=bookmaker&from=now-10m", over: transport)
        #expect(answer.status == 200)
        let json = answer.json
        #expect(json["total"] as? Int == 100)
        #expect(json["profiles"] as? Int == 2)
        #expect(json["unit"] as? String == "nanoseconds")
        #expect(json["type"] as? String == ProfileType.cpu.description)
        #expect(json["truncated"] as? Bool == false)
        let strings = try #require(json["strings"] as? [String])
        let frames = try #require(json["frames"] as? [String: [Int]])
        let nodes = try #require(json["nodes"] as? [String: [Int]])
        #expect(strings.first == "")
        #expect(nodes["parent"] == [-1, 0, 1, 1])
        #expect(nodes["frame"]?.first == -1)
        #expect(nodes["self"] == [0, 0, 30, 70])
        #expect(nodes["total"] == [100, 100, 30, 70])
        let names = try #require(nodes["frame"]).dropFirst().map { frame in
            strings[(frames["name"] ?? [])[frame]]
        }
        #expect(names == ["main", "idle", "work"])
        #expect(frames["line"] == [7, 7, 7])
        #expect(Set(frames.keys) == ["name", "file", "line", "module", "kind"])
    }

    @Test(arguments: Transport.allCases)
    func theFlameGraphIsCutToTheNodesAskedFor(_ transport: Transport) throws {
        let controller = try filled()
        let answer = try controller.send("GET", "/api/v1/flame?maxNodes=2", over: transport)
        #expect(answer.json["truncated"] as? Bool == true)
        #expect(answer.text.contains(#""other""#))
    }

    @Test(arguments: Transport.allCases)
    func otherToolsGetTheirFormats(_ transport: Transport) throws {
        let controller = try filled()
        let get = { (format: String) in
            try controller.send("GET", "/api/v1/flame?format=\(format)", over: transport)
        }
        #expect(try get("folded").text == "main;idle 30\nmain;work 70\n")
        #expect(try get("text").text.contains("main"))
        let pprof = try get("pprof")
        let document = try PprofDocument(decoding: Gzip.expand(pprof.body, limit: 1 << 20)[...])
        #expect(document.samples.map { $0.values[0] }.sorted() == [30, 70])
        let speedscope = try get("speedscope")
        #expect(speedscope.json["$schema"] as? String != nil)
        #expect(speedscope.header("content-disposition")?.contains("attachment") == true)
        let svg = try get("svg")
        #expect(svg.header("content-type") == "image/svg+xml")
        #expect(svg.header("content-security-policy")?.contains("sandbox") == true)
        #expect(svg.text.contains("<svg"))
    }

    @Test(arguments: Transport.allCases)
    func theTimelineAddsUpWhatBeganInEachStep(_ transport: Transport) throws {
        let controller = try filled()
        let answer = try controller.send(
            "GET", "/api/v1/timeline?from=now-10m&step=3600", over: transport)
        #expect(answer.json["stepMs"] as? Int == 3_600_000)
        let points = try #require(answer.json["points"] as? [[Int]])
        #expect(points.reduce(0) { $0 + $1[1] } == 100)
        #expect(points.allSatisfy { $0[0] % 3_600_000 == 0 })
    }

    @Test(arguments: Transport.allCases)
    func servicesAndSeriesAreListed(_ transport: Transport) throws {
        let controller = try filled()
        let services = try controller.send("GET", "/api/v1/services", over: transport)
        let list = try #require(services.json["services"] as? [[String: Any]])
        #expect(list.map { $0["name"] as? String } == ["bookmaker"])
        let types = try #require(list[0]["profileTypes"] as? [[String: String]])
        #expect(
            types == [["id": ProfileType.cpu.description, "name": "cpu", "unit": "nanoseconds"]])
        let series = try controller.send(
            "GET", "/api/v1/series?selector=%7Bregion%3D~%22eu-.%2A%22%7D", over: transport)
        let found = try #require(series.json["series"] as? [[String: Any]])
        #expect(found.count == 1)
        #expect(
            found[0]["labels"] as? [String: String]
                == ["region": "eu-1", "service_name": "bookmaker"])
    }

    @Test(arguments: Transport.allCases)
    func noDataIsNoError(_ transport: Transport) throws {
        let controller = try TestController()
        for target in ["flame", "top", "timeline", "services", "series", "agents", "debuginfo"] {
            let answer = try controller.send("GET", "/api/v1/\(target)", over: transport)
            #expect(answer.status == 200, "\(target)")
        }
        let flame = try controller.send("GET", "/api/v1/flame", over: transport)
        #expect(flame.json["total"] as? Int == 0)
        #expect((flame.json["nodes"] as? [String: [Int]])?["parent"] == [-1])
    }

    @Test(arguments: [
        "flame?selector=%7Ba", "flame?from=yesterday", "flame?from=2&until=1", "flame?type=a:b",
        "flame?format=gif", "flame?maxNodes=0", "flame?maxNodes=99999999", "flame?maxNodes=x",
        "flame?type=nonsense", "top?limit=0", "timeline?step=-1", "timeline?step=0.001&from=now-1w",
        "flame?format=text&width=1", "flame?format=text&minShare=2", "flame?selector=%FF",
        "flame?selector=%7Ba%3D~%22(%22%7D", "top?selector=%zz",
    ])
    func questionsThatMakeNoSenseAreRefusedWithAReason(_ target: String) throws {
        let controller = try TestController()
        for transport in Transport.allCases {
            let answer = try controller.send("GET", "/api/v1/\(target)", over: transport)
            #expect(answer.status == 400, "\(target)")
            #expect(answer.message.hasPrefix("cannot "), "\(target): \(answer.text)")
        }
    }

    @Test func answersAreCompressedForThoseWhoTakeIt() throws {
        let controller = try TestController()
        for number in 0..<200 {
            _ = try controller.send(
                "POST", pushTarget, headers: [("Content-Type", "application/proto")],
                body: push(profile(["main", "function number \(number)"], 1)))
        }
        let plain = try controller.send("GET", "/api/v1/top?limit=1000", over: .router)
        #expect(plain.header("content-encoding") == nil)
        #expect(plain.header("vary") == "Accept-Encoding")
        let compressed = try controller.send(
            "GET", "/api/v1/top?limit=1000", over: .router, headers: [("Accept-Encoding", "gzip")])
        #expect(compressed.header("content-encoding") == "gzip")
        #expect(compressed.body.count < plain.body.count / 2)
        #expect(try Gzip.expand(compressed.body, limit: 1 << 20) == plain.body)
        let refused = try controller.send(
            "GET", "/api/v1/top?limit=1000", over: .router,
            headers: [("Accept-Encoding", "gzip;q=0")])
        #expect(refused.header("content-encoding") == nil)
    }

    /// A controller with two profiles of one service.
    private func filled() throws -> TestController {
        let controller = try TestController()
        for (stack, value) in [(["main", "work"], 70), (["main", "idle"], 30)]
            as [([String], Int64)]
        {
            let answer = try controller.send(
                "POST", pushTarget, headers: [("Content-Type", "application/proto")],
                body: push(
                    profile(stack, value), labels: [Label(name: "region", value: "eu-1")]))
            #expect(answer.status == 200)
        }
        return controller
    }
}
