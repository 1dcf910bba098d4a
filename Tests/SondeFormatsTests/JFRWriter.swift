// SPDX-License-Identifier: Apache-2.0
// Writes small JFR recordings by hand, with the types and events that async-profiler has.

/// A recording of one chunk: `Main.main` calls a native function.
struct JFRWriter {
    var settings: [String: String] = [:]
    var events: [Event] = []
    var name = "work"
    var encoding: UInt8 = 3
    var hostileTypes = 0

    enum Event {
        case execution(
            stack: Int, state: Int, context: Int = 0, span: Int = 0, spanName: Int = 0)
        case wall(stack: Int, samples: Int)
        case inTLAB(stack: Int, size: Int)
        case outsideTLAB(stack: Int, size: Int)
        case live(stack: Int)
        case malloc(stack: Int, size: Int)
    }

    private typealias Field = (name: String, type: Int, isConstant: Bool, isArray: Bool)

    private static let (long, string, boolean, state) = (4, 5, 6, 20)
    private static let (trace, frame, method, type, symbol, frameKind) = (21, 22, 23, 24, 25, 26)

    private static let common: [Field] = [
        ("startTime", long, false, false), ("stackTrace", trace, true, false),
    ]

    private var types: [(id: Int, name: String, fields: [Field])] {
        let stack = Self.common
        func number(_ name: String) -> Field { (name, Self.long, false, false) }
        var types: [(id: Int, name: String, fields: [Field])] = [
            (Self.long, "long", []), (Self.string, "java.lang.String", []),
            (Self.boolean, "boolean", []),
            (Self.state, "jdk.types.ThreadState", [("name", Self.string, false, false)]),
            (
                Self.trace, "jdk.types.StackTrace",
                [
                    ("truncated", Self.boolean, false, false),
                    ("frames", Self.frame, false, true),
                ]
            ),
            (
                Self.frame, "jdk.types.StackFrame",
                [
                    ("method", Self.method, true, false), number("lineNumber"),
                    ("type", Self.frameKind, true, false),
                ]
            ),
            (
                Self.method, "jdk.types.Method",
                [("type", Self.type, true, false), ("name", Self.symbol, true, false)]
            ),
            (Self.type, "java.lang.Class", [("name", Self.symbol, true, false)]),
            (Self.symbol, "jdk.types.Symbol", [("string", Self.string, false, false)]),
            (Self.frameKind, "jdk.types.FrameType", [("description", Self.string, false, false)]),
            (
                100, "jdk.ExecutionSample",
                stack + [
                    ("state", Self.state, true, false), number("contextId"), number("spanId"),
                    number("spanName"),
                ]
            ),
            (101, "profiler.WallClockSample", stack + [number("samples")]),
            (102, "jdk.ObjectAllocationInNewTLAB", stack + [number("tlabSize")]),
            (103, "jdk.ObjectAllocationOutsideTLAB", stack + [number("allocationSize")]),
            (104, "profiler.LiveObject", stack),
            (105, "profiler.Malloc", stack + [number("size")]),
            (
                106, "jdk.ActiveSetting",
                [
                    number("startTime"), number("id"), ("name", Self.string, false, false),
                    ("value", Self.string, false, false),
                ]
            ),
        ]
        for index in 0..<hostileTypes {
            let next = index + 1 < hostileTypes ? 1001 + index : 1000
            types.append(
                (
                    1000 + index, "hostile\(index)",
                    [("a", next, false, false), ("b", next, false, false)]
                ))
        }
        if hostileTypes > 0 { types[10].fields.append(("x", 1000, false, false)) }
        return types
    }

