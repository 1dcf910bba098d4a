// SPDX-License-Identifier: Apache-2.0
// Requests that were good and then were damaged: each is answered, none stops the controller.

import Foundation
import SondeAPI
import SondeModel
import SondeServer
import SondeWire
import Testing

@Suite struct MutationTests {
    @Test func damagedRequestsAreAnswered() throws {
        let controller = try TestController()
        let router = controller.server.router
        var register = RegisterRequest()
        register.service = "bookmaker"
        register.instance = "one"
        register.modules = [module("/opt/a", "ab")]
        let seeds: [(target: String, body: [UInt8])] = [
            (pushTarget, push(profile(["main", "a"], 5))),
            ("/sonde.control.v1.ControlService/Register", register.encode()),
        ]
        var random = Seeded(state: 1)
        for round in 0..<4000 {
            let seed = seeds[round % seeds.count]
            let head = RequestHead(
                method: "POST", target: seed.target,
                headers: [
                    HTTPHeader("Content-Type", "application/proto"),
                    HTTPHeader("Host", "localhost"),
                ])
            guard case .admitted(var request) = router.admit(head) else {
                Issue.record("not admitted")
                return
            }
            request.body = mutated(seed.body, &random)
            guard case .answer(let response) = router.respond(to: request) else {
                Issue.record("no answer")
                return
            }
            #expect([200, 400].contains(response.status))
        }
    }

    @Test func damagedTargetsAreAnswered() throws {
        let controller = try TestController()
        let router = controller.server.router
        let seed = Array(
            "/api/v1/flame?selector=%7Ba%3D~%22b.%2A%22%7D&from=now-1h&maxNodes=9".utf8)
        var random = Seeded(state: 2)
        for _ in 0..<4000 {
            let target = String(decoding: mutated(seed, &random), as: UTF8.self)
            let head = RequestHead(
                method: "GET", target: target, headers: [HTTPHeader("Host", "localhost")])
            switch router.admit(head) {
            case .refused(let response, _):
                #expect([200, 400, 404].contains(response.status), "\(target)")
            case .admitted(let request):
                guard case .answer(let response) = router.respond(to: request) else { continue }
                #expect([200, 400, 429].contains(response.status), "\(target)")
            }
        }
    }

    private func mutated(_ bytes: [UInt8], _ random: inout Seeded) -> [UInt8] {
        var result = bytes
        for _ in 0..<Int.random(in: 1...4, using: &random) where !result.isEmpty {
            let place = Int.random(in: 0..<result.count, using: &random)
            switch Int.random(in: 0..<4, using: &random) {
            case 0: result[place] = UInt8.random(in: 0...255, using: &random)
            case 1: result.remove(at: place)
            case 2: result.insert(UInt8.random(in: 0...255, using: &random), at: place)
            default: result.removeLast(Int.random(in: 0..<result.count, using: &random) / 4)
            }
        }
        return result
    }
}

/// Random numbers that are the same in each run (SplitMix64).
struct Seeded: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}
