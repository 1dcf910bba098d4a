// SPDX-License-Identifier: Apache-2.0
// Who may do what, and what foreign web pages may not.

import Foundation
import SondeAPI
import SondeModel
import SondeServer
import SondeStore
import Testing

@Suite struct AccessTests {
    /// One request of each kind, with the status that it has when it is allowed.
    private static let acts: [(permission: Permission, method: String, target: String)] = [
        (.ingest, "POST", "/push.v1.PusherService/Push"),
        (.ingest, "POST", "/sonde.control.v1.ControlService/Register"),
        (.ingest, "POST", "/sonde.control.v1.ControlService/Poll"),
        (.ingest, "PUT", "/sonde.control.v1.ControlService/UploadImage/abcd"),
        (.read, "GET", "/api/v1/services"), (.read, "GET", "/api/v1/series"),
        (.read, "GET", "/api/v1/flame"), (.read, "GET", "/api/v1/top"),
        (.read, "GET", "/api/v1/timeline"), (.read, "GET", "/api/v1/agents"),
        (.read, "GET", "/api/v1/debuginfo"), (.read, "GET", "/api/v1/status"),
        (.read, "GET", "/api/v1/status/buildinfo"), (.read, "GET", "/metrics"),
        (.develop, "PATCH", "/api/v1/agents?service=a"),
        (.develop, "PUT", "/api/v1/debuginfo/abcd"),
        (.read, "GET", "/api/v1/sources"), (.develop, "PUT", "/api/v1/sources/abcd"),
        (.develop, "DELETE", "/api/v1/sources/abcd"),
        (.administer, "GET", "/api/v1/tokens"), (.administer, "POST", "/api/v1/tokens"),
        (.administer, "DELETE", "/api/v1/tokens/none"),
        (.read, "GET", "/api/v1/store"), (.administer, "POST", "/api/v1/store/check"),
        (.administer, "POST", "/api/v1/store/backup"),
    ]

    @Test(arguments: Transport.allCases, Role.allCases)
    func eachRoleMayDoItsOwnActsAndNoOthers(_ transport: Transport, _ role: Role) throws {
        let (controller, tokens) = try guarded()
        let token = try #require(tokens[role])
        for act in Self.acts {
            let answer = try controller.send(
                act.method, act.target, over: transport,
                headers: [("Authorization", "Bearer \(token)")],
                body: act.method == "GET" || act.method == "DELETE" ? [] : [1])
            if role.permissions.contains(act.permission) {
                #expect(![401, 403].contains(answer.status), "\(act) as \(role): \(answer.text)")
            } else {
                #expect(answer.status == 403, "\(act) as \(role)")
                #expect(answer.code == "permission_denied")
            }
        }
    }

    @Test(arguments: Transport.allCases)
    func withoutATokenOnlyReadinessAndThePageAreThere(_ transport: Transport) throws {
        let (controller, _) = try guarded()
        for act in Self.acts {
            let answer = try controller.send(act.method, act.target, over: transport)
            #expect(answer.status == 401, "\(act)")
            #expect(answer.header("www-authenticate")?.hasPrefix("Bearer") == true)
        }
        #expect(try controller.send("GET", "/ready", over: transport).status == 200)
        #expect(try controller.send("GET", "/", over: transport).status == 200)
    }

    @Test func tokensThatAreNoneAreRefusedAndNeverLogged() throws {
        let (controller, tokens) = try guarded()
        let viewer = try #require(tokens[.viewer])
        for wrong in [
            "Bearer", "Bearer ", "Bearer \(viewer)x", "Bearer \(viewer.dropLast())",
            "Digest \(viewer)",
            viewer, "Bearer sonde__", "Basic !!!!", "Bearer " + String(repeating: "x", count: 5000),
        ] {
            let answer = try controller.send(
                "GET", "/api/v1/services", headers: [("Authorization", wrong)])
            #expect(answer.status == 401, "\(wrong.prefix(40))")
        }
        let basic = Data("anybody:\(viewer)".utf8).base64EncodedString()
        for right in ["Bearer \(viewer)", "bearer \(viewer)", "Basic \(basic)"] {
            let answer = try controller.send(
                "GET", "/api/v1/services", headers: [("Authorization", right)])
            #expect(answer.status == 200)
        }
        let secret = try #require(viewer.split(separator: "_").last)
        #expect(!controller.lines.all.contains { $0.contains(secret) })
    }

