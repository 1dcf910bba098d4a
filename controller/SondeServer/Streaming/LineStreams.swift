// SPDX-License-Identifier: Apache-2.0
// Streaming answers as lines: the library asks for bytes, and sleeps while there are none.

internal import CMicroHTTPD
internal import SondeAPI
internal import Synchronization

/// The streaming answers whose messages are lines of a response body.
final class LineStreams: Sendable {
    /// One of them, as long as the library holds its response.
    ///
    /// Safety of `@unchecked Sendable`: `connection` is only suspended on the library's thread and
    /// only resumed by the wake that the stream hands out once for each suspension.
    final class Entry: @unchecked Sendable {
        let stream: LiveStream
        fileprivate let connection: OpaquePointer
        fileprivate let socket: Int32
        fileprivate let owner: LineStreams

        fileprivate init(
            _ stream: LiveStream, _ connection: OpaquePointer, _ socket: Int32, _ owner: LineStreams
        ) {
            self.stream = stream
            self.connection = connection
            self.socket = socket
            self.owner = owner
        }
    }

    private struct State {
        var entries: [ObjectIdentifier: Entry] = [:]
        var isEnded = false
    }

    /// How many looks lie between two signs of life.
    private static let beatInterval = 20
    private let state = Mutex(State())
    private let looks = Atomic(0)

    /// How many there are.
    var count: Int { state.withLock { $0.entries.count } }

    /// A response whose body is a stream; `nil` when there is no memory.
    func response(
        for stream: LiveStream, _ connection: OpaquePointer, socket: Int32
    ) -> OpaquePointer? {
        let entry = Entry(stream, connection, socket, self)
        let isEnded = state.withLock { state in
            state.entries[ObjectIdentifier(entry)] = entry
            return state.isEnded
        }
        if isEnded { stream.end() }
        // Safety: retained here, released by the callback that frees the response.
        let context = Unmanaged.passRetained(entry).toOpaque()
        let size = sonde_mhd_unknown_size()
        let response = MHD_create_response_from_callback(
            size, 32 << 10, giveLines, context, freeLines)
        if response == nil { freeLines(context) }
        return response
    }

    /// Looks after those whose clients have left, and gives the others a sign of life now and then.
    func tick() {
        // Relaxed: one thread ticks.
        let look = looks.add(1, ordering: .relaxed).newValue
        for entry in state.withLock({ Array($0.entries.values) }) where entry.stream.isIdle {
            if Exchange.isGone(socket: entry.socket) {
                entry.stream.end()
            } else if look % Self.beatInterval == 0 {
                entry.stream.beat([UInt8(ascii: "\n")])
            }
        }
    }

    /// Ends all of them, and whichever come later.
    func end() {
        let entries = state.withLock { state in
            state.isEnded = true
            return Array(state.entries.values)
        }
        for entry in entries { entry.stream.end() }
    }

    fileprivate func remove(_ entry: Entry) {
        state.withLock { _ = $0.entries.removeValue(forKey: ObjectIdentifier(entry)) }
        entry.stream.end()
    }
}

/// The library wants bytes of a body.
private func giveLines(
    _ context: UnsafeMutableRawPointer?, _ position: UInt64, _ room: UnsafeMutablePointer<CChar>?,
    _ size: Int
) -> Int {
    guard let context, let room else { return sonde_mhd_end_with_error() }
    // Safety: retained as long as the library has the response.
    let entry = Unmanaged<LineStreams.Entry>.fromOpaque(context).takeUnretainedValue()
    let piece = entry.stream.read(
        into: UnsafeMutableRawBufferPointer(start: room, count: size),
        sleep: { MHD_suspend_connection(entry.connection) },
        wake: { MHD_resume_connection(entry.connection) })
    switch piece {
    case .bytes(let count): return count
    case .none: return 0
    case .end: return sonde_mhd_end_of_stream()
    }
}

/// The library is done with a response.
private func freeLines(_ context: UnsafeMutableRawPointer?) {
    guard let context else { return }
    // Safety: balances the retain of `response(for:_:socket:)`.
    let entry = Unmanaged<LineStreams.Entry>.fromOpaque(context).takeRetainedValue()
    entry.owner.remove(entry)
}
