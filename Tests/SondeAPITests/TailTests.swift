// SPDX-License-Identifier: Apache-2.0
// New lines reach whoever follows them, at once and once.

import Foundation
import SondeAPI
import SondeHTTPClient
import SondeModel
import SondeServer
import SondeWire
import Synchronization
import Testing

/// A client that follows `/api/v1/tail`, on a thread of its own.
final class Follower: Sendable {
    private let received = Mutex<[String]>([])
    private let outcome = Mutex<String?>(nil)
    private let isStopped = Atomic(false)
    private let client: HTTPClient

    init(_ url: String, _ query: String, token: String? = nil) throws {
        client = try HTTPClient(
            HTTPClientConfiguration(baseURL: url, token: token, userAgent: "follower"))
        let thread = Thread { [self] in
            var rest: [UInt8] = []
            let result = Result {
                try client.stream(
                    HTTPClientRequest(target: "/api/v1/tail?" + query, timeoutSeconds: 60)
                ) { piece in
                    rest += piece
                    while let end = rest.firstIndex(of: 10) {
                        let line = String(decoding: rest[..<end], as: UTF8.self)
                        rest.removeFirst(end + 1)
                        if !line.isEmpty { self.received.withLock { $0.append(line) } }
                    }
                    return !self.isStopped.load(ordering: .relaxed)
                }
            }
            let text = (try? result.get()).map {
                "\($0.status) " + String(decoding: $0.body, as: UTF8.self)
            }
            outcome.withLock { $0 = text ?? "broken" }
        }
        thread.start()
    }

    /// Ends the exchange.
    func cancel() { client.cancel() }

    /// The objects that came.
    var objects: [[String: Any]] {
        received.withLock { $0 }.map {
            (try? JSONSerialization.jsonObject(with: Data($0.utf8))) as? [String: Any] ?? [:]
        }
    }

    /// The texts of the lines that came.
    var lines: [String] { objects.compactMap { $0["line"] as? String } }

    /// How it ended; `nil` while it goes on.
    var end: String? { outcome.withLock { $0 } }
}

