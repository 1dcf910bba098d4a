// SPDX-License-Identifier: Apache-2.0
// An exchange can be ended without ending the client.

import Foundation
import SondeHTTPClient
import SondeTestServer
import Testing

struct InterruptionTests {
    private func client(_ url: String) throws -> HTTPClient {
        try HTTPClient(
            HTTPClientConfiguration(
                baseURL: url, token: nil, certificateAuthorityFile: nil,
                maxResponseBytes: 1 << 20, userAgent: "test"))
    }

    @Test func anInterruptionEndsTheExchangeThatHangsAndNoLaterOne() throws {
        let server = try TestServer { $0.target == "/hang" ? .hang : .respond(200) }
        defer { server.stop() }
        let client = try client(server.url)
        for round in 1...20 {
            Thread.detachNewThread {
                _ = eventually { server.requests(to: "/hang").count == round }
                client.interrupt()
            }
            let begin = Date()
            let error = #expect(throws: HTTPClientError.self) {
                try client.send(HTTPClientRequest(target: "/hang"))
            }
            #expect(error?.code == .interrupted)
            #expect(Date().timeIntervalSince(begin) < 20)
            #expect(try client.send(HTTPClientRequest(target: "/ok")).status == 200)
        }
    }

    @Test func anInterruptionBeforeTheExchangeBeganCountsForWhoKnewOfNone() throws {
        let server = try TestServer { _ in .respond(200) }
        defer { server.stop() }
        let client = try client(server.url)
        let known = client.interruptionCount
        client.interrupt()
        let error = #expect(throws: HTTPClientError.self) {
            try client.send(HTTPClientRequest(target: "/"), interruptions: known)
        }
        #expect(error?.code == .interrupted)
        let now = client.interruptionCount
        #expect(try client.send(HTTPClientRequest(target: "/"), interruptions: now).status == 200)
    }

    @Test func afterACancellationEverythingIsCancelled() throws {
        let server = try TestServer { _ in .respond(200) }
        defer { server.stop() }
        let client = try client(server.url)
        client.interrupt()
        client.cancel()
        client.interrupt()
        let error = #expect(throws: HTTPClientError.self) {
            try client.send(HTTPClientRequest(target: "/"))
        }
        #expect(error?.code == .cancelled)
    }
}
