// SPDX-License-Identifier: Apache-2.0
// Programs as bytes. Source: docs/protocol/probe.proto.

internal import SondeModel
internal import SondeWire

/// How much a program may hold; more is refused before it is looked at.
package enum ProgramBounds {
    /// Images of one program.
    package static let images = 64
    /// Sites of one image.
    package static let sites = 4096
    /// Instructions of one image.
    package static let instructions = 65_536
    /// Constants of one image.
    package static let constants = 65_536
    /// Strings of one image, and bytes of one.
    package static let strings = 4096
    package static let stringBytes = 4096
    /// Shapes of one image, and fields or cases of one.
    package static let shapes = 16_384
    package static let members = 1024
    /// Pieces of a message.
    package static let segments = 1024
    /// Names that one expression reads.
    package static let names = 1024
    /// Bytes of a text.
    package static let textBytes = 16_384
    /// Bytes of a whole program.
    package static let bytes = 2 << 20
}

extension ProbeProgram {
    /// The program's bytes.
    package func encode() -> [UInt8] {
        var writer = ProtobufWriter(capacity: 1024)
        writer.write(probe, field: 1)
        writer.write(revision, field: 2)
        writer.write(UInt64(kind.rawValue), field: 3)
        writer.write(level, field: 4)
        writer.write(tag, field: 5)
        writer.message(field: 6) { limits.write(to: &$0) }
        writer.write(file, field: 7)
        writer.write(UInt64(line), field: 8)
        for image in images { writer.message(field: 9) { image.write(to: &$0) } }
        return writer.bytes
    }

    /// Reads a program from untrusted bytes.
    ///
    /// What it does is not looked at: see ``ProgramVerifier``.
    ///
    /// - Parameter bytes: The whole program.
    /// - Throws: ``ProgramError``.
    package init(decoding bytes: [UInt8]) throws(ProgramError) {
        guard bytes.count <= ProgramBounds.bytes else {
            throw .tooMany("bytes", bytes.count, limit: ProgramBounds.bytes)
        }
        self.init(
            probe: "", revision: 0, level: "", limits: ProbeLimits(expiresUnixNanos: 0), file: "",
            line: 0)
        var reader = ProgramReader(bytes[...])
        var hasKind = false
        while let field = try reader.next() {
            switch field.number {
            case 1: probe = try reader.text(field)
            case 2: revision = try reader.number(field)
            case 3:
                let number = try reader.number(field)
                guard let known = Kind(rawValue: UInt8(clamping: number)) else {
                    throw .malformed("the probe kind \(number)", want: "one that this agent has")
                }
                kind = known
                hasKind = true
            case 4: level = try reader.text(field)
            case 5: tag = try reader.text(field)
            case 6: limits = try ProbeLimits(reader.part(field))
            case 7: file = try reader.text(field)
            case 8: line = UInt32(clamping: try reader.number(field))
            case 9:
                images.append(try ImageProgram(reader.part(field)))
                try ProgramReader.check(images.count, "images", ProgramBounds.images)
            default: try reader.skip(field)
            }
        }
        guard hasKind else { throw .malformed("no kind", want: "one") }
    }
}

extension ProbeLimits {
    func write(to writer: inout ProtobufWriter) {
        writer.write(expiresUnixNanos, field: 1)
        writer.write(hits, field: 2)
        writer.write(UInt64(linesPerSecond), field: 3)
        writer.write(UInt64(burst), field: 4)
        writer.write(UInt64(bytesPerSecond), field: 5)
        writer.write(UInt64(cpuMillionths), field: 6)
    }

