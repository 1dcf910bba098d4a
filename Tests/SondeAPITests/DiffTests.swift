// SPDX-License-Identifier: Apache-2.0
// Two selections are compared, series are grouped, and stacks are chosen.

import Foundation
import SondeModel
import Testing

@Suite struct DiffTests {
    @Test(arguments: Transport.allCases)
    func twoSelectionsComeInOneFlameGraph(_ transport: Transport) throws {
        let controller = try filled()
        let answer = try controller.send(
            "GET", "/api/v1/diff?leftSelector=bookmaker&rightSelector=wallet", over: transport)
        #expect(answer.status == 200)
        let json = answer.json
        #expect(json["unit"] as? String == "nanoseconds")
        #expect((json["left"] as? [String: Any])?["total"] as? Int == 100)
        #expect((json["right"] as? [String: Any])?["total"] as? Int == 50)
        #expect((json["right"] as? [String: Any])?["profiles"] as? Int == 1)
        let strings = try #require(json["strings"] as? [String])
        let frames = try #require((json["frames"] as? [String: [Int]])?["name"])
        let nodes = try #require(json["nodes"] as? [String: [Int]])
        #expect(
            Set(nodes.keys) == [
                "parent", "frame", "leftSelf", "leftTotal", "rightSelf", "rightTotal",
            ])
        let names = try #require(nodes["frame"]).map { $0 < 0 ? "" : strings[frames[$0]] }
        #expect(names == ["", "main", "idle", "pay", "work"])
        #expect(nodes["leftSelf"] == [0, 0, 30, 0, 70])
        #expect(nodes["rightSelf"] == [0, 0, 0, 50, 0])
        #expect(nodes["leftTotal"] == [100, 100, 30, 0, 70])
    }

    @Test func whatIsTheSameOnBothSidesIsSaidOnce() throws {
        let controller = try filled()
        let answer = try controller.send(
            "GET",
            "/api/v1/diff?selector=bookmaker&leftFrom=now-3h&leftUntil=now-2h&maxNodes=2")
        #expect((answer.json["left"] as? [String: Any])?["total"] as? Int == 0)
        #expect((answer.json["right"] as? [String: Any])?["total"] as? Int == 100)
        #expect(answer.json["truncated"] as? Bool == true)
        let types = try controller.send("GET", "/api/v1/diff?leftType=cpu&rightType=memory:a:b::")
        #expect(types.status == 400)
        #expect(types.message.contains("want one on both sides"))
    }

    @Test(arguments: Transport.allCases)
    func onlyStacksThatAreAskedForCount(_ transport: Transport) throws {
        let controller = try filled()
        let total = { (parameters: String) in
            try controller.send("GET", "/api/v1/flame?\(parameters)", over: transport)
                .json["total"] as? Int
        }
        #expect(try total("stack=main") == 150)
        #expect(try total("stack=main;work") == 70)
        #expect(try total("stack=work") == 0)
        #expect(try total("focus=%5E(pay%7Cidle)$") == 80)
        #expect(try total("focus=i&stack=main;idle&selector=wallet") == 0)
        let timeline = try controller.send(
            "GET", "/api/v1/timeline?stack=main;work&step=3600", over: transport)
        let points = try #require(timeline.json["points"] as? [[Int]])
        #expect(points.reduce(0) { $0 + $1[1] } == 70)
        let top = try controller.send("GET", "/api/v1/top?focus=pay", over: transport)
        #expect(top.json["total"] as? Int == 50)
        let wrong = try controller.send("GET", "/api/v1/flame?focus=(?=a)", over: transport)
        #expect(wrong.status == 400)
        #expect(wrong.message.contains("lookahead"))
    }

    @Test func aTimelineIsGroupedByLabels() throws {
        let controller = try filled()
        let answer = try controller.send(
            "GET", "/api/v1/timeline?groupBy=service_name,absent&step=3600")
        let groups = try #require(answer.json["groups"] as? [[String: Any]])
        #expect(answer.json["groupCount"] as? Int == 2)
        #expect(
            groups.map { ($0["labels"] as? [String: String])?["service_name"] }
                == ["bookmaker", "wallet"])
        let sums = groups.map { ($0["points"] as? [[Int]])?.reduce(0) { $0 + $1[1] } }
        #expect(sums == [100, 50])
        let one = try controller.send(
            "GET", "/api/v1/timeline?groupBy=service_name&step=3600&limit=1")
        #expect((one.json["groups"] as? [Any])?.count == 1)
        #expect(one.json["groupCount"] as? Int == 2)
    }

    /// A controller that holds two profiles of one service and one of another.
    private func filled() throws -> TestController {
        let controller = try TestController()
        for (service, stack, value) in [
            ("bookmaker", "work", Int64(70)), ("bookmaker", "idle", 30), ("wallet", "pay", 50),
        ] {
            let answer = try controller.send(
                "POST", pushTarget, headers: [("Content-Type", "application/proto")],
                body: push(profile(["main", stack], value), service: service))
            #expect(answer.status == 200)
        }
        return controller
    }
}
