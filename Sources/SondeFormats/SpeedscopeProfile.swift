// SPDX-License-Identifier: Apache-2.0
// Adds up one profile of a speedscope file, sample by sample or event by event.

internal import SondeModel
internal import SondeWire

/// One profile of a speedscope file while it is read.
struct SpeedscopeProfile {
    enum Kind: String {
        case evented, sampled
    }

    /// What must be known before the first value is read.
    struct Head {
        var kind = Kind.sampled
        var name: String?
        var unit = "count"
        var scale: Int64 = 1
        var end: JSONNumber?
    }

    /// Speedscope's units: what they become, and how many of that one of them is.
    static let scales: [String: (String, Int64)] = [
        "none": ("count", 1), "bytes": ("bytes", 1), "nanoseconds": ("nanoseconds", 1),
        "microseconds": ("nanoseconds", 1000), "milliseconds": ("nanoseconds", 1_000_000),
        "seconds": ("nanoseconds", 1_000_000_000),
    ]

    private let head: Head
    private let number: Int
    private let limits: FormatLimits
    private var builder: FrameTreeBuilder
    /// Of a sampled profile: the node of each sample, and its weight.
    private var nodes: [Int32] = []
    private var weights: [JSONNumber] = []
    private var hasWeights = false
    /// Of an evented profile: the frames that are open, and the node of each.
    private var open: [(frame: Int64, node: Int32)] = []
    private var last: Int64?
    private var events = 0

    init(_ head: Head, number: Int, _ limits: FormatLimits) {
        self.head = head
        self.number = number
        self.limits = limits
        builder = FrameTreeBuilder(SpeedscopeReader.format, limits)
    }

    private func malformed(_ got: String, _ want: String) -> FormatError {
        .malformed(SpeedscopeReader.format, got: "\(got) of profile \(number)", want: want)
    }

    /// Reads a sample: the indices of its frames, root first.
    mutating func sample(
        _ reader: inout JSONReader, _ file: inout SpeedscopeReader, _ keys: inout FrameKeys
    ) throws(JSONError) {
        var node: Int32 = 0
        var depth = 0
        try reader.array { reader throws(JSONError) in
            let frame = try reader.int64()
            depth += 1
            guard depth <= limits.stackDepth else { return }
            do throws(FormatError) {
                node = try builder.child(of: node, key(frame, &file, &keys, "sample"))
            } catch { throw file.fail(error) }
        }
        nodes.append(node)
    }

    private mutating func key(
        _ frame: Int64, _ file: inout SpeedscopeReader, _ keys: inout FrameKeys, _ what: String
    ) throws(FormatError) -> Int32 {
        guard let key = keys.key(frame, file.frames, in: &builder) else {
            let place = what == "sample" ? nodes.count : events
            throw malformed(
                "the frame \(frame) in \(what) \(place + 1)", "0..<\(file.frames.count)")
        }
        return key
    }

    /// Reads the weight of the next sample.
    mutating func weight(
        _ reader: inout JSONReader, _ file: inout SpeedscopeReader
    ) throws(JSONError) {
        let weight = try reader.number()
        hasWeights = true
        guard weight.double >= 0 else {
            throw file.fail(
                malformed("the weight \(weight.double) of sample \(weights.count + 1)", "0 or more")
            )
        }
        weights.append(weight)
    }

    /// Reads an event: a frame opens or closes, and until the next one time passes for what is open.
    mutating func event(
        _ reader: inout JSONReader, _ file: inout SpeedscopeReader, _ keys: inout FrameKeys
    ) throws(JSONError) {
        var type = ""
        var frame: Int64 = -1
        var at: JSONNumber?
        try reader.object { reader, name throws(JSONError) in
            switch name {
            case "type": type = try reader.string()
            case "frame": frame = try reader.int64()
            case "at": at = try reader.number()
            default: try reader.skip()
            }
        }
        do throws(FormatError) {
            guard let at else { throw malformed("no time in event \(events + 1)", "\"at\"") }
            try pass(to: scaled(at))
            switch type {
            case "O":
                let key = try key(frame, &file, &keys, "event")
                let node = open.last?.node ?? 0
                guard open.count < limits.tableEntries else {
                    throw .tooMany(
                        SpeedscopeReader.format, "open frames", limit: limits.tableEntries)
                }
                open.append(
                    (
                        frame,
                        open.count < limits.stackDepth
                            ? try builder.child(of: node, key) : node
                    ))
            case "C":
                guard open.last?.frame == frame else {
                    throw malformed(
                        "the end of frame \(frame) in event \(events + 1)",
                        open.last.map { "that of frame \($0.frame), which is open" }
                            ?? "a beginning, as no frame is open")
                }
                open.removeLast()
            default:
                throw malformed(
                    "the type \(type.prefix(40).debugDescription) of event \(events + 1)",
                    "O or C")
            }
            events += 1
        } catch { throw file.fail(error) }
    }

    private mutating func pass(to time: Int64) throws(FormatError) {
        defer { last = time }
        guard let last else { return }
        guard time >= last else {
            throw malformed("a time before the last one in event \(events + 1)", "rising times")
        }
        let (elapsed, overflow) = time.subtractingReportingOverflow(last)
        if let node = open.last?.node { builder.add(overflow ? .max : elapsed, to: node) }
    }

    /// A time or an amount in the unit that values are kept in, to the nearest.
    private func scaled(_ number: JSONNumber) -> Int64 {
        switch number {
        case .integer(let value):
            let (product, overflow) = value.multipliedReportingOverflow(by: head.scale)
            return overflow ? (value < 0 ? .min : .max) : product
        case .double(let value):
            return Self.clamped((value * Double(head.scale)).rounded())
        }
    }

    private static func clamped(_ value: Double) -> Int64 {
        Int64(exactly: value) ?? (value < 0 ? .min : .max)
    }

    /// The profile, when all of it has been read.
    mutating func finish() throws(FormatError) -> NamedStacks {
        if head.kind == .sampled {
            guard !hasWeights || weights.count == nodes.count else {
                throw malformed(
                    "\(weights.count) weights for \(nodes.count) samples", "one for each")
            }
            addSamples()
        } else if let end = head.end, !open.isEmpty {
            // Some writers leave the frames open that were so when the recording ended.
            let time = scaled(end)
            if let last, time > last { try pass(to: time) }
        }
        return NamedStacks(unit: head.unit, name: head.name, stacks: builder.tree)
    }

    private mutating func addSamples() {
        var fractions: [Int32: Double] = [:]
        for (index, node) in nodes.enumerated() {
            guard hasWeights else {
                builder.add(1, to: node)
                continue
            }
            if case .double(let weight) = weights[index] {
                let value = weight * Double(head.scale)
                let whole = value.rounded(.down)
                builder.add(Self.clamped(whole), to: node)
                fractions[node, default: 0] += value - whole
            } else {
                builder.add(scaled(weights[index]), to: node)
            }
        }
        for (node, fraction) in fractions {
            builder.add(Self.clamped(fraction.rounded()), to: node)
        }
    }
}