    private func varint(_ value: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = UInt64(bitPattern: Int64(value))
        for _ in 0..<8 {
            guard rest >= 0x80 else { return bytes + [UInt8(rest)] }
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        return bytes + [UInt8(truncatingIfNeeded: rest)]
    }

    private func text(_ text: String) -> [UInt8] {
        if text.isEmpty { return [1] }
        switch encoding {
        case 4: return [4] + varint(text.utf16.count) + text.utf16.flatMap { varint(Int($0)) }
        case 5:
            let latin = text.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) }
            return [5] + varint(latin.count) + latin
        default: return [3] + varint(text.utf8.count) + Array(text.utf8)
        }
    }

    /// An event: its size counts itself, and is padded to four bytes as async-profiler does.
    private func event(_ type: Int, _ payload: [UInt8]) -> [UInt8] {
        let body = varint(type) + payload
        let size = body.count + 4
        return [
            UInt8(size & 0x7F) | 0x80, UInt8(size >> 7 & 0x7F) | 0x80,
            UInt8(size >> 14 & 0x7F) | 0x80, UInt8(size >> 21 & 0x7F),
        ] + body
    }

    private var metadata: [UInt8] {
        var strings: [String] = []
        func index(_ text: String) -> [UInt8] {
            if !strings.contains(text) { strings.append(text) }
            return varint(strings.firstIndex(of: text) ?? 0)
        }
        func element(
            _ name: String, _ attributes: [(String, String)], _ children: [[UInt8]]
        ) -> [UInt8] {
            index(name) + varint(attributes.count)
                + attributes.flatMap { index($0.0) + index($0.1) } + varint(children.count)
                + children.joined()
        }
        let classes = types.map { type in
            element(
                "class", [("id", "\(type.id)"), ("name", type.name)],
                type.fields.map { field in
                    element(
                        "field",
                        [("name", field.name), ("class", "\(field.type)")]
                            + (field.isConstant ? [("constantPool", "true")] : [])
                            + (field.isArray ? [("dimension", "1")] : []), [])
                })
        }
        let tree = element(
            "root", [], [element("metadata", [], classes), element("region", [], [])])
        return event(
            0,
            varint(1) + varint(0) + varint(1) + varint(strings.count)
                + strings.flatMap { text($0) } + tree)
    }

    private var checkpoint: [UInt8] {
        func pool(_ type: Int, _ constants: [[UInt8]]) -> [UInt8] {
            varint(type) + varint(constants.count)
                + constants.enumerated().flatMap { varint($0 + 1) + $1 }
        }
        let pools = [
            pool(Self.state, [text("STATE_RUNNABLE"), text("STATE_SLEEPING")]),
            pool(Self.frameKind, [text("Interpreted"), text("Native")]),
            // Leaf first: work, called by Main.main; and Main.main alone.
            pool(
                Self.trace,
                [[0, 2, 2, 0, 2, 1, 7, 1], [0, 1, 1, 7, 1]]),
            pool(Self.method, [[1, 1], [0, 2]]),
            pool(Self.type, [[3]]),
            pool(Self.symbol, [text("main"), text(name), text("Main")]),
        ]
        return event(
            1, varint(1) + varint(0) + varint(0) + [0] + varint(pools.count) + pools.joined())
    }

    private func bytes(of event: Event) -> [UInt8] {
        switch event {
        case .execution(let stack, let state, let context, let span, let spanName):
            self.event(
                100, [5] + [stack, state, context, span, spanName].flatMap { varint($0) })
        case .wall(let stack, let samples):
            self.event(101, [5] + varint(stack) + varint(samples))
        case .inTLAB(let stack, let size): self.event(102, [5] + varint(stack) + varint(size))
        case .outsideTLAB(let stack, let size):
            self.event(103, [5] + varint(stack) + varint(size))
        case .live(let stack): self.event(104, [5] + varint(stack))
        case .malloc(let stack, let size): self.event(105, [5] + varint(stack) + varint(size))
        }
    }

    /// The recording; its events stand before the constants and types that they refer to.
    var bytes: [UInt8] {
        func big(_ value: Int, _ count: Int) -> [UInt8] {
            (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * (count - 1 - $0))) }
        }
        var body = settings.flatMap { setting in
            event(106, [5] + varint(100) + text(setting.key) + text(setting.value))
        }
        for event in events { body += bytes(of: event) }
        let checkpointOffset = 68 + body.count
        body += checkpoint
        let metadataOffset = 68 + body.count
        body += metadata
        let fields = [
            68 + body.count, checkpointOffset, metadataOffset, 1_700_000_000_000_000_000,
            10_000_000_000, 0, 1_000_000_000,
        ]
        return [0x46, 0x4C, 0x52, 0, 0, 2, 0, 0] + fields.flatMap { big($0, 8) } + big(1, 4) + body
    }
}
