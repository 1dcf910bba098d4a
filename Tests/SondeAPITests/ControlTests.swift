// SPDX-License-Identifier: Apache-2.0
// Agents register, poll and are told what to do.

import Foundation
import SondeModel
import SondeWire
import Testing

@Suite struct ControlTests {
    @Test(arguments: Transport.allCases)
    func anUnknownInstanceIsToldToRegister(_ transport: Transport) throws {
        let controller = try TestController()
        let answer = try controller.poll("nobody", over: transport)
        #expect(answer.status == 404)
        #expect(answer.code == "not_found")
    }

    @Test(arguments: Transport.allCases)
    func aRegisteredAgentIsListedWithWhatItReported(_ transport: Transport) throws {
        let controller = try TestController()
        #expect(try controller.register("one", over: transport).status == 200)
        var report = AgentReport()
        report.ownCPUNanos = 5_000_000_000
        report.threads = 4
        var loss = SondeWire.Counter()
        loss.reason = "ring full"
        loss.count = 3
        report.losses = [loss]
        var cpu = SamplerState()
        cpu.enabled = true
        cpu.hertz = 100
        cpu.samples = 77
        report.cpu = cpu
        #expect(try controller.poll("one", report: report, over: transport).status == 200)
        let agents = try controller.agents(over: transport)
        #expect(agents.count == 1)
        let agent = try #require(agents.first)
        #expect(agent["service"] as? String == "bookmaker")
        #expect(agent["state"] as? String == "connected")
        #expect(agent["losses"] as? [String: Int] == ["ring full": 3])
        let shown = agent["cpu"] as? [String: Any]
        #expect(shown?["samples"] as? Int == 77)
        #expect(shown?["desired"] is NSNull)
        let percent = try #require(agent["ownCPUPercent"] as? Double)
        #expect((4.9...5.01).contains(percent), "5 s of CPU in 100 s: \(percent)")
        let missing = try #require(agent["missingDebugInfo"] as? [String])
        #expect(missing == ["/opt/bookmaker (\(String(repeating: "ab", count: 20)))"])
        let services = try controller.send("GET", "/api/v1/services", over: transport)
        #expect(services.text.contains(#""name":"bookmaker""#))
        #expect(services.text.contains(#""agents":1"#))
    }

    @Test(arguments: Transport.allCases)
    func aPollWaitsAndIsAnsweredWhenTheSettingsChange(_ transport: Transport) throws {
        let controller = try TestController()
        _ = try controller.register("one", over: transport)
        let first = try DesiredState(decoding: controller.poll("one", over: transport).body[...])
        #expect(first.cpu == nil)
        let waiting = Background {
            let begin = ContinuousClock.now
            let answer = try controller.poll(
                "one", revision: first.revision, waitMs: 20_000, over: transport)
            return (answer, begin.duration(to: .now))
        }
        // The poll is held when the agent is known to have polled twice.
        #expect(
            try eventually {
                let text = try controller.send("GET", "/metrics").text
                return transport == .router || text.contains("\nsonde_http_long_polls 1\n")
            })
        let begin = ContinuousClock.now
        let change = try controller.send(
            "PATCH", "/api/v1/agents?service=bookmaker", over: transport,
            body: Array(#"{"cpu": {"enabled": true, "hertz": 49}}"#.utf8))
        #expect(change.status == 200)
        #expect(change.json["instances"] as? [String] == ["one"])
        let (answer, _) = try waiting.value()
        #expect(begin.duration(to: .now) < .seconds(15), "long before its 20 s are over")
        #expect(answer.status == 200)
        let state = try DesiredState(decoding: answer.body[...])
        #expect(state.cpu?.hertz == 49)
        #expect(state.revision != first.revision)
    }

    @Test(arguments: Transport.allCases)
    func aPollWithNothingNewEndsWith304(_ transport: Transport) throws {
        let controller = try TestController()
        _ = try controller.register("one", over: transport)
        let state = try DesiredState(decoding: controller.poll("one", over: transport).body[...])
        let begin = ContinuousClock.now
        let answer = try controller.poll(
            "one", revision: state.revision, waitMs: 300, over: transport)
        #expect(answer.status == 304)
        #expect(answer.body.isEmpty)
        #expect(begin.duration(to: .now) >= .milliseconds(290))
    }

    @Test func aSecondPollOfAnInstanceEndsTheFirst() throws {
        let controller = try TestController()
        _ = try controller.register("one")
        let state = try DesiredState(decoding: controller.poll("one").body[...])
        let first = Background {
            try controller.poll("one", revision: state.revision, waitMs: 30_000)
        }
        #expect(
            try eventually {
                try controller.send("GET", "/metrics").text.contains("\nsonde_http_long_polls 1\n")
            })
        let other = try TestClient(controller)
        let second = try other.poll("one", revision: state.revision, waitMs: 10)
        #expect(second.status == 304)
        #expect(try first.value().status == 304)
    }

