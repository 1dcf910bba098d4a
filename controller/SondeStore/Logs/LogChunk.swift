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

    /// Reads the lines of a range that a filter wants.
    ///
    /// - Parameters:
    ///   - bytes: What ``encode(_:)`` wrote.
    ///   - range: The times that are wanted.
    ///   - accepts: Whether a line is wanted.
    /// - Returns: The lines, in order of time.
    /// - Throws: ``VarintError`` when the bytes are damaged.
    static func decode(
        _ bytes: UnsafeRawBufferPointer, in range: TimeRange,
        where accepts: (LogEntry) -> Bool
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
            let isWanted = range.contains(Timestamp(unixNanoseconds: time))
            // Lines stand in order of time: behind the range there is nothing more.
            if !isWanted, time > range.until.unixNanoseconds { return entries }
            let line = isWanted ? try reader.readText() : try reader.skipText()
            let metadata = try readMetadata(&reader, texts, isWanted: isWanted)
            guard isWanted else { continue }
            let entry = LogEntry(
                time: Timestamp(unixNanoseconds: time), line: line, metadata: metadata)
            if accepts(entry) { entries.append(entry) }
        }
        guard reader.isAtEnd else { throw VarintError(reason: "there is more behind its end") }
        return entries
    }

    private static func readMetadata(
        _ reader: inout VarintReader, _ texts: [String], isWanted: Bool
    ) throws(VarintError) -> LabelSet {
        var labels: [Label] = []
        for _ in 0..<(try reader.readCount()) {
            let name = try reader.read(upTo: texts.count - 1)
            let value = try reader.read(upTo: texts.count - 1)
            // A count of zero texts lets nothing through `upTo` but a zero.
            guard name < texts.count, value < texts.count else { throw .outOfRange }
            if isWanted { labels.append(Label(name: texts[name], value: texts[value])) }
        }
        guard !labels.isEmpty else { return LabelSet() }
        do {
            return try LabelSet(labels)
        } catch {
            throw VarintError(reason: error.description)
        }
    }
}

extension VarintReader {
    /// Passes over a text; what is returned stands for it.
    fileprivate mutating func skipText() throws(VarintError) -> String {
        try skip(try readCount())
        return ""
    }
}
