// SPDX-License-Identifier: Apache-2.0
// One WebSocket: what comes in, what goes out, and when it is over.

internal import Glibc
internal import SondeAPI

/// One open WebSocket, which only the pump's thread touches.
///
/// Safety of `@unchecked Sendable`: handed to the pump once, and from then on used by its thread.
final class WebSocketConnection: @unchecked Sendable {
    /// The socket, or the library's end of a pair where TLS lies between.
    let socket: Int32
    private let stream: LiveStream
    private let onClose: @Sendable () -> Void
    private var reader = WebSocketReader()
    private var output: [UInt8]
    private var sent = 0
    private var isClosing = false
    private var lastPing = ContinuousClock.now
    private var lastProgress = ContinuousClock.now
    private var buffer = [UInt8](repeating: 0, count: 32 << 10)

    /// How often the client gets a sign of life, and how long it may take nothing.
    private static let pingInterval: Duration = .seconds(1)
    private static let patience: Duration = .seconds(60)

    /// A connection that has just been opened.
    ///
    /// - Parameters:
    ///   - socket: The socket; made one that never blocks.
    ///   - stream: What is sent.
    ///   - early: What the client sent before the upgrade was done.
    ///   - onClose: Called once, at the end; closes the socket.
    init(
        socket: Int32, stream: LiveStream, early: [UInt8], onClose: @escaping @Sendable () -> Void
    ) {
        self.socket = socket
        self.stream = stream
        self.onClose = onClose
        output = []
        _ = fcntl(socket, F_SETFL, fcntl(socket, F_GETFL) | O_NONBLOCK)
        react(to: reader.take(early))
    }

    deinit {
        stream.end()
        onClose()
    }

    /// Whether bytes wait for room in the socket.
    var wantsToWrite: Bool { sent < output.count }

    /// Does what can be done now.
    ///
    /// - Parameters:
    ///   - isReadable: Whether there is something to read, or the end.
    ///   - now: The time.
    ///   - wake: Wakes the pump when the stream has more.
    /// - Returns: Whether the connection lives on.
    func turn(
        isReadable: Bool, now: ContinuousClock.Instant, wake: @escaping @Sendable () -> Void
    ) -> Bool {
        if isReadable, !receive() { return false }
        if !isClosing, lastPing.duration(to: now) >= Self.pingInterval, !wantsToWrite {
            queue(WebSocketFrame.bytes(.ping, []))
            lastPing = now
        }
        repeat {
            guard flush(now) else { return false }
        } while !wantsToWrite && takeMore(wake)
        if isClosing, !wantsToWrite { return false }
        return !wantsToWrite || lastProgress.duration(to: now) < Self.patience
    }

    /// Says good-bye; the connection is over once that is sent.
    func close(_ code: WebSocketFrame.CloseCode, _ reason: String = "") {
        guard !isClosing else { return }
        isClosing = true
        queue(WebSocketFrame.close(code, reason))
    }

    /// Takes more of the stream; `false` when there is nothing now.
    private func takeMore(_ wake: @escaping @Sendable () -> Void) -> Bool {
        guard !isClosing else { return false }
        let piece = buffer.withUnsafeMutableBytes { stream.read(into: $0, wake: wake) }
        switch piece {
        case .bytes(let count): queue(Array(buffer[..<count]))
        case .none: return false
        case .end:
            let failure = stream.failure
            close(failure == nil ? .goingAway : .internalError, failure ?? "")
        }
        return true
    }

    private func queue(_ bytes: [UInt8]) {
        if !wantsToWrite {
            (output, sent) = ([], 0)
            lastProgress = .now
        }
        output += bytes
    }

    private func flush(_ now: ContinuousClock.Instant) -> Bool {
        while wantsToWrite {
            let count = output.withUnsafeBytes { bytes in
                let rest = UnsafeRawBufferPointer(rebasing: bytes[sent...])
                return send(socket, rest.baseAddress, rest.count, Int32(MSG_NOSIGNAL))
            }
            if count > 0 {
                sent += count
                lastProgress = now
            } else if count < 0, errno == EAGAIN {
                return true
            } else if count < 0, errno == EINTR {
                continue
            } else {
                return false
            }
        }
        return true
    }

    private func receive() -> Bool {
        let count = recv(socket, &buffer, buffer.count, 0)
        if count < 0 { return errno == EAGAIN || errno == EINTR }
        guard count > 0 else { return false }
        react(to: reader.take(Array(buffer[..<count])))
        return true
    }

    private func react(to events: [WebSocketReader.Event]) {
        for event in events {
            switch event {
            case .ping(let payload): if !isClosing { queue(WebSocketFrame.bytes(.pong, payload)) }
            case .close: close(.normal)
            case .violation(let code): close(code)
            }
        }
    }
}
