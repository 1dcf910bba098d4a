// SPDX-License-Identifier: Apache-2.0
// Lines of one stream as bytes.

internal import SondeModel

/// Writes and reads the lines of one chunk.
///
/// Layout, all numbers varints: the count of texts, then each text (names and values of metadata,
/// each once); the count of lines; then for each line, in order of time, how far its time is from
/// the one before, the line, the count of its metadata, and for each the numbers of name and value
/// among the texts. Lines of one time stand in the order in which they were received.
enum LogChunk {
    /// The bytes of lines, which have to be in order of time.
    static func encode(_ entries: [LogEntry]) -> [UInt8] {
        var numbers: [String: Int] = [:]
        var texts: [String] = []
        func number(_ text: String) -> Int {
            if let number = numbers[text] { return number }
            numbers[text] = texts.count
            texts.append(text)
            return texts.count - 1
        }
        var lines = VarintWriter()
        lines.write(count: entries.count)
        var last: Int64 = 0
        for entry in entries {
            lines.write(signed: entry.time.unixNanoseconds &- last)
            last = entry.time.unixNanoseconds
            lines.write(entry.line)
            lines.write(count: entry.metadata.labels.count)
            for label in entry.metadata.labels {
                lines.write(count: number(label.name))
                lines.write(count: number(label.value))
            }
        }
        var head = VarintWriter()
        head.write(count: texts.count)
        for text in texts { head.write(text) }
        return head.bytes + lines.bytes
    }

    /// Which of a chunk's lines are wanted.
    struct Wanted {
        /// The times.
        var range: TimeRange
        /// Whether a line may be wanted, by its bytes alone; asked first, because most lines of most
        /// questions go no further.
        var mayAccept: (UnsafeRawBufferPointer) -> Bool = { _ in true }
        /// Whether a line is wanted.
        var accepts: (LogEntry) -> Bool = { _ in true }
    }

    /// Reads the lines that are wanted.
    ///
    /// - Parameters:
    ///   - bytes: What ``encode(_:)`` wrote.
    ///   - wanted: Which lines.
    /// - Returns: The lines, in order of time.
    /// - Throws: ``VarintError`` when the bytes are damaged.
    static func decode(
        _ bytes: UnsafeRawBufferPointer, _ wanted: Wanted
    ) throws(VarintError) -> [LogEntry] {
        var reader = VarintReader(bytes)
        var texts: [String] = []
        let textCount = try reader.readCount()
        texts.reserveCapacity(textCount)
        for _ in 0..<textCount { texts.append(try reader.readText()) }
        var entries: [LogEntry] = []
        var time: Int64 = 0
        for _ in 0..<(try reader.readCount()) {
            time = time &+ (try reader.readSigned())
            let isInRange = wanted.range.contains(Timestamp(unixNanoseconds: time))
            // Lines stand in order of time: behind the range there is nothing more.
            if !isInRange, time > wanted.range.until.unixNanoseconds { return entries }
            let line = try reader.readSlice()
            let metadataCount = try reader.readCount()
            guard isInRange, wanted.mayAccept(line) else {
                for _ in 0..<metadataCount * 2 { _ = try reader.read() }
                continue
            }
            let entry = LogEntry(
                time: Timestamp(unixNanoseconds: time),
                line: String(decoding: line, as: UTF8.self),
                metadata: try readMetadata(&reader, metadataCount, texts))
            if wanted.accepts(entry) { entries.append(entry) }
        }
        guard reader.isAtEnd else { throw VarintError(reason: "there is more behind its end") }
        return entries
    }

    private static func readMetadata(
        _ reader: inout VarintReader, _ count: Int, _ texts: [String]
    ) throws(VarintError) -> LabelSet {
        guard count > 0 else { return LabelSet() }
        var labels: [Label] = []
        labels.reserveCapacity(count)
        for _ in 0..<count {
            let name = try reader.read(upTo: texts.count - 1)
            let value = try reader.read(upTo: texts.count - 1)
            // A count of zero texts lets nothing through `upTo` but a zero.
            guard name < texts.count, value < texts.count else { throw .outOfRange }
            labels.append(Label(name: texts[name], value: texts[value]))
        }
        guard let set = LabelSet(inOrder: labels) else {
            throw VarintError(reason: "its metadata are not in order")
        }
        return set
    }
}