    init(_ bytes: ArraySlice<UInt8>) throws(ProgramError) {
        self.init(expiresUnixNanos: 0, hits: 0, linesPerSecond: 0, burst: 0, bytesPerSecond: 0)
        cpuMillionths = 0
        var reader = ProgramReader(bytes)
        while let field = try reader.next() {
            switch field.number {
            case 1: expiresUnixNanos = Int64(bitPattern: try reader.number(field))
            case 2: hits = try reader.number(field)
            case 3: linesPerSecond = UInt32(clamping: try reader.number(field))
            case 4: burst = UInt32(clamping: try reader.number(field))
            case 5: bytesPerSecond = UInt32(clamping: try reader.number(field))
            case 6: cpuMillionths = UInt32(clamping: try reader.number(field))
            default: try reader.skip(field)
            }
        }
    }
}

extension ImageProgram {
    func write(to writer: inout ProtobufWriter) {
        writer.write(buildID.bytes, field: 1)
        for site in sites { writer.message(field: 2) { site.write(to: &$0) } }
        var words: [UInt8] = []
        words.reserveCapacity(code.count * 8)
        for instruction in code { words += instruction.bytes }
        writer.write(words, field: 3)
        writer.packed(constants, field: 4)
        writer.packed(relocations.map { UInt64($0) }, field: 5)
        for string in strings { writer.element(string, field: 6) }
        for shape in shapes { writer.message(field: 7) { shape.write(to: &$0) } }
        for segment in template { writer.message(field: 8) { segment.write(to: &$0) } }
        if let condition { writer.message(field: 9) { condition.write(to: &$0) } }
        for names in valueNames {
            writer.message(field: 10) { ReadExpression(text: "", names: names).write(to: &$0) }
        }
    }

    init(_ bytes: ArraySlice<UInt8>) throws(ProgramError) {
        var found: BuildID?
        var sites: [ProbeSite] = []
        var code: [Instruction] = []
        var constants: [UInt64] = []
        var relocations: [UInt64] = []
        var strings: [[UInt8]] = []
        var shapes: [ValueShape] = []
        var template: [TemplateSegment] = []
        var condition: ReadExpression?
        var valueNames: [[String]] = []
        var reader = ProgramReader(bytes)
        while let field = try reader.next() {
            switch field.number {
            case 1: found = BuildID(bytes: Array(try reader.part(field)))
            case 2: sites.append(try ProbeSite(reader.part(field)))
            case 3: code += try Instruction.read(reader.part(field))
            case 4: try reader.numbers(field, into: &constants)
            case 5: try reader.numbers(field, into: &relocations)
            case 6:
                let string = Array(try reader.part(field))
                try ProgramReader.check(
                    string.count, "bytes of a string", ProgramBounds.stringBytes)
                strings.append(string)
            case 7: shapes.append(try ValueShape(reader.part(field)))
            case 8: template.append(try TemplateSegment(reader.part(field)))
            case 9: condition = try ReadExpression(reader.part(field))
            case 10: valueNames.append(try ReadExpression(reader.part(field)).names)
            default: try reader.skip(field)
            }
            try ProgramReader.check(valueNames.count, "values", ProgramBounds.segments)
            try ProgramReader.check(sites.count, "sites", ProgramBounds.sites)
            try ProgramReader.check(code.count, "instructions", ProgramBounds.instructions)
            try ProgramReader.check(constants.count, "constants", ProgramBounds.constants)
            try ProgramReader.check(relocations.count, "relocations", ProgramBounds.constants)
            try ProgramReader.check(strings.count, "strings", ProgramBounds.strings)
            try ProgramReader.check(shapes.count, "shapes", ProgramBounds.shapes)
            try ProgramReader.check(template.count, "pieces of a message", ProgramBounds.segments)
        }
        guard let found else {
            throw .malformed("an image without a build id", want: "1 to 64 bytes of one")
        }
        self.init(buildID: found)
        self.sites = sites
        self.code = code
        self.constants = constants
        self.relocations = relocations.map { UInt32(clamping: $0) }
        self.strings = strings
        self.shapes = shapes
        self.template = template
        self.condition = condition
        self.valueNames = valueNames
    }
}

