// SPDX-License-Identifier: Apache-2.0
// Clients that break the rules of HTTP, or are slow, many, or gone.

import Foundation
import SondeAPI
import SondeServer
import Testing

extension ListenerSuites {
    @Suite struct HostileClientTests {
        @Test(arguments: [
            "\r\n\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "\u{0}\u{1}\u{2}\r\n\r\n",
            "GET / HTTP/1.1\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999999999999\r\n\r\n",
            "POST /push.v1.PusherService/Push HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: x\r\n\r\n",
            "POST /push.v1.PusherService/Push HTTP/1.1\r\nHost: localhost\r\n"
                + "Content-Type: application/proto\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
        ])
        func whatIsNoHTTPIsRefusedOrCutOff(_ text: String) throws {
            let server = try RunningServer()
            let connection = try server.connect()
            connection.send(text)
            shutdown(connection.socket, Int32(SHUT_WR))
            let answer = connection.receive()
            #expect(
                answer.isEmpty || answer.contains("HTTP/1.1 4") || answer.contains("HTTP/1.0 4")
                    || answer.contains("HTTP/1.1 5"), "\(answer.prefix(100))")
            #expect(try server.answers())
        }

        @Test func aFloodOfHeadersIsCutOff() throws {
            let server = try RunningServer()
            let connection = try server.connect()
            connection.send("GET / HTTP/1.1\r\nHost: localhost\r\n")
            for number in 0..<100_000 {
                guard connection.send("X-\(number): \(String(repeating: "x", count: 100))\r\n")
                else { break }
            }
            #expect(connection.isClosed())
            #expect(try server.answers())
            #expect(try eventually { try server.metric("sonde_http_requests_in_flight") == 1 })
        }

        @Test func aLongTargetIsRefused() throws {
            let server = try RunningServer()
            let connection = try server.connect()
            connection.send(
                "GET /\(String(repeating: "a", count: 200_000)) HTTP/1.1\r\nHost: localhost\r\n\r\n"
            )
            #expect([0, 400, 404, 414, 431].contains(connection.status()))
            #expect(try server.answers())
        }

        @Test func aSlowHeadAndASlowBodyAreCutOff() throws {
            let server = try RunningServer {
                $0.headSeconds = 1
                $0.transferSeconds = 1
            }
            let head = try server.connect()
            head.send("GET /ready HTTP/1.1\r\nHo")
            let body = try server.connect()
            body.send(
                "POST /push.v1.PusherService/Push HTTP/1.1\r\nHost: localhost\r\n"
                    + "Content-Type: application/proto\r\nContent-Length: 1000\r\n\r\nabc")
            let idle = try server.connect()
            idle.send("GET /ready HTTP/1.1\r\nHost: localhost\r\n\r\n")
            #expect(idle.status() == 200)
            #expect(head.isClosed())
            #expect(body.isClosed())
            #expect(idle.isClosed())
            #expect(try server.answers())
        }

        @Test func aThousandIdleConnectionsHoldUpNobodyAndLeaveNothingBehind() throws {
            let server = try RunningServer()
            let files = try server.metric("process_open_fds")
            var connections = try (0..<1000).map { _ in try server.connect() }
            #expect(try eventually { try server.metric("sonde_http_connections") >= 1000 })
            #expect(try server.answers())
            connections.removeAll()
            #expect(try eventually { try server.metric("sonde_http_connections") <= 2 })
            #expect(try eventually { try server.metric("process_open_fds") <= files + 1 })
        }

        @Test func pipelinedRequestsAreAnsweredInOrder() throws {
            let server = try RunningServer()
            let connection = try server.connect()
            let one = "GET /ready HTTP/1.1\r\nHost: localhost\r\n\r\n"
            let two = "GET /api/v1/services HTTP/1.1\r\nHost: localhost\r\n\r\n"
            let three = "GET /nowhere HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
            connection.send(one + two + three)
            let text = connection.receive()
            let statuses = text.split(separator: "HTTP/1.1 ").dropFirst(0).map { $0.prefix(3) }
            #expect(statuses == ["200", "200", "404"])
        }

        @Test func aClientThatLeavesInTheMiddleOfABodyLeavesNothingBehind() throws {
            let server = try RunningServer()
            for _ in 0..<50 {
                let connection = try server.connect()
                connection.send(
                    "POST /push.v1.PusherService/Push HTTP/1.1\r\nHost: localhost\r\n"
                        + "Content-Type: application/proto\r\nContent-Length: 1000000\r\n\r\n")
                connection.send([UInt8](repeating: 1, count: 100_000))
            }
            #expect(try eventually { try server.metric("sonde_http_body_bytes_in_memory") == 0 })
            #expect(try eventually { try server.metric("sonde_http_requests_in_flight") == 1 })
        }

        @Test func aBodyThatIsTooLongIsRefusedBeforeItComes() throws {
            let server = try RunningServer { $0.limits.pushBytes = 10_000 }
            let declared = try server.connect()
            declared.send(
                "POST /push.v1.PusherService/Push HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n"
                    + "Content-Type: application/proto\r\nContent-Length: 1000000\r\n\r\n")
            #expect(declared.status() == 400)
            let sent = try server.connect()
            sent.send(
                "POST /push.v1.PusherService/Push HTTP/1.1\r\nHost: localhost\r\n"
                    + "Content-Type: application/proto\r\nContent-Length: 1000000\r\n\r\n")
            sent.send([UInt8](repeating: 1, count: 1_000_000))
            #expect(sent.status() == 400)
            let chunked = try server.connect()
            chunked.send(
                "POST /push.v1.PusherService/Push HTTP/1.1\r\nHost: localhost\r\n"
                    + "Content-Type: application/proto\r\nTransfer-Encoding: chunked\r\n\r\n")
            for _ in 0..<20 {
                chunked.send("3e8\r\n")
                chunked.send([UInt8](repeating: 1, count: 1000))
                chunked.send("\r\n")
            }
            chunked.send("0\r\n\r\n")
            #expect(chunked.status() == 400)
        }

        @Test func expectContinueIsAnsweredBeforeTheBody() throws {
            let server = try RunningServer()
            let connection = try server.connect()
            connection.send(
                "POST /push.v1.PusherService/Push HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n"
                    + "Content-Type: application/proto\r\nContent-Length: 3\r\n\r\n")
            #expect(connection.status() == 100)
            connection.send([1, 2, 3] as [UInt8])
            #expect(connection.status() == 400)
        }
    }
}