    @Test func whatWasSetForAnInstanceWinsAndSurvivesARestart() throws {
        let folder = DataPlace()
        var revision = ""
        do {
            let controller = try TestController(in: folder)
            _ = try controller.register("one")
            let patch = { (target: String, body: String) in
                try controller.send("PATCH", target, body: Array(body.utf8)).status
            }
            #expect(try patch("/api/v1/agents?service=bookmaker", #"{"cpu":{"hertz":10}}"#) == 200)
            #expect(try patch("/api/v1/agents?instance=one", #"{"cpu":{"enabled":false}}"#) == 200)
            var state = try DesiredState(decoding: controller.poll("one").body[...])
            #expect(state.cpu?.enabled == false)
            #expect(try patch("/api/v1/agents?instance=one", #"{"cpu":null}"#) == 200)
            state = try DesiredState(decoding: controller.poll("one").body[...])
            #expect(state.cpu?.hertz == 10)
            revision = state.revision
        }
        let again = try TestController(in: folder)
        #expect(try again.poll("one").status == 404)
        _ = try again.register("one")
        let state = try DesiredState(decoding: again.poll("one").body[...])
        #expect(state.cpu?.hertz == 10)
        // The image that the agent is asked for is part of the revision too.
        #expect(state.revision == revision)
    }

    @Test(arguments: [
        ("", #"{"cpu": {"hertz": 10}}"#), ("?service=a", "{}"), ("?service=a", "[]"),
        ("?service=a", #"{"cpu": {"hertz": 0}}"#), ("?service=a", #"{"cpu": {"hertz": 1e9}}"#),
        ("?service=a", #"{"cpu": {"hertz": "fast"}}"#), ("?service=a", ""),
    ])
    func settingsThatMakeNoSenseAreRefused(_ query: String, _ body: String) throws {
        let controller = try TestController()
        let answer = try controller.send(
            "PATCH", "/api/v1/agents\(query)", body: Array(body.utf8))
        #expect(answer.status == 400)
        #expect(answer.message.hasPrefix("cannot "))
    }

    @Test func messagesThatAreNoneAreRefused() throws {
        let controller = try TestController()
        for method in ["Register", "Poll"] {
            let target = "/sonde.control.v1.ControlService/\(method)"
            let proto = [("Content-Type", "application/proto")]
            #expect(
                try controller.send("POST", target, headers: proto, body: [0xFF, 0xFF]).status
                    == 400)
            #expect(try controller.send("POST", target, headers: proto).status >= 400)
            #expect(
                try controller.send(
                    "POST", target, headers: [("Content-Type", "text/plain")], body: [1]
                ).status == 415)
            let get = try controller.send("GET", target)
            #expect(get.status == 405)
            #expect(get.header("allow") == "POST")
        }
    }

    @Test func anAgentThatClosedItsPollIsAway() throws {
        let controller = try TestController()
        _ = try controller.register("one")
        let state = try DesiredState(decoding: controller.poll("one").body[...])
        let other = try TestClient(controller)
        #expect(throws: (any Error).self) {
            try other.poll("one", revision: state.revision, waitMs: 30_000, timeout: 0.3)
        }
        #expect(
            try eventually {
                try controller.agents().first?["state"] as? String == "away"
            })
        #expect(try controller.poll("one").status == 200)
        #expect(try controller.agents().first?["state"] as? String == "connected")
    }
}