extension ReadExpression {
    func write(to writer: inout ProtobufWriter) {
        writer.write(text, field: 1)
        for name in names { writer.element(name, field: 2) }
    }

    init(_ bytes: ArraySlice<UInt8>) throws(ProgramError) {
        self.init(text: "", names: [])
        var reader = ProgramReader(bytes)
        while let field = try reader.next() {
            switch field.number {
            case 1: text = try reader.text(field)
            case 2:
                names.append(try reader.text(field))
                try ProgramReader.check(names.count, "names", ProgramBounds.names)
            default: try reader.skip(field)
            }
        }
    }
}

extension Instruction {
    /// The eight bytes.
    package var bytes: [UInt8] {
        let word = UInt32(bitPattern: imm)
        return [
            op.rawValue, d, a, b, UInt8(truncatingIfNeeded: word),
            UInt8(truncatingIfNeeded: word >> 8), UInt8(truncatingIfNeeded: word >> 16),
            UInt8(truncatingIfNeeded: word >> 24),
        ]
    }

    static func read(_ bytes: ArraySlice<UInt8>) throws(ProgramError) -> [Instruction] {
        guard bytes.count.isMultiple(of: 8) else {
            throw .malformed("\(bytes.count) bytes of code", want: "a multiple of 8")
        }
        try ProgramReader.check(bytes.count / 8, "instructions", ProgramBounds.instructions)
        var code: [Instruction] = []
        code.reserveCapacity(bytes.count / 8)
        for start in stride(from: bytes.startIndex, to: bytes.endIndex, by: 8) {
            guard let op = Opcode(rawValue: bytes[start]) else {
                throw .malformed(
                    "the opcode \(bytes[start]) at instruction \(code.count)",
                    want: "one that this agent has")
            }
            var imm: UInt32 = 0
            for index in 0..<4 { imm |= UInt32(bytes[start + 4 + index]) << UInt32(index * 8) }
            code.append(
                Instruction(
                    op, d: bytes[start + 1], a: bytes[start + 2], b: bytes[start + 3],
                    imm: Int32(bitPattern: imm)))
        }
        return code
    }
}

extension ProbeSite {
    func write(to writer: inout ProtobufWriter) {
        writer.write(address.rawValue, field: 1)
        writer.write(UInt64(entry), field: 2)
        writer.write(function, field: 3)
        writer.write(functionStart.rawValue, field: 4)
        writer.write(functionEnd.rawValue, field: 5)
        for value in unavailable {
            writer.message(field: 7) { writer in
                writer.write(value.expression, field: 1)
                writer.write(value.reason, field: 2)
            }
        }
    }

    init(_ bytes: ArraySlice<UInt8>) throws(ProgramError) {
        let nowhere = ImageAddress(0)
        self.init(
            address: nowhere, entry: 0, function: "", functionStart: nowhere,
            functionEnd: nowhere)
        var reader = ProgramReader(bytes)
        while let field = try reader.next() {
            switch field.number {
            case 1: address = ImageAddress(try reader.number(field))
            case 2: entry = UInt32(clamping: try reader.number(field))
            case 3: function = try reader.text(field)
            case 4: functionStart = ImageAddress(try reader.number(field))
            case 5: functionEnd = ImageAddress(try reader.number(field))
            case 7:
                unavailable.append(try UnavailableValue(reader.part(field)))
                try ProgramReader.check(
                    unavailable.count, "unavailable values", ProgramBounds.segments)
            default: try reader.skip(field)
            }
        }
    }
}

extension UnavailableValue {
    init(_ bytes: ArraySlice<UInt8>) throws(ProgramError) {
        self.init(expression: "", reason: "")
        var reader = ProgramReader(bytes)
        while let field = try reader.next() {
            switch field.number {
            case 1: expression = try reader.text(field)
            case 2: reason = try reader.text(field)
            default: try reader.skip(field)
            }
        }
    }
}
