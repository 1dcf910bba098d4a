// SPDX-License-Identifier: Apache-2.0
// Tenants: who is asked for one, what each may send, and how that is seen and changed.

import Foundation
import SondeAPI
import SondeFormats
import SondeModel
import SondeServer
import SondeStore
import SondeWire
import Testing

@Suite struct TenancyTests {
    private static let proto = ("Content-Type", "application/proto")

    private func send(
        _ controller: TestController, _ headers: [(String, String)] = [], service: String = "shop"
    ) throws -> Answer {
        try controller.send(
            "POST", pushTarget, headers: headers + [Self.proto],
            body: push(profile(["main"], 7), service: service))
    }

    @Test(arguments: [
        "/push.v1.PusherService/Push", "/ingest?name=shop", "/pyroscope/ingest?name=a",
    ])
    func withTenancyEveryDoorWantsATenant(_ target: String) throws {
        let controller = try TestController { $0.hasTenants = true }
        for transport in Transport.allCases {
            for (tenant, status) in [
                (nil, 401), ("", 401), ("a|b", 400), ("a b", 400), ("..", 400),
                (String(repeating: "a", count: 151), 400),
            ] as [(String?, Int)] {
                let answer = try controller.send(
                    "POST", target, over: transport,
                    headers: [Self.proto] + (tenant.map { [("X-Scope-OrgID", $0)] } ?? []),
                    body: push(profile(["main"], 7)))
                #expect(answer.status == status, "\(tenant ?? "none"): \(answer.text)")
                #expect(answer.message.contains("X-Scope-OrgID"))
            }
        }
        #expect(try stored(controller) == 0)
    }

    @Test func aTenantsSeriesCarryItsNameAndNobodyElsesDo() throws {
        let folder = DataPlace()
        do {
            let controller = try TestController(in: folder) { $0.hasTenants = true }
            #expect(try send(controller, [("X-Scope-OrgID", "night")]).status == 200)
            // What a client says by itself does not count.
            let answer = try controller.send(
                "POST", pushTarget, headers: [Self.proto, ("X-Scope-OrgID", "day")],
                body: push(
                    profile(["main"], 7), labels: [Label(name: "__tenant__", value: "night")]))
            #expect(answer.status == 200)
            controller.server.stop()
        }
        let store = try reopened(folder)
        let all = try #require(TimeRange(from: .now.advanced(byNanoseconds: -1 << 50), until: .now))
        let tenants = try store.series(in: all).map { $0.labels[TenantScope.label] }
        #expect(Set(tenants) == ["night", "day"])
        #expect(tenants.count == 2)
    }

    @Test func withoutTenancyTheHeaderMeansNothing() throws {
        let folder = DataPlace()
        do {
            let controller = try TestController(in: folder)
            #expect(try send(controller, [("X-Scope-OrgID", "a|b c")]).status == 200)
            controller.server.stop()
        }
        let store = try reopened(folder)
        let all = try #require(TimeRange(from: .now.advanced(byNanoseconds: -1 << 50), until: .now))
        #expect(try store.series(in: all).map { $0.labels[TenantScope.label] } == [nil])
    }

    @Test func aScopeHoldsItsTenantsSeriesOnly() throws {
        let night = try LabelSet([Label(name: TenantScope.label, value: "night")])
        let both = TenantScope(tenants: TenantScope.names(in: "night | day|night"))
        #expect(both.tenants == ["night", "day"])
        #expect(both.holds(night))
        #expect(!TenantScope(tenants: ["day"]).holds(night))
        #expect(!TenantScope(tenants: ["day"]).holds(LabelSet()))
        #expect(TenantScope(tenants: nil).holds(LabelSet()))
        #expect(TenantScope.visible(night) == LabelSet())
        #expect(TenantScope.names(in: "a|") == nil)
    }

    /// The store of a controller that was ended; its threads let go of the folder a moment later.
    private func reopened(_ folder: DataPlace) throws -> SQLiteProfileStore {
        var store: SQLiteProfileStore?
        let isOpen = eventually {
            store = try? SQLiteProfileStore(DataFolder(folder.path))
            return store != nil
        }
        #expect(isOpen)
        return try #require(store)
    }
}

@Suite struct LimitTests {
    private static let proto = ("Content-Type", "application/proto")

