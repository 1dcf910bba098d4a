// SPDX-License-Identifier: Apache-2.0
// Reads recordings of JDK Flight Recorder, as the JVM and async-profiler write them.

package import SondeModel
internal import SondeWire

/// Reads the stacks of a JFR recording: versions 2.x, one or more chunks, gzipped or plain.
///
/// CPU samples, wall clock samples, allocations, live objects, native memory, contended monitors
/// and parked threads become profiles; all other events are passed over. A frame is
/// `java/lang/Thread.run`; what the JVM numbers anew in each run, as lambdas, loses its number.
/// Source: the JDK's `jdk.jfr.internal.consumer` package, async-profiler's `flightRecorder.cpp`.
package enum JFRRecording {
    static let format = "JFR"

    /// The profiles of a recording.
    ///
    /// - Parameters:
    ///   - bytes: The recording, from untrusted hands.
    ///   - samplePeriodNanoseconds: What a sample of CPU or wall clock time stands for, unless the
    ///     recording itself says so, as the JVM's own do.
    ///   - limits: What may be held in memory at most.
    /// - Returns: One profile for each kind of value that occurs, in the order of ``JFREventKind``.
    /// - Throws: ``FormatError`` with the place of the byte.
    package static func read(
        _ bytes: [UInt8], samplePeriodNanoseconds: Int64 = 10_000_000,
        limits: FormatLimits = FormatLimits()
    ) throws(FormatError) -> [JFRProfile] {
        let bytes = try expanded(bytes, format, limits)
        guard !bytes.isEmpty else {
            throw .malformed(format, got: "no bytes", want: "a recording")
        }
        var stacks = JFRStacks(samplePeriod: max(1, samplePeriodNanoseconds), limits)
        var position = 0
        while position < bytes.count {
            let header = try JFRChunkHeader(bytes, at: position)
            let range = position..<position + header.size
            try JFRChunkReader(bytes, range, header, limits).read(into: &stacks)
            position = range.upperBound
        }
        return stacks.profiles
    }

    /// What is in a gzip member, or the bytes themselves.
    static func expanded(
        _ bytes: [UInt8], _ format: String, _ limits: FormatLimits
    ) throws(FormatError) -> [UInt8] {
        try limits.check(bytes: bytes.count, format)
        guard Gzip.isGzip(bytes) else { return bytes }
        do throws(GzipError) {
            return try Gzip.expand(bytes, limit: limits.bytes)
        } catch {
            if case .tooLarge = error { throw .tooMany(format, "bytes", limit: limits.bytes) }
            throw FormatError(.malformed, "cannot read \(format): \(error)")
        }
    }
}

/// One profile of a recording: one kind of value of one kind of event.
package struct JFRProfile: Sendable {
    /// What is counted; the name is the one that Pyroscope gives it.
    package var type: ProfileType
    /// What async-profiler was asked to sample, such as `itimer`; empty when the recording does
    /// not say.
    package var event: String
    /// The sampling period in the type's period unit; 0 when there is none.
    package var period: Int64
    /// When the recording began.
    package var start: Timestamp
    /// How long it lasted, in nanoseconds.
    package var durationNanoseconds: Int64
    /// The stacks, kept apart by what the program was at.
    package var contexts: [JFRContextStacks]
}

/// The stacks that share a context.
package struct JFRContextStacks: Sendable {
    /// The context; empty for nearly all programs.
    package var context: JFRContext
    /// The stacks.
    package var stacks: FrameTree
}

/// What Pyroscope's agent notes beside a stack: numbers that its ``LabelsSnapshot`` explains.
package struct JFRContext: Hashable, Sendable {
    /// The id of the labels; 0 for none.
    package var contextID: Int64 = 0
    /// The id of the span, as a number; 0 for none.
    package var spanID: UInt64 = 0
    /// The id of the span's name among the snapshot's strings; 0 for none.
    package var spanNameID: Int64 = 0

    /// A context from its parts; without any, that of programs that note nothing.
    package init(contextID: Int64 = 0, spanID: UInt64 = 0, spanNameID: Int64 = 0) {
        self.contextID = contextID
        self.spanID = spanID
        self.spanNameID = spanNameID
    }
}

/// The 68 bytes with which each chunk begins.
struct JFRChunkHeader {
    var size: Int
    var metadata: Int
    var startNanoseconds: Int64
    var durationNanoseconds: Int64
    var ticksPerSecond: UInt64

    static let length = 68

    init(_ bytes: [UInt8], at position: Int) throws(FormatError) {
        var reader = JFRBytes(bytes, position..<bytes.count)
        guard bytes[position...].starts(with: [0x46, 0x4C, 0x52, 0]) else {
            throw reader.malformed("no chunk", "\"FLR\" and a zero")
        }
        guard bytes.count - position >= Self.length else {
            throw reader.malformed(
                "a chunk of \(bytes.count - position) bytes", "at least \(Self.length)")
        }
        try reader.skip(4)
        let major = try reader.integer(2)
        let minor = try reader.integer(2)
        guard major == 2 else {
            throw FormatError(
                .unsupported,
                "cannot read \(JFRRecording.format): got version \(major).\(minor); want 2.x, of"
                    + " JDK 11 or later, or of async-profiler")
        }
        let size = try reader.integer(8)
        _ = try reader.integer(8)
        let metadata = try reader.integer(8)
        startNanoseconds = Int64(bitPattern: try reader.integer(8))
        durationNanoseconds = Int64(bitPattern: try reader.integer(8))
        _ = try reader.integer(8)
        ticksPerSecond = try reader.integer(8)
        let features = try reader.integer(4)
        reader.position = position
        guard size >= UInt64(Self.length), size <= UInt64(bytes.count - position) else {
            // The JVM fills the size in when it ends a chunk.
            throw reader.malformed(
                size == 0 ? "a chunk that was not finished" : "a chunk of \(size) bytes",
                "at most the \(bytes.count - position) that follow")
        }
        guard metadata >= UInt64(Self.length), metadata < size else {
            throw reader.malformed(
                "metadata at \(metadata) of a chunk", "\(Self.length)..<\(size)")
        }
        guard features & 1 == 1 else {
            throw FormatError(
                .unsupported,
                "cannot read \(JFRRecording.format): got integers that are not compressed; want a"
                    + " recording with compressed integers")
        }
        self.size = Int(size)
        self.metadata = Int(metadata)
    }

    /// A number of ticks in nanoseconds.
    func nanoseconds(ticks: Int64) -> Int64 {
        guard ticks > 0, ticksPerSecond > 0 else { return 0 }
        let product = UInt64(ticks).multipliedFullWidth(by: 1_000_000_000)
        guard product.high < ticksPerSecond else { return .max }
        return Int64(clamping: ticksPerSecond.dividingFullWidth(product).quotient)
    }
}
