// SPDX-License-Identifier: Apache-2.0
// A question whose client leaves, or whose time is up, is not answered to the end.

import Foundation
import SondeAPI
import SondeModel
import SondeServer
import Synchronization
import Testing

@Suite struct CancellationTests {
    @Test func whoLeavesIsNotReadFor() throws {
        let controller = try filled()
        let request = try #require(
            try admitted(controller, "GET", "/api/v1/flame", isGone: { true }))
        guard case .answer(let response) = controller.server.router.respond(to: request) else {
            Issue.record("no answer")
            return
        }
        #expect(response.status == 499)
        #expect(String(decoding: response.body, as: UTF8.self).contains("canceled"))
    }

    @Test func whoStaysIsAskedForWhileItIsRead() throws {
        let controller = try filled()
        let asked = Mutex(0)
        let request = try #require(
            try admitted(
                controller, "GET", "/api/v1/flame",
                isGone: {
                    asked.withLock { $0 += 1 }
                    return false
                }))
        guard case .answer(let response) = controller.server.router.respond(to: request) else {
            Issue.record("no answer")
            return
        }
        #expect(response.status == 200)
        #expect(asked.withLock { $0 } > 0)
    }

    @Test func aTimeThatIsUpIsSaidSo() throws {
        let controller = try filled()
        let now = Int64(Date().timeIntervalSince1970 * 1000)
        let body =
            #"{"profileTypeID":"\#(ProfileType.cpu)","start":\#(now - 60_000),"end":\#(now + 60_000)}"#
        let answer = try controller.send(
            "POST", "/querier.v1.QuerierService/SelectMergeStacktraces",
            headers: [("Content-Type", "application/json"), ("Connect-Timeout-Ms", "0")],
            body: Array(body.utf8))
        #expect(answer.status == 504)
        #expect(answer.code == "deadline_exceeded")
    }

    private func filled() throws -> TestController {
        let controller = try TestController()
        let answer = try controller.send(
            "POST", pushTarget, headers: [("Content-Type", "application/proto")],
            body: push(profile(["main", "work"], 70)))
        #expect(answer.status == 200)
        return controller
    }

    private func admitted(
        _ controller: TestController, _ method: String, _ target: String,
        isGone: @escaping @Sendable () -> Bool
    ) throws -> APIRequest? {
        let head = RequestHead(
            method: method, target: target,
            headers: [HTTPHeader("Host", "127.0.0.1:\(controller.address.port)")])
        guard case .admitted(var request) = controller.server.router.admit(head) else {
            return nil
        }
        request.isGone = isGone
        return request
    }
}
