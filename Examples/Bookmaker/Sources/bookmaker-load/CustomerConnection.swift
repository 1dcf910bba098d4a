// SPDX-License-Identifier: Apache-2.0
// One customer's connection: a request out, an answer in.

import Glibc

/// What went wrong with a request.
enum RequestError: Error, Hashable {
    case cannotConnect
    case ended
    case timedOut
    case malformed
    case status(Int)

    var word: String {
        switch self {
        case .cannotConnect: "cannot connect"
        case .ended: "connection ended"
        case .timedOut: "timed out"
        case .malformed: "malformed answer"
        case .status(let code): "status \(code)"
        }
    }
}

/// A connection that stays open between requests and is opened again after an error.
final class CustomerConnection {
    private let host: String
    private let port: UInt16
    private var descriptor: Int32 = -1
    /// No answer takes longer than this; the service's limits are shorter.
    private static let timeoutSeconds = 30

    init(host: String, port: UInt16) {
        self.host = host
        self.port = port
    }

    deinit { hangUp() }

    /// Sends a request and reads the answer's status.
    func perform(_ request: PlannedRequest) throws(RequestError) {
        if descriptor < 0 { try open() }
        do throws(RequestError) {
            try send(request)
            let (status, isLast) = try receive()
            if isLast { hangUp() }
            guard request.accepted.contains(status) else { throw .status(status) }
        } catch {
            if case .status = error { throw error }
            hangUp()
            throw error
        }
    }

    private func open() throws(RequestError) {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        guard inet_pton(AF_INET, host, &address.sin_addr) == 1 else { throw .cannotConnect }
        descriptor = socket(
            AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var limit = timeval()
        limit.tv_sec = Self.timeoutSeconds
        let size = socklen_t(MemoryLayout<timeval>.size)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, size)
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, size)
        let isConnected = withUnsafePointer(to: &address) { pointer in
            // Safety: a sockaddr_in begins as a sockaddr does.
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        guard isConnected else {
            hangUp()
            throw .cannotConnect
        }
    }

    private func send(_ request: PlannedRequest) throws(RequestError) {
        let text =
            "\(request.method) \(request.path) HTTP/1.1\r\nHost: \(host):\(port)\r\n"
            + "Content-Length: \(request.body.utf8.count)\r\n\r\n\(request.body)"
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let count = bytes.withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { throw errno == EAGAIN ? .timedOut : .ended }
            bytes = bytes.dropFirst(count)
        }
    }

    private func receive() throws(RequestError) -> (status: Int, isLast: Bool) {
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 16 << 10)
        while true {
            let count = recv(descriptor, &piece, piece.count, 0)
            guard count > 0 else { throw count < 0 && errno == EAGAIN ? .timedOut : .ended }
            bytes.append(contentsOf: piece[..<count])
            if let answer = try Self.parse(bytes) { return answer }
        }
    }

    /// The status once the whole answer is there; every answer of the service has a length.
    private static func parse(
        _ bytes: [UInt8]
    ) throws(RequestError) -> (status: Int, isLast: Bool)? {
        let mark: [UInt8] = [13, 10, 13, 10]
        guard let end = bytes.indices.first(where: { bytes[$0...].starts(with: mark) }) else {
            guard bytes.count < 16 << 10 else { throw .malformed }
            return nil
        }
        let lines = String(decoding: bytes[..<end], as: UTF8.self).split(separator: "\r\n")
        let words = lines.first?.split(separator: " ") ?? []
        guard words.count >= 2, let status = Int(words[1]) else { throw .malformed }
        var length: Int?
        var isLast = false
        for line in lines.dropFirst() {
            let lower = line.lowercased()
            if lower.hasPrefix("content-length: ") { length = Int(lower.dropFirst(16)) }
            if lower == "connection: close" { isLast = true }
        }
        guard let length else { throw .malformed }
        return bytes.count >= end + 4 + length ? (status, isLast) : nil
    }

    private func hangUp() {
        if descriptor >= 0 { close(descriptor) }
        descriptor = -1
    }
}