    @Test func eachLimitIsToldWithItsNameAndValue() throws {
        let long = String(repeating: "x", count: 100)
        for (limit, value, body, status, words) in [
            (
                "labels", 2, push(profile(["a"], 1), labels: [Label(name: "a", value: "b")]), 400,
                "2 (labels)"
            ),
            (
                "label_name_bytes", 16,
                push(profile(["a"], 1), labels: [Label(name: long, value: "b")]), 400,
                "16 (label_name_bytes)"
            ),
            (
                "label_value_bytes", 64,
                push(profile(["a"], 1), labels: [Label(name: "a", value: long)]), 400,
                "64 (label_value_bytes)"
            ),
            (
                "profile_bytes", 1024, push(profile([String(repeating: "f", count: 2000)], 1)), 400,
                "1024 (profile_bytes)"
            ),
            (
                "push_bytes", 1024, push(profile([String(repeating: "f", count: 2000)], 1)), 400,
                "1024"
            ),
            (
                "profile_burst_bytes", 1024,
                push(profile([String(repeating: "f", count: 2000)], 1)), 429,
                "1024 at once (profile_burst_bytes)"
            ),
            (
                "profile_past_seconds", 60,
                push(profile(["a"], 1, time: Timestamp.now.unixNanoseconds - 100_000_000_000)), 400,
                "60 (profile_past_seconds)"
            ),
            (
                "profile_future_seconds", 60,
                push(profile(["a"], 1, time: Timestamp.now.unixNanoseconds + 100_000_000_000)), 400,
                "60 (profile_future_seconds)"
            ),
        ] as [(String, Int, [UInt8], Int, String)] {
            let controller = try TestController { $0.limits.tenant[limit] = value }
            for transport in Transport.allCases {
                let answer = try controller.send(
                    "POST", pushTarget, over: transport, headers: [Self.proto], body: body)
                #expect(answer.status == status, "\(limit): \(answer.text)")
                #expect(answer.message.contains(words), "\(limit): \(answer.message)")
                if status == 429 { #expect(answer.header("retry-after") != nil) }
            }
            #expect(try stored(controller) == 0, "\(limit)")
        }
    }

    @Test func newSeriesBeyondTheLimitAreRefusedAndKnownOnesAreNot() throws {
        let controller = try TestController { $0.limits.tenant.series = 2 }
        func send(_ service: String) throws -> Answer {
            try controller.send(
                "POST", pushTarget, headers: [Self.proto],
                body: push(profile(["a"], 1), service: service))
        }
        #expect(try send("one").status == 200)
        #expect(try send("two").status == 200)
        let answer = try send("three")
        #expect(answer.status == 429)
        #expect(answer.code == "resource_exhausted")
        #expect(answer.message.contains("2 (series)"))
        #expect(try send("one").status == 200)
        let metrics = try controller.send("GET", "/metrics").text
        for line in [
            #"sonde_tenant_series{tenant="anonymous"} 2"#,
            #"sonde_tenant_limit{tenant="anonymous",limit="series"} 2"#,
            #"sonde_tenant_refused_profiles_total{tenant="anonymous",reason="series_limit"} 1"#,
            #"sonde_ingest_rejected_profiles_total{reason="series_limit"} 1"#,
        ] { #expect(metrics.contains("\n\(line)\n"), "\(line)") }
    }

    @Test func seriesThatAreSilentForTwoHoursMakeRoom() {
        var series = LiveSeries()
        func admit(_ hash: Int, hour: Int64) -> Bool {
            let now = Timestamp(unixMilliseconds: hour * 3_600_000 + 5)
            return series.admit(hash, limit: 2, at: now)
        }
        #expect(admit(1, hour: 10) && admit(2, hour: 10))
        #expect(!admit(3, hour: 10))
        #expect(admit(1, hour: 11))
        #expect(!admit(3, hour: 11))
        #expect(admit(3, hour: 12))
        #expect(series.count == 2)
        #expect(admit(4, hour: 19) && admit(5, hour: 19) && !admit(1, hour: 19))
    }

    @Test(arguments: Transport.allCases)
    func limitsAreChangedAtRunTimeAndKept(_ transport: Transport) throws {
        let folder = DataPlace()
        let adjust: (inout ServerConfiguration) -> Void = {
            $0.hasTenants = true
            $0.tenantLimits = ["night": ["labels": 7, "series": 1]]
        }
        do {
            let controller = try TestController(in: folder, adjust)
            for (target, body) in [
                ("/api/v1/limits", #"{"labels": 30, "stack_depth": 100}"#),
                ("/api/v1/limits?tenant=night", #"{"series": "9"}"#),
            ] {
                let answer = try controller.send(
                    "PUT", target, over: transport, body: Array(body.utf8))
                #expect(answer.status == 200, "\(answer.text)")
            }
            #expect(try shown(controller, "night") == [7, 9, 100])
            #expect(try shown(controller, nil) == [30, 100_000, 100])
            _ = try controller.send(
                "PUT", "/api/v1/limits", over: transport, body: Array(#"{"labels": null}"#.utf8))
            controller.server.stop()
        }
        var again: TestController?
        let isOpen = eventually {
            again = try? TestController(in: folder, adjust)
            return again != nil
        }
        #expect(isOpen)
        let controller = try #require(again)
        #expect(try shown(controller, "night") == [7, 9, 100])
        #expect(try shown(controller, nil) == [100, 100_000, 100])
    }

    @Test(arguments: [
        ("", "{"), ("", #"{"labels": 0}"#), ("", #"{"colors": 5}"#), ("", #"{"colors": null}"#),
        ("", #"{"push_bytes": 1099511627776}"#), ("?tenant=a%20b", "{}"), ("", #"{"labels": "x"}"#),
    ])
    func limitsThatMakeNoSenseAreRefused(_ query: String, _ body: String) throws {
        let controller = try TestController()
        let answer = try controller.send(
            "PUT", "/api/v1/limits" + query, body: Array(body.utf8))
        #expect(answer.status == 400, "\(answer.text)")
        #expect(answer.message.hasPrefix("cannot "))
    }

    @Test func aBucketRefillsAndNeverOverflows() {
        let start = ContinuousClock.now
        let rate = ByteRate(bytesPerSecond: 10, burst: 100)
        #expect(rate.has(100, at: start) && rate.take(100, at: start))
        #expect(!rate.has(1, at: start) && !rate.take(1, at: start))
        #expect(rate.has(10, at: start + .seconds(1)))
        #expect(!rate.has(11, at: start + .seconds(1)))
        #expect(!rate.has(101, at: start + .seconds(1000)))
    }

    /// The labels, series and stack depth that a tenant may have, or everybody.
    private func shown(_ controller: TestController, _ tenant: String?) throws -> [Int] {
        let json = try controller.send("GET", "/api/v1/limits", headers: [("X-Scope-OrgID", "x")])
            .json
        let tenants = json["tenants"] as? [[String: Any]] ?? []
        let one = tenant == nil ? json : tenants.first { $0["tenant"] as? String == tenant } ?? [:]
        let limits = one["limits"] as? [String: Int] ?? [:]
        return ["labels", "series", "stack_depth"].map { limits[$0] ?? -1 }
    }
}
