// SPDX-License-Identifier: Apache-2.0
// An HTTP server that says what a test wants, also what no real controller says.

import Foundation
import Synchronization

/// A server on a free port of the loopback address.
final class StubController: Sendable {
    /// One answer.
    struct Answer: Sendable {
        var status = 200
        var type = "application/json"
        var body: [UInt8]
        init(_ body: String, status: Int = 200, type: String = "application/json") {
            self.status = status
            self.type = type
            self.body = Array(body.utf8)
        }
    }

    /// What was asked: the method, the target and the body.
    struct Request: Sendable {
        var line: String
        var headers: String
        var body: [UInt8]
    }

    private let listener: Int32
    let port: UInt16
    private let isStopped = Atomic<Bool>(false)
    private let requests = Mutex<[Request]>([])
    private let respond: @Sendable (Request) -> Answer?

    var url: String { "http://127.0.0.1:\(port)" }

    /// Everything that was asked so far.
    var asked: [Request] { requests.withLock { $0 } }

    /// Starts a server.
    ///
    /// - Parameter respond: Answers a request; `nil` closes the connection without a word.
    /// - Throws: When no port can be had.
    init(_ respond: @escaping @Sendable (Request) -> Answer?) throws {
        self.respond = respond
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let socket = listener
        // Safety: a sockaddr_in is what the family says; the pointers do not outlive the calls.
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(socket, $0, length) == 0 && listen(socket, 16) == 0
                    && getsockname(socket, $0, &length) == 0
            }
        }
        guard isBound else { throw POSIXError(.EADDRNOTAVAIL) }
        port = UInt16(bigEndian: address.sin_port)
        let thread = Thread { [listener] in
            while true {
                let connection = accept(listener, nil, nil)
                guard connection >= 0 else { break }
                _ = fcntl(connection, F_SETFD, FD_CLOEXEC)
                self.serve(connection)
                close(connection)
            }
            // Closed here and nowhere else: while this thread may still accept, no other file may
            // get the descriptor's number.
            close(listener)
        }
        thread.start()
    }

    /// Answers by the path's beginning, and 404 for all others.
    convenience init(_ answers: [String: Answer]) throws {
        try self.init { request in
            let target = request.line.split(separator: " ").dropFirst().first.map(String.init) ?? ""
            let path = target.split(separator: "?").first.map(String.init) ?? ""
            return answers[path]
                ?? Answer(#"{"code": "not_found", "message": "no such path"}"#, status: 404)
        }
    }

    /// Ends it; harmless when repeated.
    func stop() {
        guard !isStopped.exchange(true, ordering: .sequentiallyConsistent) else { return }
        shutdown(listener, Int32(SHUT_RDWR))
    }

    private func serve(_ connection: Int32) {
        var limit = timeval(tv_sec: 10, tv_usec: 0)
        setsockopt(
            connection, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let end = Array("\r\n\r\n".utf8)
        while true {
            guard let place = bytes.firstRange(of: end) else {
                let count = recv(connection, &buffer, buffer.count, 0)
                guard count > 0 else { return }
                bytes += buffer[..<count]
                continue
            }
            let head = String(decoding: bytes[..<place.lowerBound], as: UTF8.self)
            let length =
                head.lowercased().firstMatch(of: /content-length: *([0-9]+)/).flatMap {
                    Int($0.output.1)
                } ?? 0
            if head.lowercased().contains("expect: 100-continue") {
                Self.send("HTTP/1.1 100 Continue\r\n\r\n", connection)
            }
            var body = Array(bytes[place.upperBound...])
            while body.count < length {
                let count = recv(connection, &buffer, buffer.count, 0)
                guard count > 0 else { return }
                body += buffer[..<count]
            }
            let line = head.split(separator: "\r\n").first.map(String.init) ?? ""
            let request = Request(line: line, headers: head, body: body)
            requests.withLock { $0.append(request) }
            guard let answer = respond(request) else { return }
            Self.send(
                "HTTP/1.1 \(answer.status) X\r\nContent-Type: \(answer.type)\r\n"
                    + "Content-Length: \(answer.body.count)\r\nConnection: close\r\n\r\n",
                connection)
            Self.send(answer.body, connection)
            return
        }
    }

    private static func send(_ text: String, _ connection: Int32) {
        send(Array(text.utf8), connection)
    }

    private static func send(_ bytes: [UInt8], _ connection: Int32) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes {
                Glibc.send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }
}
