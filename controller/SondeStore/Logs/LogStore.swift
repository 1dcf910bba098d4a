// SPDX-License-Identifier: Apache-2.0
// What a store of log lines can do, whatever it is made of.

package import SondeModel

/// Keeps log lines by stream and time.
///
/// All calls may come from any thread at the same time.
package protocol LogStore: Sendable {
    /// Whether a line of this time is kept.
    ///
    /// - Returns: `nil` when it is, otherwise why it is not.
    func refusal(of time: Timestamp) -> StoreError?

    /// Stores lines. When it returns, they survive the end of this process by any means.
    ///
    /// A line that is there already, with the same stream, time, text and metadata, is not stored
    /// again. Lines may come in any order of time.
    ///
    /// - Throws: ``StoreError``. Some of the lines may be stored all the same; the whole may be
    ///   sent again. Code `exhausted`: the lines of new streams were not stored, for there are too
    ///   many streams.
    func append(_ streams: [LogStream]) throws(StoreError)

    /// The labels of the streams that have a line in the range, in no particular order.
    func streams(in range: TimeRange) throws(StoreError) -> [LabelSet]

    /// Hands over lines in order of time.
    ///
    /// - Parameters:
    ///   - request: Which lines, and in which order.
    ///   - take: Gets each line with its stream's labels; the reading ends when it answers `false`.
    /// - Throws: ``StoreError``; code `exhausted` when the request's deadline passed.
    func read(
        _ request: LogRead, _ take: (LabelSet, LogEntry) -> Bool
    ) throws(StoreError)

    /// How much there is of some streams in a range, to the nearest chunk.
    func figures(
        in range: TimeRange, where matches: (LabelSet) -> Bool
    ) throws(StoreError) -> LogFigures

    /// How much is stored.
    func statistics() throws(StoreError) -> LogStoreStatistics

    /// Has new lines handed over as soon as they are stored, until the subscription is ended.
    ///
    /// - Parameter take: Called on the threads that store; it has to return at once, and may not
    ///   call the store.
    /// - Returns: The subscription; it ends with its last reference.
    func subscribe(_ take: @escaping @Sendable ([LogStream]) -> Void) -> LogSubscription
}

/// Which lines are to be read.
package struct LogRead {
    /// The times, both ends included.
    package var range: TimeRange
    /// Whether the newest come first; of equal times, the later received ones then come first too.
    package var newestFirst = true
    /// The most lines that the reader can want: bounds the memory that reading takes.
    package var limit: Int
    /// When the reading is given up with the error `exhausted`.
    package var deadline: ContinuousClock.Instant?
    /// Whether a stream is wanted.
    package var matches: (LabelSet) -> Bool
    /// Whether a line may be wanted, by its bytes alone; asked before all else about it.
    package var mayAccept: (UnsafeRawBufferPointer) -> Bool = { _ in true }
    /// Whether a line of a wanted stream is wanted.
    package var accepts: (LabelSet, LogEntry) -> Bool

    /// A request for all lines of some streams, newest first.
    package init(
        _ range: TimeRange, limit: Int, where matches: @escaping (LabelSet) -> Bool,
        accepting accepts: @escaping (LabelSet, LogEntry) -> Bool = { _, _ in true }
    ) {
        self.range = range
        self.limit = limit
        self.matches = matches
        self.accepts = accepts
    }
}

/// How much there is of some streams.
package struct LogFigures: Hashable, Sendable {
    /// Streams.
    package var streams = 0
    /// Chunks that the lines lie in.
    package var chunks = 0
    /// Bytes of lines.
    package var bytes: Int64 = 0
    /// Lines.
    package var entries: Int64 = 0

    /// Nothing.
    package init() {}
}

/// How much a ``LogStore`` holds.
package struct LogStoreStatistics: Hashable, Sendable {
    /// Lines.
    package var entries: Int64
    /// Bytes on disk.
    package var bytes: Int64

    /// Statistics from their parts.
    package init(entries: Int64, bytes: Int64) {
        self.entries = entries
        self.bytes = bytes
    }
}
