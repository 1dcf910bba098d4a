// SPDX-License-Identifier: Apache-2.0
// Turns a record's bytes into text by the shapes that the program says they have.

internal import SondeProbeProgram

/// Renders values; total and bounded whatever the bytes and the shapes are.
///
/// Text looks as Swift prints it: `Bet(id: 7, stake: 2.5)`, `[1, 2, 3, ... 97 more]`, `nil`. A
/// string stands bare where it is the whole value and quoted inside of others.
struct ValueRenderer {
    /// What is too deep or too large, and is left out then.
    struct Limits {
        /// Values inside of values.
        var depth = 32
        /// Values of one record, those of no bytes among them.
        var nodes = 100_000
        /// Bytes of text of one value.
        var textBytes = 65_536
    }

    private let shapes: [ValueShape]
    private let names: RedactedNames
    let limits: Limits
    var reader: RecordReader
    private(set) var nodes = 0
    var text = BoundedText(limit: 0)

    /// Where a value stands.
    struct Spot {
        /// The index of the shape that holds it: its own is lower.
        var below: Int
        /// Values around it, optionals and guards among them: the depth of this code's recursion.
        var depth = 0
        /// Whether it is a part of another value, so that strings are quoted.
        var isNested = false
    }

    init(
        _ body: [UInt8], shapes: [ValueShape], names: RedactedNames, limits: Limits = Limits()
    ) {
        self.shapes = shapes
        self.names = names
        self.limits = limits
        reader = RecordReader(body)
    }

    /// Whether a value of this shape is a number, perhaps an optional one.
    func isNumber(_ shape: Int) -> Bool {
        var index = shape
        while index >= 0, index < shapes.count {
            switch shapes[index] {
            case .signed, .unsigned, .float, .double: return true
            case .optional(let part) where part < index, .guarded(let part) where part < index:
                index = part
            default: return false
            }
        }
        return false
    }

    /// The text of the next value of the body, without the format's width.
    ///
    /// - Parameters:
    ///   - shape: Its shape, by index.
    ///   - format: How it is written, or `nil`.
    /// - Returns: Text of at most the limit's bytes.
    mutating func next(_ shape: Int, format: ValueFormat?) -> String {
        text = BoundedText(limit: limits.textBytes)
        value(shape, Spot(below: shapes.count), format)
        return text.string
    }

    mutating func value(_ index: Int, _ spot: Spot, _ format: ValueFormat?) {
        nodes &+= 1
        // Children come before their parents, so a chain of shapes ends; a program in which they
        // do not has not been verified.
        guard index >= 0, index < spot.below, index < shapes.count, spot.depth <= limits.depth,
            nodes <= limits.nodes
        else {
            text.append("<too deep>")
            reader.giveUp()
            return
        }
        let same = Spot(below: index, depth: spot.depth &+ 1, isNested: spot.isNested)
        let inner = Spot(below: index, depth: spot.depth &+ 1, isNested: true)
        switch shapes[index] {
        case .signed(let bits): integer(bits, true, format)
        case .unsigned(let bits): integer(bits, false, format)
        case .boolean: number(1) { $0 == 0 ? "false" : $0 == 1 ? "true" : "<no Bool: \($0)>" }
        case .float: float(format)
        case .double: double(format)
        case .unicodeScalar: scalar(spot.isNested)
        case .pointer: number(8) { Self.address($0) }
        case .string(let quoted): string(isQuoted: quoted && spot.isNested, format)
        case .optional(let wrapped):
            if isPresent(1) { value(wrapped, same, format) }
        case .structure(let name, let fields): structure(name, fields, inner)
        case .tuple(let elements): tuple(elements, inner)
        case .object(let name, let fields):
            if isPresent(8) { structure(name, fields, inner) }
        case .enumeration(let name, let cases): enumeration(name, cases, inner)
        case .array(let element, _): array(element, inner)
        case .cut(let name): if isPresent(8) { text.append("\(name){...}") }
        case .guarded(let wrapped): guarded(wrapped, same, format)
        case .unavailable(let reason): text.append("<\(reason)>")
        case .raw(let name, let count): raw(name, count)
        case .table(let key, let entry, _): table(key, entry, inner)
        case .date: number(8) { LibraryText.date(Double(bitPattern: $0)) }
        case .uuid: words(16) { LibraryText.uuid($0) }
        case .duration: words(16) { LibraryText.duration($0) }
        case .data: data()
        case .wide(let wide): words(wide.bytes) { LibraryText.number(wide, $0) }
        }
    }

    /// Reads a number and adds its text; says so when it is not there.
    mutating func number(_ count: Int, _ words: (UInt64) -> String) {
        text.append(reader.number(count).map(words) ?? Self.missing)
    }

    /// Whether the next number says that a value follows; says what is there otherwise.
    private mutating func isPresent(_ count: Int) -> Bool {
        guard let number = reader.number(count) else {
            text.append(Self.missing)
            return false
        }
        if number == 0 { text.append("nil") }
        return number != 0
    }

    /// What stands for values that the record has no bytes for.
    static let missing = "<missing>"

    private mutating func guarded(_ wrapped: Int, _ spot: Spot, _ format: ValueFormat?) {
        guard let fault = reader.number(1) else {
            text.append(Self.missing)
            return
        }
        guard fault != 0 else {
            value(wrapped, spot, format)
            return
        }
        number(8) { Self.words(ofFault: fault, $0) }
    }

