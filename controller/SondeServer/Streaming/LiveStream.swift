// SPDX-License-Identifier: Apache-2.0
// One streaming answer between the workers that make its bytes and the thread that sends them.

internal import SondeAPI
internal import Synchronization

/// One streaming answer.
///
/// A worker asks the source for messages when the source says that there may be some; the sender
/// takes the bytes, and is woken when it found none.
final class LiveStream: Sendable {
    /// What the sender found.
    enum Piece {
        /// So many bytes were written.
        case bytes(Int)
        /// There are none now; the sender is woken when there are.
        case none
        /// No more will come.
        case end
    }

    private struct State {
        /// What waits to be sent, from `sent` on.
        var buffer: [UInt8] = []
        var sent = 0
        var isFilling = false
        var needsFill = false
        var isAtEnd = false
        /// Wakes the sender; `nil` while it is awake.
        var wake: (@Sendable () -> Void)?
    }

    /// No more is asked of the source while so much waits.
    private static let highWater = 1 << 20

    private let source: any MessageSource
    private let frame: @Sendable ([UInt8]) -> [UInt8]
    private let workers: WorkerPool
    private let state = Mutex(State())

    /// A stream of a source's messages.
    ///
    /// - Parameters:
    ///   - source: Where they come from.
    ///   - workers: Who asks for them.
    ///   - greeting: What is sent before the first message.
    ///   - frame: The bytes of a message as they are sent.
    init(
        _ source: any MessageSource, on workers: WorkerPool, greeting: [UInt8] = [],
        frame: @escaping @Sendable ([UInt8]) -> [UInt8]
    ) {
        self.source = source
        self.workers = workers
        self.frame = frame
        state.withLock { $0.buffer = greeting }
    }

    deinit { source.end() }

    /// Begins to ask for messages.
    func start() { source.onReady { [weak self] in self?.wakeWorker() } }

    /// Why the messages ended before their time.
    var failure: String? { source.failure }

    /// Takes bytes.
    ///
    /// - Parameters:
    ///   - room: Where they go.
    ///   - sleep: Called when there are none, before anybody can call `wake`.
    ///   - wake: Called once, on any thread, when there are some after all or the end has come.
    /// - Returns: What was found.
    func read(
        into room: UnsafeMutableRawBufferPointer, sleep: () -> Void = {},
        wake: @escaping @Sendable () -> Void
    ) -> Piece {
        let (piece, wantsMore) = state.withLock { state -> (Piece, Bool) in
            let count = min(room.count, state.buffer.count - state.sent)
            guard count > 0 else {
                if state.isAtEnd { return (.end, false) }
                sleep()
                state.wake = wake
                return (.none, false)
            }
            let from = state.sent
            state.buffer.withUnsafeBytes { bytes in
                room.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[from..<from + count]))
            }
            state.sent += count
            let wasFull = state.buffer.count - from >= Self.highWater
            if state.sent == state.buffer.count { (state.buffer, state.sent) = ([], 0) }
            let isFull = state.buffer.count - state.sent >= Self.highWater
            return (.bytes(count), wasFull && !isFull)
        }
        if wantsMore { wakeWorker() }
        return piece
    }

    /// Sends a message of no meaning, so that a broken connection is noticed.
    func beat(_ bytes: [UInt8]) {
        append(bytes) { $0.wake != nil }
    }

    /// Ends the stream: what waits is still sent.
    func end() {
        source.end()
        let wake = state.withLock { state -> (@Sendable () -> Void)? in
            state.isAtEnd = true
            defer { state.wake = nil }
            return state.wake
        }
        wake?()
    }

    /// Whether the sender waits for something to send.
    var isIdle: Bool { state.withLock { $0.wake != nil } }

    private func wakeWorker() {
        let starts = state.withLock { state in
            state.needsFill = true
            guard !state.isFilling, !state.isAtEnd else { return false }
            state.isFilling = true
            return true
        }
        guard starts else { return }
        let isTaken = workers.submit { [self] in fill() }
        // The controller stops, or more streams wait than a controller has.
        if !isTaken {
            state.withLock { $0.isFilling = false }
            end()
        }
    }

    private func fill() {
        while true {
            let goesOn = state.withLock { state in
                guard state.needsFill, !state.isAtEnd,
                    state.buffer.count - state.sent < Self.highWater
                else {
                    state.isFilling = false
                    return false
                }
                state.needsFill = false
                return true
            }
            guard goesOn else { return }
            guard let messages = source.take() else {
                state.withLock { $0.isFilling = false }
                return end()
            }
            append(messages.flatMap(frame)) { _ in true }
            // Where there were some, there may be more, or the end.
            if !messages.isEmpty { state.withLock { $0.needsFill = true } }
        }
    }

    private func append(_ bytes: [UInt8], when isWanted: (State) -> Bool) {
        guard !bytes.isEmpty else { return }
        let wake = state.withLock { state -> (@Sendable () -> Void)? in
            guard isWanted(state), !state.isAtEnd else { return nil }
            state.buffer += bytes
            defer { state.wake = nil }
            return state.wake
        }
        wake?()
    }
}