    @Test(arguments: Transport.allCases)
    func aRevokedTokenStopsAtOnce(_ transport: Transport) throws {
        let (controller, tokens) = try guarded()
        let admin = [("Authorization", "Bearer \(try #require(tokens[.admin]))")]
        let created = try controller.send(
            "POST", "/api/v1/tokens", over: transport, headers: admin,
            body: Array(#"{"name": "ci", "role": "viewer", "expiresMs": null}"#.utf8))
        #expect(created.status == 200)
        let text = try #require(created.json["token"] as? String)
        let id = try #require(created.json["id"] as? String)
        let headers = [("Authorization", "Bearer \(text)")]
        #expect(
            try controller.send("GET", "/api/v1/services", over: transport, headers: headers).status
                == 200)
        let list = try controller.send("GET", "/api/v1/tokens", over: transport, headers: admin)
        #expect(list.text.contains(id))
        #expect(!list.text.contains(text))
        #expect(
            try controller.send(
                "DELETE", "/api/v1/tokens/\(id)", over: transport, headers: admin
            ).status == 200)
        #expect(
            try controller.send("GET", "/api/v1/services", over: transport, headers: headers).status
                == 401)
        #expect(
            try controller.send(
                "DELETE", "/api/v1/tokens/\(id)", over: transport, headers: admin
            ).status == 404)
    }

    @Test(arguments: [
        "{", "{}", #"{"name": "x", "role": "king"}"#, #"{"name": "", "role": "viewer"}"#,
        #"{"name": 1, "role": "viewer"}"#, "[]", #"{"role": "viewer", "name": "a"} x"#,
    ])
    func aTokenThatMakesNoSenseIsRefused(_ body: String) throws {
        let controller = try TestController()
        let answer = try controller.send("POST", "/api/v1/tokens", body: Array(body.utf8))
        #expect(answer.status == 400)
        #expect(answer.message.hasPrefix("cannot "))
    }

    @Test func aForeignNameForThisMachineIsRefused() throws {
        let controller = try TestController()
        let port = controller.address.port
        for (host, status) in [
            ("evil.example:\(port)", 403), ("evil.example", 403), ("127.0.0.1.evil.example", 403),
            ("localhost:\(port)", 200), ("LOCALHOST", 200), ("[::1]:\(port)", 200),
            ("127.0.0.1:\(port)", 200),
        ] {
            for target in ["/api/v1/services", "/"] {
                let answer = try controller.send("GET", target, headers: [("Host", host)])
                #expect(answer.status == status, "\(host) \(target)")
            }
        }
        let named = try TestController { $0.allowedHosts = ["sonde.example"] }
        #expect(
            try named.send("GET", "/", headers: [("Host", "sonde.example")]).status == 200)
    }

    @Test(arguments: Transport.allCases)
    func aForeignPageCannotChangeAnything(_ transport: Transport) throws {
        let controller = try TestController()
        let own = "http://127.0.0.1:\(controller.address.port)"
        for (headers, status) in [
            ([("Origin", "http://evil.example")], 403), ([("Origin", "null")], 403),
            ([("Origin", "http://127.0.0.1:1")], 403), ([("Origin", own)], 200),
            ([("Sec-Fetch-Site", "cross-site")], 403), ([("Sec-Fetch-Site", "same-site")], 403),
            ([("Origin", own), ("Sec-Fetch-Site", "same-origin")], 200), ([], 200),
        ] {
            let answer = try controller.send(
                "PATCH", "/api/v1/agents?service=a", over: transport, headers: headers,
                body: Array(#"{"cpu": null}"#.utf8))
            #expect(answer.status == status, "\(headers)")
        }
    }

    /// A controller on loopback that asks for tokens, with one token of each role.
    private func guarded() throws -> (TestController, [Role: String]) {
        let folder = DataPlace()
        var tokens: [Role: String] = [:]
        do {
            let store = try ControlStore(DataFolder(folder.path))
            for role in Role.allCases {
                tokens[role] = try store.createToken(
                    name: "test \(role)", role: role, expires: nil, by: "test", now: .now
                ).text
            }
        }
        return (try TestController(in: folder) { $0.requiresToken = true }, tokens)
    }
}
