// SPDX-License-Identifier: Apache-2.0
// The constants of a JFR chunk that stacks are made of: traces, methods, classes, symbols.

internal import SondeModel

/// The pools of one chunk, as far as stacks and settings need them.
struct JFRConstants {
    private var traces: [Int64: Range<Int32>] = [:]
    private var frames: [StackFrame] = []
    private var methods: [Int64: Method] = [:]
    private var classNames: [Int64: JFRName] = [:]
    private var symbols: [Int64: JFRText] = [:]
    private var strings: [Int64: JFRText] = [:]
    private var frameKinds: [Int64: JFRText] = [:]
    private var states: [Int64: JFRText] = [:]
    private var entries = 0

    private struct StackFrame {
        var method: Int64
        var kind: Int64
    }

    private struct Method {
        var type: Int64
        var name: JFRName
    }

    /// A name: a symbol, as the JVM writes them, or a text.
    private enum JFRName {
        case symbol(Int64)
        case text(JFRText)

        init(_ record: JFRRecord, _ slot: Int) {
            if let text = record.texts[slot] {
                self = .text(text)
            } else {
                self = .symbol(record.numbers[slot])
            }
        }
    }

    /// Reads the pools of a checkpoint event, whose size and type have been read.
    mutating func read(
        _ bytes: inout JFRBytes, _ metadata: JFRMetadata, _ limits: FormatLimits
    ) throws(FormatError) {
        // Start, duration, and how far back the checkpoint before this one lies.
        for _ in 0..<3 { _ = try bytes.varint() }
        _ = try bytes.byte()
        for _ in 0..<(try bytes.count("pools")) {
            let type = try bytes.varint()
            let name = metadata.types[type]?.name ?? ""
            for _ in 0..<(try bytes.count("constants")) {
                entries += 1
                guard entries <= limits.nodes else {
                    throw .tooMany(JFRRecording.format, "constants", limit: limits.nodes)
                }
                let id = try bytes.varint()
                try read(name, type, id, &bytes, metadata, limits)
            }
        }
    }

    private mutating func read(
        _ name: String, _ type: Int64, _ id: Int64, _ bytes: inout JFRBytes,
        _ metadata: JFRMetadata, _ limits: FormatLimits
    ) throws(FormatError) {
        switch name {
        case "jdk.types.StackTrace": try readTrace(type, id, &bytes, metadata, limits)
        case "jdk.types.Method":
            let record = try metadata.read(type, &bytes, ["type", "name"])
            methods[id] = Method(type: record.numbers[0], name: JFRName(record, 1))
        case "java.lang.Class":
            classNames[id] = JFRName(try metadata.read(type, &bytes, ["name"]), 0)
        case "jdk.types.Symbol":
            symbols[id] = try metadata.read(type, &bytes, ["string"]).texts[0]
        case "java.lang.String":
            strings[id] = try bytes.string()
        case "jdk.types.FrameType":
            frameKinds[id] = try metadata.read(type, &bytes, ["description"]).texts[0]
        case "jdk.types.ThreadState":
            states[id] = try metadata.read(type, &bytes, ["name"]).texts[0]
        default:
            let field = JFRField(name: "", type: type, isConstant: false, isArray: false)
            try metadata.skip(field, &bytes, 0)
        }
    }

    private mutating func readTrace(
        _ type: Int64, _ id: Int64, _ bytes: inout JFRBytes, _ metadata: JFRMetadata,
        _ limits: FormatLimits
    ) throws(FormatError) {
        let start = frames.count
        _ = try metadata.read(type, &bytes, []) {
            (name, field, count, bytes) throws(FormatError) in
            guard name == "frames", !field.isConstant else { return false }
            guard frames.count + count <= limits.nodes else {
                throw .tooMany(JFRRecording.format, "frames", limit: limits.nodes)
            }
            for _ in 0..<count {
                let frame = try metadata.read(field.type, &bytes, ["method", "type"])
                frames.append(StackFrame(method: frame.numbers[0], kind: frame.numbers[1]))
            }
            return true
        }
        traces[id] = Int32(clamping: start)..<Int32(clamping: frames.count)
    }

    // What events refer to.

    /// A text, followed into the pool of strings once.
    func text(_ text: JFRText?) -> String {
        switch text {
        case .literal(let text): return text
        case .constant(let id):
            if case .literal(let text) = strings[id] { return text }
            return ""
        case nil: return ""
        }
    }

    private func name(_ name: JFRName?) -> String {
        switch name {
        case .symbol(let id): text(symbols[id])
        case .text(let text): self.text(text)
        case nil: ""
        }
    }

    /// The name of a thread's state, such as `STATE_RUNNABLE`; empty when unknown.
    func state(_ id: Int64) -> String { text(states[id]) }

    /// The frames of a stack, root first; `nil` when there is no such stack.
    func stack(_ id: Int64, _ known: inout [Int64: Frame], _ limits: FormatLimits) -> [Frame]? {
        guard let range = traces[id] else { return nil }
        return frames[Int(range.lowerBound)..<Int(range.upperBound)].reversed()
            .prefix(limits.stackDepth).map { frame in
                // The kinds are few, the methods fit into the rest.
                let key = frame.method &* 64 &+ frame.kind
                if let made = known[key] { return made }
                let made = self.frame(frame, limits)
                known[key] = made
                return made
            }
    }

    private func frame(_ frame: StackFrame, _ limits: FormatLimits) -> Frame {
        let method = methods[frame.method]
        let className = JFRClassName.stable(name(method.flatMap { classNames[$0.type] }))
        let methodName = name(method?.name)
        let full = className.isEmpty ? methodName : className + "." + methodName
        guard !full.isEmpty else { return Frame(name: "unknown", kind: .unresolved) }
        return Frame(
            name: FrameTreeBuilder.tail(of: full, limits.nameBytes),
            kind: text(frameKinds[frame.kind]) == "Inlined" ? .inlined : .function)
    }
}

/// Names of classes that the JVM makes while it runs.
enum JFRClassName {
    /// The name without the numbers that differ from run to run, which would keep the same stacks
    /// of two processes apart: `Shop$$Lambda$14/0x0000000800c03000` is `Shop$$Lambda$_`.
    static func stable(_ name: String) -> String {
        for mark in ["$$Lambda", "GeneratedMethodAccessor", "GeneratedConstructorAccessor"] {
            guard let range = name.firstRange(of: mark) else { continue }
            let rest = name[range.upperBound...]
            guard rest.allSatisfy({ $0.isHexDigit || "$/x.+".contains($0) }) else { continue }
            return name[..<range.upperBound] + (mark == "$$Lambda" ? "$_" : "_")
        }
        return name
    }
}
