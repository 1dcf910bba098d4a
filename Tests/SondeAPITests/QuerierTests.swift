// SPDX-License-Identifier: Apache-2.0
// Pyroscope's query procedures: who sees what, what is refused, what damaged requests get.

import Foundation
import SondeAPI
import SondeModel
import SondeServer
import SondeStore
import Testing

@Suite struct QuerierTests {
    private static let service = "/querier.v1.QuerierService/"
    private static let json = ("Content-Type", "application/json")

    @Test func aTenantSeesItsOwnProfilesOnly() throws {
        let controller = try TestController { $0.hasTenants = true }
        for (tenant, value) in [("one", Int64(10)), ("two", 200)] {
            let answer = try controller.send(
                "POST", pushTarget,
                headers: [("Content-Type", "application/proto"), ("X-Scope-OrgID", tenant)],
                body: push(profile(["main", tenant], value), service: "of-\(tenant)"))
            #expect(answer.status == 200)
        }
        let nobody = try ask(controller, "ProfileTypes")
        #expect(nobody.status == 401)
        #expect(nobody.code == "unauthenticated")
        #expect(try total(controller, tenant: "one") == "10")
        #expect(try total(controller, tenant: "two") == "200")
        #expect(try total(controller, tenant: "one|two") == "210")
        #expect(try total(controller, tenant: "three") == nil)
        #expect(try total(controller, tenant: "one", selector: "{__tenant__=\\\"two\\\"}") == nil)
        let names = try ask(controller, "LabelNames", tenant: "one|two").text
        #expect(names.contains("service_name"))
        #expect(!names.contains("__tenant__"))
        let values = try ask(
            controller, "LabelValues", #""name":"service_name""#, tenant: "one")
        #expect(values.json["names"] as? [String] == ["of-one"])
        #expect(!(try ask(controller, "Series", tenant: "one").text.contains("tenant")))
        let own = try controller.send(
            "GET", "/api/v1/flame", headers: [("X-Scope-OrgID", "two")])
        #expect(own.json["total"] as? Int == 200)
        let stats = try ask(controller, "GetProfileStats", tenant: "three")
        #expect(stats.json["dataIngested"] == nil)
        let series = try controller.send(
            "GET", "/api/v1/series", headers: [("X-Scope-OrgID", "one")]
        ).text
        #expect(series.contains("of-one") && !series.contains("of-two"))
    }

    @Test func damagedQuestionsAreAnswered() throws {
        let controller = try TestController()
        _ = try controller.send(
            "POST", pushTarget, headers: [("Content-Type", "application/proto")],
            body: push(profile(["main", "work"], 70)))
        let now = Int64(Date().timeIntervalSince1970 * 1000)
        let range = "\"start\":\(now - 60_000),\"end\":\(now + 1000)"
        let type = "\"profileTypeID\":\"\(ProfileType.cpu)\""
        let seeds = [
            ("SelectMergeStacktraces", "{\(type),\(range),\"maxNodes\":\"5\",\"format\":2}"),
            ("SelectSeries", "{\(type),\(range),\"step\":15,\"groupBy\":[\"a\"],\"limit\":2}"),
            ("LabelNames", "{\"matchers\":[\"{a=~\\\"b+\\\"}\"],\(range)}"),
            ("SelectHeatmap", "{\(type),\(range),\"step\":1.5}"),
            (
                "Diff",
                "{\"left\":{\(type),\(range)},\"right\":{\(type),\(range),\"stackTraceSelector\":"
                    + "{\"callSite\":[{\"name\":\"main\"}],\"goPgo\":{\"keepLocations\":1}}}}"
            ),
        ]
        var random = Seeded(state: 3)
        for round in 0..<3000 {
            let (procedure, body) = seeds[round % seeds.count]
            var bytes = Array(body.utf8)
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: bytes[place] = .random(in: 0...255, using: &random)
                case 1: bytes.remove(at: place)
                default: bytes.insert(bytes[place], at: place)
                }
            }
            let isJSON = Bool.random(using: &random)
            let answer = try controller.send(
                "POST", Self.service + procedure, over: .router,
                headers: [("Content-Type", isJSON ? "application/json" : "application/proto")],
                body: bytes)
            #expect([200, 400].contains(answer.status), "\(answer.text)")
        }
    }

    @Test(arguments: Transport.allCases)
    func whatCannotBeRenderedIsRefusedInWords(_ transport: Transport) throws {
        let controller = try TestController()
        let cpu = "process_cpu:cpu:nanoseconds:cpu:nanoseconds"
        for (target, words) in [
            ("/pyroscope/render", "without a profile type"),
            ("/pyroscope/render?query=%7Ba%3D%22b%22%7D", "without a profile type"),
            ("/pyroscope/render?query=\(cpu)%7B&format=json", "cannot read selector"),
            ("/pyroscope/render?query=\(cpu)&format=png", "want json or dot"),
            ("/pyroscope/render?query=\(cpu)&aggregation=max", "want sum or avg"),
            ("/pyroscope/render?query=\(cpu)&max-nodes=many", "want a number"),
            ("/pyroscope/render?query=\(cpu)&from=now&until=now-1h", "want start before end"),
            (
                "/pyroscope/render-diff?leftQuery=\(cpu)&rightQuery=memory:alloc_space:bytes::",
                "want one on both sides"
            ),
            ("/pyroscope/label-values", "got no label"),
        ] {
            let answer = try controller.send("GET", target, over: transport)
            #expect(answer.status == 400, "\(target)")
            #expect(answer.code == "invalid_argument")
            #expect(answer.message.contains(words), "\(answer.message)")
        }
        let nothing = try controller.send("GET", "/pyroscope/render?query=\(cpu)", over: transport)
        #expect(nothing.status == 200)
        let samples = (nothing.json["timeline"] as? [String: Any])?["samples"] as? [Int]
        #expect(samples?.allSatisfy { $0 == 0 } == true)
        #expect(samples?.count == 241)
    }

    @Test(arguments: Transport.allCases)
    func largeAnswersAreCompressedAndWhatIsUnknownIsNot(_ transport: Transport) throws {
        let controller = try TestController()
        for path in ["vcs.v1.VCSService/GithubApp", "querier.v1.QuerierService/SelectEverything"] {
            let unknown = try controller.send(
                "POST", "/" + path, over: transport, headers: [Self.json], body: Array("{}".utf8))
            #expect(unknown.status == 501)
            #expect(unknown.code == "unimplemented")
        }
        #expect(try controller.send("GET", "/no/such.file", over: transport).status == 404)
    }

    private func total(
        _ controller: TestController, tenant: String, selector: String = "{}"
    ) throws -> String? {
        let answer = try ask(
            controller, "SelectMergeStacktraces",
            "\"profileTypeID\":\"\(ProfileType.cpu)\",\"labelSelector\":\"\(selector)\"",
            tenant: tenant)
        #expect(answer.status == 200, "\(answer.text)")
        return (answer.json["flamegraph"] as? [String: Any])?["total"] as? String
    }

    /// Asks about the last minutes.
    private func ask(
        _ controller: TestController, _ procedure: String, _ members: String = "",
        tenant: String? = nil
    ) throws -> Answer {
        let now = Int64(Date().timeIntervalSince1970 * 1000)
        let range = "\"start\":\"\(now - 300_000)\",\"end\":\(now + 60_000)"
        return try controller.send(
            "POST", Self.service + procedure,
            headers: [Self.json] + (tenant.map { [("X-Scope-OrgID", $0)] } ?? []),
            body: Array("{\(members)\(members.isEmpty ? "" : ",")\(range)}".utf8))
    }
}