@Suite(.timeLimit(.minutes(5))) struct TailTests {
    /// Waits until the controller streams to so many clients.
    private func streams(_ controller: TestController, _ count: Int) throws -> Bool {
        try eventually {
            try controller.send("GET", "/metrics").text.contains("sonde_http_streams \(count)\n")
        }
    }

    @Test func newLinesComeAtOnceAndOnlyThoseThatAreWanted() throws {
        let controller = try TestController()
        let query = "query=%7Bservice_name%3D%22shop%22%7D%20%7C%3D%20%22settle%22"
        let follower = try Follower(controller.address.url, query)
        #expect(try streams(controller, 1))
        for number in 0..<20 {
            try controller.pushLines(
                ["service_name": "shop"], [(0, "settle \(number)"), (0, "other")],
                metadata: ["probe_id": "p-1"])
            try controller.pushLines(["service_name": "web"], [(0, "settle elsewhere")])
            #expect(eventually { follower.lines.count == number + 1 })
        }
        #expect(follower.lines == (0..<20).map { "settle \($0)" })
        let first = try #require(follower.objects.first)
        #expect(first["labels"] as? [String: String] == ["service_name": "shop"])
        #expect((first["metadata"] as? [String: String])?["probe_id"] == "p-1")
        #expect(Int64(first["time"] as? String ?? "") != nil)
        follower.cancel()
        #expect(eventually { follower.end != nil })
        #expect(try streams(controller, 0), "a client that left is noticed")
    }

    @Test func linesOfThePastComeFirstAndNoneTwice() throws {
        let controller = try TestController()
        try controller.pushLines(
            ["service_name": "shop"], (0..<30).map { (Double(30 - $0), "past \($0)") })
        // While these are pushed, the follower begins.
        let pushing = Background { () -> Bool in
            for number in 0..<60 {
                _ = try? controller.pushLines(["service_name": "shop"], [(0, "new \(number)")])
            }
            return true
        }
        let follower = try Follower(controller.address.url, "query=shop&since=5m&limit=1000")
        #expect(try pushing.value())
        #expect(eventually { follower.lines.count >= 90 })
        let lines = follower.lines
        #expect(lines.count == 90)
        #expect(Array(lines.prefix(30)) == (0..<30).map { "past \($0)" })
        #expect(Set(lines).count == 90)
        let two = try Follower(controller.address.url, "since=5m&limit=2")
        #expect(eventually { two.lines == ["new 58", "new 59"] })
        follower.cancel()
        two.cancel()
    }

    @Test func mistakesAreAnsweredBeforeAnythingIsStreamed() throws {
        let controller = try TestController { $0.limits.logTails = 1 }
        for (query, words) in [
            ("query=%7Ba%3D", "cannot read LogQL"), ("since=x", "cannot read since"),
            ("query=%7Ba%3D%22b%22%7D%7Cjson", "the stage | json"), ("limit=5001", "0...5000"),
        ] {
            let answer = try controller.send("GET", "/api/v1/tail?" + query)
            #expect(answer.status == 400)
            #expect(answer.message.contains(words), "\(answer.text)")
        }
        let follower = try Follower(controller.address.url, "")
        #expect(try streams(controller, 1))
        let second = try controller.send("GET", "/api/v1/tail")
        #expect(second.status == 429)
        #expect(second.message.contains("limits.log_tails"))
        follower.cancel()
        #expect(try streams(controller, 0))
        let third = try Follower(controller.address.url, "")
        #expect(try streams(controller, 1))
        third.cancel()
    }

    @Test func anExpressionThatTakesTooLongEndsTheStreamWithTheReason() throws {
        let controller = try TestController()
        let follower = try Follower(
            controller.address.url, "query=%7Bapp%3D%22a%22%7D%7C~%22(a%2B)%2B%24%22")
        #expect(try streams(controller, 1))
        try controller.pushLines(["app": "a"], [(0, String(repeating: "a", count: 60) + "b")])
        #expect(eventually { follower.end != nil })
        #expect((follower.objects.last?["error"] as? String)?.contains("cannot match") == true)
    }

    @Test func aSlowReaderLosesLinesAndIsToldHowMany() throws {
        let controller = try TestController { $0.limits.logBytesPerSecond = 1 << 30 }
        let slow = try RawClient(controller.address.port)
        slow.send("GET /api/v1/tail HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        #expect(try streams(controller, 1))
        // Far more than the queue, the buffer and the sockets hold.
        let line = String(repeating: "x", count: 200_000)
        var number = 0
        let isDropped = try eventually(within: .seconds(60)) {
            for _ in 0..<20 {
                try controller.pushLines(["app": "a"], [(0, line + "\(number)")])
                number += 1
            }
            let metrics = try controller.send("GET", "/metrics").text
            return metrics.contains(/sonde_log_tail_dropped_lines_total [1-9]/)
        }
        #expect(isDropped)
        #expect(slow.readUntil("{\"dropped\":", within: 60), "a line says how many")
        slow.close()
        #expect(try streams(controller, 0))
    }

    @Test func theControllerStopsWhileClientsFollow() throws {
        let controller = try TestController()
        let followers = try (0..<5).map { _ in try Follower(controller.address.url, "") }
        #expect(try streams(controller, 5))
        controller.server.stop()
        for follower in followers { #expect(eventually { follower.end == "200 " }) }
    }

    @Test(
        .enabled(if: Peer.has("websockets"), "needs websockets in .cache/venv: `make deps-test`"),
        arguments: [false, true])
    func aWebSocketClientFollowsAsGrafanaDoes(isStopped: Bool) throws {
        let controller = try TestController()
        try controller.pushLines(["service_name": "shop"], [(9, "past")])
        let peer = try Peer("loki_tail.py", [controller.address.url])
        defer { peer.end() }
        #expect(try streams(controller, 1))
        try controller.pushLines(
            ["service_name": "shop"], [(0, "new")], metadata: ["trace_id": "ab"])
        if isStopped {
            #expect(peer.writes("new ab\n"))
            controller.server.stop()
            #expect(peer.output() == "past\nnew ab\nclosed 1001\n")
        } else {
            try controller.pushLines(["service_name": "shop"], [(0, "last")])
            #expect(peer.output() == "past\nnew ab\nlast\n")
            #expect(try streams(controller, 0))
        }
    }

    @Test func whoAsksForNoWebSocketOrFromAnotherSiteIsRefused() throws {
        let controller = try TestController()
        let target = "/loki/api/v1/tail?query=%7Ba%3D%22b%22%7D"
        let plain = try controller.send("GET", target)
        #expect(plain.status == 400)
        #expect(plain.text.hasPrefix("Bad Request"))
        let upgrade = [
            ("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13"),
            ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ]
        let foreign = try controller.send(
            "GET", target, over: .router, headers: upgrade + [("Origin", "https://evil.example")])
        #expect(foreign.status == 403)
        let own = try controller.send(
            "GET", target, over: .router, headers: upgrade + [("Origin", "http://localhost:3000")])
        #expect(own.status == 101)
        let change = try controller.send(
            "POST", lokiPush, over: .router,
            headers: upgrade + [("Origin", "http://localhost:3000")], body: [1])
        #expect(change.status == 403, "an upgrade opens nothing else")
        let old = try controller.send(
            "GET", target, over: .router,
            headers: upgrade.filter { $0.0 != "Sec-WebSocket-Version" })
        #expect(old.status == 400)
    }
}

/// A client that reads when it is told to.
private final class RawClient {
    private let socket: Int32

    init(_ port: UInt16) throws {
        socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let descriptor = socket
        // Safety: a sockaddr_in is what the family says; the pointer does not outlive the call.
        let isConnected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        guard isConnected else { throw POSIXError(.ECONNREFUSED) }
        var limit = timeval(tv_sec: 1, tv_usec: 0)
        setsockopt(
            socket, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }

    func send(_ text: String) { _ = text.withCString { Glibc.send(socket, $0, strlen($0), 0) } }

    /// Reads until a text has come; whether it did.
    func readUntil(_ text: String, within seconds: Double) -> Bool {
        var rest: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        let deadline = Date(timeIntervalSinceNow: seconds)
        while Date() < deadline {
            let count = recv(socket, &buffer, buffer.count, 0)
            guard count > 0 || errno == EAGAIN else { return false }
            rest = rest.suffix(100) + buffer[..<max(0, count)]
            if Data(rest).range(of: Data(text.utf8)) != nil { return true }
        }
        return false
    }

    func close() { Glibc.close(socket) }
}
