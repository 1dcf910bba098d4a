// SPDX-License-Identifier: Apache-2.0
// The controller about itself, and what every answer has.

import Foundation
import SondeServer
import Testing

@Suite struct StatusTests {
    @Test(arguments: Transport.allCases)
    func readinessVersionAndStatusAreTold(_ transport: Transport) throws {
        let controller = try TestController()
        let ready = try controller.send("GET", "/ready", over: transport)
        #expect(ready.status == 200)
        #expect(ready.text == "ready\n")
        let info = try controller.send("GET", "/api/v1/status/buildinfo", over: transport)
        #expect((info.json["data"] as? [String: String])?["version"]?.isEmpty == false)
        let status = try controller.send("GET", "/api/v1/status", over: transport)
        #expect(
            Set(status.json.keys) == [
                "version", "startedMs", "profiles", "storeBytes", "rejected", "ingest",
            ])
    }

    @Test(arguments: Transport.allCases)
    func theStatusTellsWhoeverAsksHisOwnLimits(_ transport: Transport) throws {
        func tenants(_ controller: TestController, _ header: String?) throws -> [String: Int] {
            let answer = try controller.send(
                "GET", "/api/v1/status", over: transport,
                headers: header.map { [("X-Scope-OrgID", $0)] } ?? [])
            #expect(answer.status == 200, "\(answer.text)")
            let ingest = answer.json["ingest"] as? [String: Any]
            #expect((ingest?["limits"] as? [String: Int])?["series"] == 100_000)
            let shown = (ingest?["tenants"] as? [[String: Any]] ?? []).compactMap { one in
                (one["limits"] as? [String: Int])?["series"].map { (one["tenant"] as? String, $0) }
            }
            return Dictionary(uniqueKeysWithValues: shown.map { ($0.0 ?? "", $0.1) })
        }
        #expect(try tenants(TestController(), nil) == ["anonymous": 100_000])
        let controller = try TestController {
            $0.hasTenants = true
            $0.tenantLimits = ["night": ["series": 7]]
        }
        #expect(try tenants(controller, nil) == [:])
        #expect(try tenants(controller, "night") == ["night": 7])
        #expect(try tenants(controller, "night|new") == ["night": 7, "new": 100_000])
        // To ask is not to be counted.
        let limits = try controller.send(
            "GET", "/api/v1/limits", over: transport, headers: [("X-Scope-OrgID", "night")])
        let known = (limits.json["tenants"] as? [[String: Any]] ?? []).map {
            $0["tenant"] as? String
        }
        #expect(known == ["night"])
    }

    @Test(arguments: Transport.allCases)
    func whatIsNotThereIsToldInOurForm(_ transport: Transport) throws {
        let controller = try TestController()
        let nowhere = try controller.send("GET", "/api/v1/nowhere", over: transport)
        #expect(nowhere.status == 404)
        #expect(nowhere.code == "not_found")
        #expect(nowhere.header("content-type") == "application/json")
        for (method, target, allow) in [
            ("DELETE", "/api/v1/top", "GET, HEAD"), ("POST", "/", "GET, HEAD"),
            ("OPTIONS", "/api/v1/agents", "GET, HEAD, PATCH"),
        ] {
            let answer = try controller.send(method, target, over: transport)
            #expect(answer.status == 405, "\(method) \(target)")
            #expect(answer.header("allow") == allow)
        }
    }

    @Test(arguments: Transport.allCases)
    func everyAnswerKeepsBrowsersSafe(_ transport: Transport) throws {
        let controller = try TestController()
        for target in ["/", "/api/v1/services", "/nowhere", "/api/v1/top?from=x"] {
            let answer = try controller.send("GET", target, over: transport)
            #expect(answer.header("x-content-type-options") == "nosniff", "\(target)")
            let policy = answer.header("content-security-policy")
            #expect(policy?.contains("frame-ancestors 'none'") == true, "\(target)")
            #expect(policy?.contains("unsafe") == false, "\(target)")
        }
    }

    @Test(arguments: Transport.allCases)
    func thePageIsServedOnceAndThenFromTheCache(_ transport: Transport) throws {
        let controller = try TestController()
        let page = try controller.send("GET", "/", over: transport)
        #expect(page.status == 200)
        #expect(page.header("content-type") == "text/html; charset=utf-8")
        #expect(page.text.contains("<title>"))
        let tag = try #require(page.header("etag"))
        let again = try controller.send(
            "GET", "/", over: transport, headers: [("If-None-Match", tag)])
        #expect(again.status == 304)
        #expect(again.body.isEmpty)
        #expect(try controller.send("GET", "/index.html", over: transport).body == page.body)
        #expect(try controller.send("HEAD", "/").status == 200)
        #expect(try controller.send("HEAD", "/").body.isEmpty)
        #expect(try controller.send("GET", "/../../etc/passwd", over: transport).status == 404)
        #expect(
            try controller.send("GET", "/%2e%2e/%2e%2e/etc/passwd", over: transport).status == 404)
    }

    @Test func metricsAreWhatPrometheusTakes() throws {
        let controller = try TestController()
        try controller.register("one")
        _ = try controller.send(
            "POST", pushTarget, headers: [("Content-Type", "application/proto")],
            body: push(profile(["a"], 1)))
        _ = try controller.send(
            "POST", pushTarget, headers: [("Content-Type", "application/proto")], body: [1])
        _ = try controller.send("GET", "/api/v1/top")
        let text = try controller.send("GET", "/metrics").text
        for line in [
            "sonde_ingest_profiles_total 1",
            #"sonde_ingest_rejected_profiles_total{reason="malformed"} 1"#,
            #"sonde_agents{state="connected"} 1"#,
            #"sonde_http_requests_total{route="/api/v1/top",method="GET",code="200"} 1"#,
            #"sonde_http_request_duration_seconds_count{route="/api/v1/top"} 1"#,
            "sonde_store_profiles 1", "sonde_http_long_polls 0",
        ] {
            #expect(text.contains("\n\(line)\n"), "\(line)")
        }
        for name in [
            "process_cpu_seconds_total", "process_resident_memory_bytes", "process_open_fds",
            "sonde_store_bytes", "sonde_symbol_cache_images", "sonde_build_info",
        ] { #expect(text.contains("# TYPE \(name) "), "\(name)") }
        try check(text)
    }

    /// Has Prometheus's own tool check the text, when it is there.
    private func check(_ text: String) throws {
        guard
            let tool = ["/usr/bin/promtool", "/usr/local/bin/promtool"].first(where: {
                FileManager.default.isExecutableFile(atPath: $0)
            })
        else {
            print("skipped: promtool is not installed, so /metrics was not checked by it")
            return
        }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: tool)
        process.arguments = ["check", "metrics"]
        let input = Pipe()
        let output = Pipe()
        process.standardInput = input
        process.standardError = output
        process.standardOutput = output
        try process.run()
        try input.fileHandleForWriting.write(contentsOf: Data(text.utf8))
        try input.fileHandleForWriting.close()
        let said = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        #expect(said.isEmpty, "\(String(decoding: said, as: UTF8.self))")
    }
}
