// SPDX-License-Identifier: Apache-2.0
// One record becomes one line: the template's texts and values, redacted and formatted.

internal import SondeModel
internal import SondeProbeProgram

/// What of a record is known beside its values.
package struct RecordHeader: Hashable, Sendable {
    /// Counts the probe's lines from 1.
    package var sequence: UInt64 = 0
    /// When the hit was, in nanoseconds since the Unix epoch.
    package var unixNanoseconds: Int64 = 0
    /// The kernel's number of the thread.
    package var thread: UInt32 = 0
    /// The site, counted through all images of the program.
    package var site: UInt32 = 0
    /// The Swift task's number; 0 outside of tasks.
    package var task: UInt64 = 0
    /// The trace id's bytes; all zero when there is none.
    package var trace: [UInt8] = []
    /// The span id's bytes; all zero when there is none.
    package var span: [UInt8] = []
    /// The label set that was in force, as ``ScopeLabels`` numbers them; 0 for none.
    package var labels: UInt64 = 0

    /// A header without anything.
    package init() {}
}

/// Makes lines of one probe's records.
struct LineRenderer {
    private let program: ProbeProgram
    private let policy: ProbePolicy
    /// Where each image's sites begin in the count through all of them.
    private let firstSites: [Int]
    /// For each image, which values of the message are not shown.
    private let hidden: [[Bool]]

    /// Bytes of text in a line.
    static let maximumLineBytes = 65_536
    /// Bytes of one value beside the line.
    static let maximumValueBytes = 2048

    init(_ program: ProbeProgram, _ policy: ProbePolicy) {
        self.program = program
        self.policy = policy
        var firstSites: [Int] = []
        var count = 0
        for image in program.images {
            firstSites.append(count)
            count &+= image.sites.count
        }
        self.firstSites = firstSites
        hidden = program.images.map { Self.hiddenValues(of: $0, policy.names) }
    }

    /// A value is hidden for what is written and for what that reads.
    private static func hiddenValues(of image: ImageProgram, _ names: RedactedNames) -> [Bool] {
        var hidden: [Bool] = []
        for case .value(let expression, _, _) in image.template {
            let read = hidden.count < image.valueNames.count ? image.valueNames[hidden.count] : []
            hidden.append(names.hides(expression) || read.contains { names.hides($0) })
        }
        return hidden
    }

    /// The line of a record; `nil` when the record names no site of the program.
    func line(_ header: RecordHeader, body: [UInt8], threadName: String?) -> ProbeLine? {
        guard let place = firstSites.lastIndex(where: { $0 <= Int(header.site) }) else {
            return nil
        }
        let image = program.images[place]
        let index = Int(header.site) &- firstSites[place]
        guard index < image.sites.count else { return nil }
        var renderer = ValueRenderer(body, shapes: image.shapes, names: policy.names)
        var text = BoundedText(limit: Self.maximumLineBytes)
        var values: [Label] = []
        var number = 0
        for segment in image.template {
            switch segment {
            case .text(let words): text.append(words)
            case .value(let expression, let shape, let format):
                var value = renderer.next(shape, format: format)
                value =
                    number < hidden[place].count && hidden[place][number]
                    ? RedactedValues.mark : policy.values.redact(value)
                number &+= 1
                values.append(Self.label(expression, value))
                let isNumber = renderer.isNumber(shape)
                text.append(ValueFormat.padded(value, isNumber: isNumber, format))
            }
        }
        return ProbeLine(
            unixNanoseconds: header.unixNanoseconds, level: program.level, tag: program.tag,
            text: text.string,
            metadata: metadata(header, image.sites[index].function, threadName) + values)
    }

    private func metadata(
        _ header: RecordHeader, _ function: String, _ threadName: String?
    ) -> [Label] {
        let isZero: ([UInt8]) -> Bool = { $0.allSatisfy { $0 == 0 } }
        let texts: [(String, String)] = [
            ("probe_id", program.probe), ("file", program.file), ("line", String(program.line)),
            ("function", function), ("thread", String(header.thread)),
            ("thread_name", threadName ?? ""), ("sequence", String(header.sequence)),
            ("task", header.task == 0 ? "" : String(header.task)),
            ("trace_id", isZero(header.trace) ? "" : Self.hex(header.trace)),
            ("span_id", isZero(header.span) ? "" : Self.hex(header.span)),
        ]
        return texts.filter { !$0.1.isEmpty }.map {
            var text = BoundedText(limit: Self.maximumValueBytes)
            text.append($0.1)
            return Label(name: $0.0, value: text.string)
        }
    }

    private static func label(_ expression: String, _ value: String) -> Label {
        var text = BoundedText(limit: maximumValueBytes)
        text.append(value)
        return Label(name: "v_" + identifier(of: expression), value: text.string)
    }

    /// An expression as an identifier: runs of other characters become one `_`.
    static func identifier(of expression: String) -> String {
        var name: [UInt8] = []
        for byte in expression.utf8.prefix(128) {
            let isLetter = (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
            if isLetter || (0x30...0x39).contains(byte) {
                name.append(byte)
            } else if name.last != UInt8(ascii: "_") {
                name.append(UInt8(ascii: "_"))
            }
        }
        while name.count > 1, name.last == UInt8(ascii: "_") { name.removeLast() }
        return String(decoding: name, as: UTF8.self)
    }

    private static func hex(_ bytes: [UInt8]) -> String {
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        for byte in bytes {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }
}
