// SPDX-License-Identifier: Apache-2.0
// A controller that is told to stop finishes what it is at, and nothing else.

import Foundation
import SondeAPI
import SondeServer
import SondeWire
import Testing

extension ListenerSuites {
    @Suite struct StopTests {
        @Test func aLongPollEndsAndIdleConnectionsAreClosed() throws {
            let server = try RunningServer()
            let idle = try server.connect()
            idle.send("GET /ready HTTP/1.1\r\nHost: localhost\r\n\r\n")
            #expect(idle.status() == 200)
            let revision = try register(server)
            var poll = PollRequest()
            poll.instance = "one"
            poll.revision = revision
            poll.waitMs = 60_000
            let waiting = try server.connect()
            waiting.send(request("Poll", poll.encode()))
            #expect(try eventually { try server.metric("sonde_http_long_polls") == 1 })
            let begin = ContinuousClock.now
            server.server.stop()
            #expect(begin.duration(to: .now) < .seconds(30))
            #expect(waiting.status() == 304)
            #expect(idle.isClosed())
            #expect(throws: (any Error).self) { try server.connect() }
            #expect(server.log.text.contains("complete=true"))
        }

        @Test func aRequestThatIsUnderWayIsFinished() throws {
            let server = try RunningServer()
            let connection = try server.connect()
            let body = [UInt8](repeating: 0xFF, count: 1000)
            let text = request("Register", body)
            connection.send(text.dropLast(10))
            #expect(try eventually { try server.metric("sonde_http_requests_in_flight") == 2 })
            let stopped = DispatchSemaphore(value: 0)
            Thread.detachNewThread {
                server.server.stop()
                stopped.signal()
            }
            #expect(eventually { (try? server.connect()) == nil })
            connection.send(text.suffix(10))
            #expect(connection.status() == 400)
            #expect(stopped.wait(timeout: .now() + 10) == .success)
        }

        @Test func aClientThatDawdlesIsNotWaitedForLongerThanAgreed() throws {
            let server = try RunningServer { $0.stopSeconds = 1 }
            let connection = try server.connect()
            connection.send(request("Register", [UInt8](repeating: 1, count: 1000)).dropLast(10))
            #expect(try eventually { try server.metric("sonde_http_requests_in_flight") == 2 })
            let begin = ContinuousClock.now
            server.server.stop()
            #expect(begin.duration(to: .now) < .seconds(9))
            #expect(connection.isClosed())
        }

        @Test func stoppingTwiceAndNeverStartingAreHarmless() throws {
            let server = try RunningServer()
            server.server.stop()
            server.server.stop()
            let folder = NSTemporaryDirectory() + "sonde-server-\(UUID().uuidString)"
            defer { try? FileManager.default.removeItem(atPath: folder) }
            let never = try ControllerServer(ServerConfiguration(dataFolder: folder))
            never.stop()
        }

        private func register(_ server: RunningServer) throws -> String {
            var message = RegisterRequest()
            message.service = "bookmaker"
            message.instance = "one"
            let connection = try server.connect()
            connection.send(request("Register", message.encode()))
            #expect(connection.status() == 200)
            var poll = PollRequest()
            poll.instance = "one"
            let second = try server.connect()
            second.send(request("Poll", poll.encode(), close: true))
            let answer = second.receive()
            // The revision is the only text of an empty desired state.
            let body = answer.range(of: "\r\n\r\n").map { answer[$0.upperBound...] } ?? ""
            return try DesiredState(decoding: Array(body.utf8)[...]).revision
        }

        private func request(_ method: String, _ body: [UInt8], close: Bool = false) -> [UInt8] {
            Array(
                ("POST /sonde.control.v1.ControlService/\(method) HTTP/1.1\r\nHost: localhost\r\n"
                    + "Content-Type: application/proto\r\nContent-Length: \(body.count)\r\n"
                    + (close ? "Connection: close\r\n\r\n" : "\r\n")).utf8) + body
        }
    }
}
