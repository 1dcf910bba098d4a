// SPDX-License-Identifier: Apache-2.0
// One connection: bytes in, requests answered, bytes out.

import Glibc
import Synchronization

/// A connection that one worker at a time serves.
///
/// @unchecked Sendable: the poller hands a connection to one worker and arms it again only when
/// that worker is done (EPOLLONESHOT), so `buffer` has one user at a time.
final class HTTPConnection: @unchecked Sendable {
    let descriptor: Int32
    private var buffer: [UInt8] = []
    private let lastUse = Atomic<Int64>(0)

    init(descriptor: Int32) {
        self.descriptor = descriptor
        touch()
    }

    deinit { close(descriptor) }

    /// Seconds since the last bytes.
    var idleSeconds: Int64 { Self.seconds - lastUse.load(ordering: .relaxed) }

    /// Makes the next read end, from any thread.
    func hangUp() { shutdown(descriptor, Int32(SHUT_RDWR)) }

    /// Reads what there is and answers every whole request; false when the connection is over.
    func serve(limits: HTTPLimits, handler: (HTTPRequest) -> HTTPResponse) -> Bool {
        touch()
        guard fill(limit: limits.headBytes + limits.bodyBytes) else { return false }
        let parser = HTTPParser(limits: limits)
        while !buffer.isEmpty {
            switch parser.parse(buffer) {
            case .incomplete:
                return true
            case .malformed(let answer):
                _ = send(answer.encoded(keepsAlive: false), limits.writeMilliseconds)
                return false
            case .request(let request, let consumed):
                buffer.removeFirst(consumed)
                let answer = handler(request)
                let bytes = answer.encoded(keepsAlive: request.keepsAlive)
                guard send(bytes, limits.writeMilliseconds), request.keepsAlive else {
                    return false
                }
            }
        }
        return true
    }

    /// Takes what has come; false when the other side has ended or sent too much at once.
    private func fill(limit: Int) -> Bool {
        var piece = [UInt8](repeating: 0, count: 8192)
        while buffer.count <= limit {
            let count = recv(descriptor, &piece, piece.count, 0)
            if count < 0, errno == EINTR { continue }
            if count < 0 { return errno == EAGAIN }
            if count == 0 { return false }
            buffer.append(contentsOf: piece[..<count])
            if count < piece.count { return true }
        }
        return true
    }

    /// Sends everything; false when the other side does not take it in time.
    private func send(_ bytes: [UInt8], _ milliseconds: Int32) -> Bool {
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                // Safety: `done` stays below the buffer's count.
                Glibc.send(
                    descriptor, buffer.baseAddress.map { $0 + done }, bytes.count - done,
                    Int32(MSG_NOSIGNAL))
            }
            if count > 0 {
                done += count
                continue
            }
            if count < 0, errno == EINTR { continue }
            guard count < 0, errno == EAGAIN else { return false }
            var wait = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
            guard poll(&wait, 1, milliseconds) > 0 else { return false }
        }
        return true
    }

    private func touch() { lastUse.store(Self.seconds, ordering: .relaxed) }

    private static var seconds: Int64 {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC_COARSE, &now)
        return Int64(now.tv_sec)
    }
}
