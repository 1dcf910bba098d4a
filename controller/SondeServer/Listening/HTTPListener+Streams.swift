// SPDX-License-Identifier: Apache-2.0
// Streaming answers: lines in a body without end, or a WebSocket.

internal import CMicroHTTPD
internal import SondeAPI

extension HTTPListener {
    /// Hands a streaming answer over to be sent.
    func send(
        _ streaming: StreamingAnswer, for exchange: Exchange, _ connection: OpaquePointer
    ) -> MHD_Result {
        switch streaming.framing {
        case .lines: sendLines(streaming, for: exchange, connection)
        case .webSocket(let key): upgrade(streaming, key, for: exchange, connection)
        }
    }

    private func sendLines(
        _ streaming: StreamingAnswer, for exchange: Exchange, _ connection: OpaquePointer
    ) -> MHD_Result {
        // The empty line says that the stream has begun.
        let stream = LiveStream(
            streaming.source, on: state.streamWorkers, greeting: [UInt8(ascii: "\n")]
        ) { $0 + [UInt8(ascii: "\n")] }
        let socket = exchange.record?.socket ?? -1
        guard let message = state.lineStreams.response(for: stream, connection, socket: socket)
        else { return .NO }
        defer { MHD_destroy_response(message) }
        for header in streaming.head.headers {
            MHD_add_response_header(message, header.name, header.value)
        }
        // The stream ends with its connection, so that a client need not guess what comes next.
        MHD_add_response_header(message, "Connection", "close")
        return queue(message, streaming.head.status, stream, for: exchange, connection)
    }

    private func upgrade(
        _ streaming: StreamingAnswer, _ key: String, for exchange: Exchange,
        _ connection: OpaquePointer
    ) -> MHD_Result {
        let stream = LiveStream(streaming.source, on: state.streamWorkers) {
            WebSocketFrame.bytes(.text, $0)
        }
        // Safety: the listener outlives its daemon, which makes the call.
        let context = Unmanaged.passUnretained(self).toOpaque()
        guard let accept = WebSocketFrame.accept(key: key),
            let message = MHD_create_response_for_upgrade(upgraded, context)
        else { return .NO }
        defer { MHD_destroy_response(message) }
        MHD_add_response_header(message, "Upgrade", "websocket")
        MHD_add_response_header(message, "Sec-WebSocket-Accept", accept)
        exchange.upgrading = stream
        return queue(message, 101, stream, for: exchange, connection)
    }

    private func queue(
        _ message: OpaquePointer, _ status: Int, _ stream: LiveStream, for exchange: Exchange,
        _ connection: OpaquePointer
    ) -> MHD_Result {
        exchange.phase = .sent
        exchange.status = status
        // A stream has no time by which it has to be read to its end.
        exchange.record?.enter(.answering)
        stream.start()
        return MHD_queue_response(connection, UInt32(status), message)
    }
}

/// The answer that agrees to a WebSocket was sent: the socket is ours now.
private func upgraded(
    _ context: UnsafeMutableRawPointer?, _ connection: OpaquePointer?,
    _ slot: UnsafeMutableRawPointer?, _ early: UnsafePointer<CChar>?, _ earlyCount: Int,
    _ socket: MHD_socket, _ handle: OpaquePointer?
) {
    guard let handle else { return }
    // Safety: the library takes the handle back once, from any thread.
    let upgraded = UpgradedSocket(handle)
    guard let context, let slot else { return upgraded.close() }
    let listener = HTTPListener.from(context)
    // Safety: what `beginExchange` gave the library, which keeps it until `endExchange`.
    let exchange = Unmanaged<Exchange>.fromOpaque(slot).takeUnretainedValue()
    guard let stream = exchange.upgrading else { return upgraded.close() }
    exchange.upgrading = nil
    // Safety: the library holds `earlyCount` bytes there during the call.
    let bytes = UnsafeRawBufferPointer(start: early, count: early == nil ? 0 : earlyCount)
    listener.state.webSockets.add(
        WebSocketConnection(socket: socket, stream: stream, early: Array(bytes)) {
            upgraded.close()
        })
}

/// The library's handle of an upgraded connection, closed once by whoever holds it.
private struct UpgradedSocket: @unchecked Sendable {
    // Safety: libmicrohttpd lets any thread close an upgraded connection.
    private let handle: OpaquePointer
    init(_ handle: OpaquePointer) { self.handle = handle }
    func close() { sonde_mhd_close_upgraded(handle) }
}
