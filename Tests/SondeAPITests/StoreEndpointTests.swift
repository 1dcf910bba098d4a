// SPDX-License-Identifier: Apache-2.0
// What is stored, its check and its copy, over the API.

import Foundation
import SondeServer
import Testing

@Suite struct StoreEndpointTests {
    @Test(arguments: Transport.allCases)
    func theStoreTellsWhatItHoldsOfWhom(_ transport: Transport) throws {
        let controller = try TestController()
        for service in ["bets", "odds"] {
            let answer = try controller.send(
                "POST", "/push.v1.PusherService/Push",
                headers: [("Content-Type", "application/proto")],
                body: push(profile(["main", "work"], 30), service: service))
            #expect(answer.status == 200, "\(answer.text)")
        }
        let store = try controller.send("GET", "/api/v1/store", over: transport).json
        #expect(store["profiles"] as? Int == 2)
        #expect(store["bytes"] as? Int ?? 0 > 0)
        #expect(store["oldestMs"] as? Int ?? 0 > 0)
        #expect((store["removed"] as? [Any])?.isEmpty == true)
        let services = try #require(store["services"] as? [[String: Any]])
        #expect(services.map { $0["name"] as? String } == ["bets", "odds"])
        #expect(services.map { $0["series"] as? Int } == [1, 1])
        #expect(services.map { $0["stackNodes"] as? Int } == [3, 3])
        let check = try controller.send("POST", "/api/v1/store/check", over: transport)
        #expect(check.status == 200)
        #expect(check.json["profiles"] as? Int == 2)
        #expect((check.json["problems"] as? [Any])?.isEmpty == true)
        let metrics = try controller.send("GET", "/metrics", over: transport).text
        #expect(metrics.contains("sonde_store_removed_profiles_total{reason=\"bytes\"} 0"))
        #expect(metrics.contains("sonde_store_oldest_profile_time_seconds "))
    }

    @Test(arguments: Transport.allCases)
    func aCopyMadeWhileServingCanBeServed(_ transport: Transport) throws {
        let controller = try TestController()
        _ = try controller.send(
            "POST", "/push.v1.PusherService/Push",
            headers: [("Content-Type", "application/proto")],
            body: push(profile(["main", "work"], 30)))
        let copy = DataPlace()
        let body = Array(#"{"folder": "\#(copy.path)"}"#.utf8)
        let answer = try controller.send(
            "POST", "/api/v1/store/backup", over: transport, body: body)
        #expect(answer.status == 200, "\(answer.text)")
        #expect(answer.json["databases"] as? Int == 4)
        let served = try TestController(in: copy)
        #expect(try stored(served) == 1)
        let again = try controller.send(
            "POST", "/api/v1/store/backup", over: transport, body: body)
        #expect(again.status == 400)
        #expect(again.text.contains("empty or does not exist"))
        let none = try controller.send(
            "POST", "/api/v1/store/backup", over: transport, body: Array("{}".utf8))
        #expect(none.status == 400)
    }

    @Test func rulesOfTheConfigurationRemoveTheirSeries() throws {
        let folder = DataPlace()
        do {
            let controller = try TestController(in: folder)
            let threeDaysAgo = Int64(Date().timeIntervalSince1970 - 3 * 86_400) * 1_000_000_000
            for service in ["test", "live"] {
                _ = try controller.send(
                    "POST", "/push.v1.PusherService/Push",
                    headers: [("Content-Type", "application/proto")],
                    body: push(profile(["main"], 1, time: threeDaysAgo), service: service))
            }
            #expect(try stored(controller) == 2)
        }
        let controller = try TestController(in: folder) {
            $0.retentionRules = [(selector: #"{service_name="test"}"#, days: 2)]
        }
        #expect(try stored(controller) == 1)
        let store = try controller.send("GET", "/api/v1/store").json
        let removed = try #require((store["removed"] as? [[String: Any]])?.first)
        #expect(removed["reason"] as? String == "rule")
        #expect(removed["rule"] as? String == #"{service_name="test"}"#)
        #expect(removed["profiles"] as? Int == 1)
        #expect(throws: ServerError.self) {
            try TestController { $0.retentionRules = [(selector: "{", days: 2)] }
        }
    }
}
