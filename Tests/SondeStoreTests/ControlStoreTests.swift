// SPDX-License-Identifier: Apache-2.0
// Tokens, settings and the audit log.

import Foundation
import SondeModel
import SondeStore
import Testing

@Suite struct ControlStoreTests {
    private let scratch = ScratchFolder()
    private let now = Afternoon.begin

    private func open() throws -> ControlStore { try ControlStore(DataFolder(scratch.path)) }

    @Test(arguments: Role.allCases)
    func aTokenAuthenticatesItsBearer(role: Role) throws {
        let store = try open()
        let new = try store.createToken(name: "ci", role: role, expires: nil, by: "me", now: now)
        #expect(new.text.wholeMatch(of: /sonde_[0-9a-f]{12}_[0-9a-f]{48}/) != nil)
        #expect(store.authenticate(new.text, now: now)?.role == role)
        #expect(store.authenticate(new.text, now: now)?.id == new.token.id)
    }

    @Test func onlyTheWholeTextIsAccepted() throws {
        let store = try open()
        let one = try store.createToken(name: "1", role: .agent, expires: nil, by: "me", now: now)
        let two = try store.createToken(name: "2", role: .admin, expires: nil, by: "me", now: now)
        let secret = one.text.split(separator: "_")[2]
        for text in [
            "", "sonde", "sonde__", "sonde_\(one.token.id)_", "sonde_\(one.token.id)",
            String(one.text.dropLast()), one.text + "0", one.text.uppercased(),
            "sonde_\(two.token.id)_\(secret)", " " + one.text, one.text + "_",
            "SONDE_\(one.token.id)_\(secret)", String(repeating: "a", count: 100_000),
        ] {
            #expect(store.authenticate(text, now: now) == nil, "\(text.prefix(100))")
        }
    }

    @Test func theSecretIsNotStored() throws {
        let store = try open()
        let text = try store.createToken(
            name: "ci", role: .viewer, expires: nil, by: "me", now: now
        ).text
        let secret = Data(text.split(separator: "_")[2].utf8)
        for file in try FileManager.default.contentsOfDirectory(atPath: scratch.path) {
            let bytes = try Data(contentsOf: URL(fileURLWithPath: "\(scratch.path)/\(file)"))
            #expect(bytes.range(of: secret) == nil, "\(file)")
        }
    }

    @Test func aTokenEndsWhenItExpiresOrIsRevoked() throws {
        let store = try open()
        let end = Afternoon.second(60)
        let short = try store.createToken(
            name: "s", role: .viewer, expires: end, by: "me", now: now)
        #expect(store.authenticate(short.text, now: Afternoon.second(59)) != nil)
        #expect(store.authenticate(short.text, now: end) == nil)
        let other = try store.createToken(
            name: "o", role: .viewer, expires: nil, by: "me", now: now)
        try store.revokeToken(id: other.token.id, by: "me", now: now)
        #expect(store.authenticate(other.text, now: now) == nil)
        #expect(store.tokens().map(\.name) == ["s"])
        let error = try #require(throws: StoreError.self) {
            try store.revokeToken(id: other.token.id, by: "me", now: now)
        }
        #expect(error.code == .notFound)
    }

    @Test func tokensAndTheirUseSurviveARestart() throws {
        let text: String
        do {
            let store = try open()
            text = try store.createToken(
                name: "ci", role: .developer, expires: Afternoon.second(1_000_000), by: "me",
                now: now
            ).text
            _ = store.authenticate(text, now: Afternoon.second(10))
            // Too soon after the last use to be written down.
            _ = store.authenticate(text, now: Afternoon.second(20))
            #expect(store.tokens().first?.lastUsed == Afternoon.second(10))
        }
        let store = try open()
        let token = try #require(store.tokens().first)
        #expect(token.name == "ci")
        #expect(token.role == .developer)
        #expect(token.created == now)
        #expect(token.expires == Afternoon.second(1_000_000))
        #expect(token.lastUsed == Afternoon.second(10))
        #expect(store.authenticate(text, now: Afternoon.second(1000)) != nil)
        #expect(store.tokens().first?.lastUsed == Afternoon.second(1000))
    }

    @Test func aNameHasToBeGiven() throws {
        let store = try open()
        for name in ["", String(repeating: "n", count: 101)] {
            let error = try #require(throws: StoreError.self) {
                try store.createToken(name: name, role: .agent, expires: nil, by: "me", now: now)
            }
            #expect(error.code == .rejected)
        }
    }

    @Test func whatIsSetForAnInstanceWinsOverItsService() throws {
        let service = try #require(SettingsScope(service: "s", instance: nil))
        let instance = try #require(SettingsScope(service: nil, instance: "i"))
        let both = try #require(SettingsScope(service: "s", instance: "i"))
        #expect(SettingsScope(service: nil, instance: "") == nil)
        do {
            let store = try open()
            #expect(store.cpuSettings(service: "s", instance: "i") == nil)
            for (scope, hertz) in [(service, 10.0), (instance, 20), (both, 30)] {
                try store.setCPU(
                    CPUSettings(enabled: true, hertz: hertz), for: scope, by: "me",
                    now: SystemClock.now())
            }
        }
        let store = try open()
        #expect(store.cpuSettings(service: "s", instance: "i")?.hertz == 30)
        #expect(store.cpuSettings(service: "t", instance: "i")?.hertz == 20)
        #expect(store.cpuSettings(service: "s", instance: "j")?.hertz == 10)
        #expect(store.cpuSettings(service: "t", instance: "j") == nil)
        try store.setCPU(nil, for: both, by: "me", now: now)
        #expect(store.cpuSettings(service: "s", instance: "i")?.hertz == 20)
        try store.setCPU(nil, for: instance, by: "me", now: now)
        #expect(store.cpuSettings(service: "s", instance: "i")?.hertz == 10)
        try store.setCPU(nil, for: service, by: "me", now: now)
        #expect(store.cpuSettings(service: "s", instance: "i") == nil)
    }

    @Test(arguments: [0, -1, 1000.5, .nan, .infinity])
    func aRateOutOfRangeIsRefused(hertz: Double) throws {
        let store = try open()
        let scope = try #require(SettingsScope(service: "s", instance: nil))
        let error = try #require(throws: StoreError.self) {
            try store.setCPU(
                CPUSettings(enabled: true, hertz: hertz), for: scope, by: "me", now: now)
        }
        #expect(error.code == .rejected)
        #expect(store.cpuSettings(service: "s", instance: "i") == nil)
    }

    @Test func everyChangeIsInTheAuditLog() throws {
        let store = try open()
        let token = try store.createToken(
            name: "ci", role: .agent, expires: nil, by: "eve", now: now)
        try store.setCPU(
            CPUSettings(enabled: true, hertz: 49),
            for: try #require(SettingsScope(service: "shop", instance: "i1")), by: "bob",
            now: Afternoon.second(1))
        try store.record("added debug info of libshop.so", by: "ann", at: Afternoon.second(2))
        try store.revokeToken(id: token.token.id, by: "eve", now: Afternoon.second(3))
        let log = try store.auditLog()
        #expect(log.map(\.who) == ["eve", "ann", "bob", "eve"])
        #expect(log.map(\.time) == [3, 2, 1, 0].map(Afternoon.second))
        #expect(
            log.map(\.what) == [
                "revoked token \(token.token.id) (ci)", "added debug info of libshop.so",
                "set CPU sampling at 49.0 Hz for service shop, instance i1",
                "created token \(token.token.id) (ci), role agent",
            ])
        #expect(try store.auditLog(limit: 1).count == 1)
    }
}