    /// Reads a value that has a name, and hides it when the name says so.
    mutating func named(_ name: String, _ shape: Int, _ spot: Spot) {
        guard names.hides(name) else {
            value(shape, spot, nil)
            return
        }
        // The bytes have to be passed over, so the value is rendered into nothing.
        let visible = text
        text = BoundedText(limit: 0)
        value(shape, spot, nil)
        text = visible
        text.append(RedactedValues.mark)
    }

    private mutating func structure(_ name: String, _ fields: [ShapeField], _ spot: Spot) {
        text.append(name)
        text.append("(")
        for (place, field) in fields.enumerated() {
            if place > 0 { text.append(", ") }
            text.append(field.name)
            text.append(": ")
            named(field.name, field.shape, spot)
        }
        text.append(")")
    }

    private mutating func tuple(_ elements: [ShapeField], _ spot: Spot) {
        text.append("(")
        for (place, element) in elements.enumerated() {
            if place > 0 { text.append(", ") }
            if !element.name.isEmpty { text.append("\(element.name): ") }
            named(element.name, element.shape, spot)
        }
        text.append(")")
    }

    private mutating func enumeration(_ name: String, _ cases: [ShapeCase], _ spot: Spot) {
        guard let tag = reader.number(2) else {
            text.append(Self.missing)
            return
        }
        guard tag != 0xFFFF else {
            number(8) { "\(name)(rawValue: \($0))" }
            return
        }
        guard tag < UInt64(cases.count) else {
            text.append("<unknown case \(tag) of \(name)>")
            reader.giveUp()
            return
        }
        let chosen = cases[Int(tag)]
        text.append(".\(chosen.name)")
        guard let payload = chosen.payload else { return }
        var isTuple = false
        if payload >= 0, payload < shapes.count, case .tuple = shapes[payload] { isTuple = true }
        if !isTuple { text.append("(") }
        named(chosen.name, payload, spot)
        if !isTuple { text.append(")") }
    }

    private mutating func array(_ element: Int, _ spot: Spot) {
        guard let count = reader.number(8), let captured = reader.number(4) else {
            text.append(Self.missing)
            return
        }
        text.append("[")
        var shown: UInt64 = 0
        while shown < captured, !reader.isExhausted, nodes < limits.nodes {
            if shown > 0 { text.append(", ") }
            value(element, spot, nil)
            shown &+= 1
        }
        if count > shown {
            text.append(shown > 0 ? ", ... \(count &- shown) more" : "... \(count) more")
        }
        text.append("]")
    }

    private mutating func string(isQuoted: Bool, _ format: ValueFormat?) {
        guard let full = reader.number(4), let captured = reader.number(4) else {
            text.append(Self.missing)
            return
        }
        var bytes = reader.bytes(Int(captured))
        let isCut = full > UInt64(bytes.count)
        if isCut { bytes = bytes.dropLast(Self.danglingBytes(bytes)) }
        let words = ValueFormat.text(String(decoding: bytes, as: UTF8.self), format)
        text.append(Escaping.text(words, isQuoted: isQuoted))
        if isCut, format?.precision == nil { text.append("... (\(full) bytes)") }
    }

    private mutating func integer(_ bits: UInt8, _ isSigned: Bool, _ format: ValueFormat?) {
        let bits = Int(bits)
        number(bits >> 3) {
            ValueFormat.integer($0, bits: bits, isSigned: isSigned, format)
        }
    }

    private mutating func scalar(_ isNested: Bool) {
        number(4) { raw in
            guard let scalar = Unicode.Scalar(UInt32(truncatingIfNeeded: raw)) else {
                return "<no Unicode scalar: \(Self.address(raw))>"
            }
            return Escaping.text(String(Character(scalar)), isQuoted: isNested)
        }
    }

    private mutating func float(_ format: ValueFormat?) {
        number(4) { raw in
            let value = Float(bitPattern: UInt32(truncatingIfNeeded: raw))
            return ValueFormat.floating(Double(value), natural: "\(value)", format)
        }
    }

    private mutating func double(_ format: ValueFormat?) {
        number(8) { raw in
            let value = Double(bitPattern: raw)
            return ValueFormat.floating(value, natural: "\(value)", format)
        }
    }

    private mutating func raw(_ name: String, _ count: Int) {
        text.append("<\(name): ")
        for byte in reader.bytes(count) {
            text.append(byte < 16 ? "0" : "")
            text.append(String(byte, radix: 16))
        }
        text.append(">")
    }

    private static func address(_ value: UInt64) -> String { "0x" + String(value, radix: 16) }

    /// The bytes at the end that begin a character whose rest was cut off.
    private static func danglingBytes(_ bytes: ArraySlice<UInt8>) -> Int {
        var count = 0
        for byte in bytes.reversed().prefix(4) {
            count &+= 1
            if byte & 0xC0 == 0x80 { continue }
            let length = byte < 0x80 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4
            return byte >= 0xC0 && length > count ? count : 0
        }
        return 0
    }

    private static func words(ofFault fault: UInt64, _ detail: UInt64) -> String {
        switch fault {
        case 1: "<unreadable \(address(detail))>"
        case 2: "<overflow>"
        case 3: "<division by zero>"
        case 4: "<nil>"
        case 5: "<index out of range>"
        case 6: "<record full>"
        case 7: "<optimized out>"
        case 8: "<bridged string>"
        case 9: "<unknown case>"
        case 10: "<too long to compare>"
        default: "<fault \(fault)>"
        }
    }
}
