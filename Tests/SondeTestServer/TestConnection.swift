// SPDX-License-Identifier: Apache-2.0
// One connection of the test server: reads requests, carries answers out.

import Glibc

/// A connection, used by one thread.
final class TestConnection {
    private let descriptor: Int32
    private var buffer: [UInt8] = []

    init(_ descriptor: Int32) { self.descriptor = descriptor }

    /// The next request, or `nil` when the connection ended.
    func readRequest(connection: Int) -> TestRequest? {
        let blank: [UInt8] = [13, 10, 13, 10]
        var end = buffer.count
        while true {
            if let place = buffer.indices.first(where: { buffer[$0...].starts(with: blank) }) {
                end = place
                break
            }
            guard fill() else { return nil }
        }
        let head = String(decoding: buffer[..<end], as: UTF8.self)
        buffer.removeFirst(end + blank.count)
        let lines = head.split(separator: "\r\n")
        let words = lines.first.map { $0.split(separator: " ") } ?? []
        guard words.count == 3 else { return nil }
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.count == 2 else { continue }
            headers[parts[0].lowercased()] = String(parts[1].drop { $0 == " " })
        }
        let length = headers["content-length"].flatMap(Int.init) ?? 0
        while buffer.count < length {
            guard fill() else { return nil }
        }
        let body = Array(buffer[..<length])
        buffer.removeFirst(length)
        return TestRequest(
            method: String(words[0]), target: String(words[1]), headers: headers, body: body,
            connection: connection)
    }

    /// Does what the answer says; false when the connection is to be closed.
    func carryOut(_ answer: TestAnswer) -> Bool {
        switch answer {
        case .respond(let status, let headers, let body):
            var head = "HTTP/1.1 \(status) Status\r\nContent-Length: \(body.count)\r\n"
            for (name, value) in headers { head += "\(name): \(value)\r\n" }
            return send(Array((head + "\r\n").utf8) + body)
        case .hang:
            while fill() {}
            return false
        case .drip(let bytes, let milliseconds):
            for byte in bytes {
                guard send([byte]), !isClosed(within: milliseconds) else { return false }
            }
            while fill() {}
            return false
        case .raw(let bytes):
            _ = send(bytes)
            return false
        case .resetInBody:
            _ = send(
                Array("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n0123456789".utf8))
            reset()
            return false
        case .reset:
            reset()
            return false
        }
    }

    private func reset() {
        // Lingering for no time makes close send a reset.
        var lingering = linger(l_onoff: 1, l_linger: 0)
        setsockopt(
            descriptor, SOL_SOCKET, SO_LINGER, &lingering, socklen_t(MemoryLayout<linger>.size))
    }

    private func isClosed(within milliseconds: Int32) -> Bool {
        var watched = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard poll(&watched, 1, milliseconds) > 0 else { return false }
        return !fill()
    }

    private func fill() -> Bool {
        var chunk = [UInt8](repeating: 0, count: 65_536)
        let got = recv(descriptor, &chunk, chunk.count, 0)
        guard got > 0 else { return false }
        buffer.append(contentsOf: chunk[..<got])
        return true
    }

    private func send(_ bytes: [UInt8]) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return false }
            sent += count
        }
        return true
    }
}
