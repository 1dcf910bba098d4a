// SPDX-License-Identifier: Apache-2.0
// Reads LogQL's log queries; says of the rest of LogQL, by name and place, that it is not read.

/// Reads one LogQL query; every error names its place.
///
/// Source: grafana.com, "LogQL: Log query language".
struct LogQLParser {
    /// The most stages, and the most conditions of one stage: bounds what a line costs.
    static let maximumStages = 64
    /// How deep brackets may be nested.
    private static let maximumDepth = 32

    var scanner: SelectorParser
    private var conditions = 0

    init(_ text: String) throws(QueryError) {
        scanner = try SelectorParser(text, what: "LogQL")
    }

    /// Reads the whole text.
    mutating func query() throws(QueryError) -> (Selector, [LogStage]) {
        var brackets = 0
        skip()
        while takes("(") {
            brackets += 1
            guard brackets <= Self.maximumDepth else {
                throw scanner.unexpected(want: "at most \(Self.maximumDepth) brackets")
            }
            skip()
        }
        let selector = try streams()
        var stages: [LogStage] = []
        while true {
            skip()
            guard let byte = scanner.peek() else { break }
            if byte == UInt8(ascii: ")"), brackets > 0 {
                brackets -= 1
                scanner.position += 1
                continue
            }
            guard stages.count < Self.maximumStages else {
                throw scanner.unexpected(want: "at most \(Self.maximumStages) filters")
            }
            stages.append(try stage())
        }
        guard brackets == 0 else { throw scanner.unexpected(want: "\")\"") }
        return (selector, stages)
    }

    /// Reads the selector, which has to exclude something.
    mutating func streams() throws(QueryError) -> Selector {
        let start = scanner.position
        guard scanner.peek() == UInt8(ascii: "{") else { throw noSelector() }
        let matchers = try scanner.braces()
        guard matchers.contains(where: { !$0.accepts("") }) else {
            throw scanner.failure(
                at: start,
                "a selector that streams without these labels satisfy too; want at least one "
                    + "matcher that excludes the empty value, such as service_name=~\".+\"")
        }
        return Selector(matchers)
    }

    mutating func stage() throws(QueryError) -> LogStage {
        for operation in LineFilter.Operation.allCases where takes(operation.rawValue) {
            return .line(try lineFilter(operation))
        }
        for operation in ["|>", "!>"] where stands(operation) {
            throw scanner.failure(
                at: scanner.position, "the pattern filter \(operation)" + Self.notYet)
        }
        if stands("[") {
            throw scanner.failure(at: scanner.position, "a range of a metric query" + Self.notYet)
        }
        guard takes("|") else {
            throw scanner.unexpected(want: "|= != |~ !~ with a text, or | with a condition")
        }
        skip()
        if try takesDrop() { return .forgiveness }
        try refuseKeyword()
        return .field(try alternatives(depth: 0))
    }

    private mutating func lineFilter(
        _ operation: LineFilter.Operation
    ) throws(QueryError) -> LineFilter {
        var needles: [LineFilter.Needle] = []
        repeat {
            try countCondition()
            skip()
            let start = scanner.position
            if word() == "ip" {
                throw scanner.failure(at: start, "ip(...)" + Self.notYet)
            }
            guard scanner.isQuote(scanner.peek()) else {
                throw scanner.unexpected(want: "a text in quotes")
            }
            let text = try scanner.quoted()
            needles.append(try needle(text, operation, at: start))
            skip()
        } while takesWord("or")
        return LineFilter(operation: operation, needles: needles)
    }

    private func needle(
        _ text: String, _ operation: LineFilter.Operation, at start: Int
    ) throws(QueryError) -> LineFilter.Needle {
        guard operation.takesPattern else { return .text(Array(text.utf8)) }
        do throws(PatternError) {
            return .pattern(try Pattern(text, matching: .part), source: text)
        } catch {
            throw scanner.failure(at: start + 1 + error.offset, error.reason)
        }
    }

    private mutating func alternatives(depth: Int) throws(QueryError) -> FieldFilter {
        var filter = try conjunction(depth: depth)
        skip()
        while takesWord("or") {
            filter = .either(filter, try conjunction(depth: depth))
            skip()
        }
        return filter
    }

    private mutating func conjunction(depth: Int) throws(QueryError) -> FieldFilter {
        var filter = try condition(depth: depth)
        while true {
            skip()
            let isJoined = takesWord("and") || takes(",")
            // Conditions that stand side by side have to hold both, too.
            let word = self.word()
            guard isJoined || stands("(") || !word.isEmpty && word.lowercased() != "or" else {
                return filter
            }
            filter = .both(filter, try condition(depth: depth))
        }
    }

    private mutating func condition(depth: Int) throws(QueryError) -> FieldFilter {
        skip()
        try countCondition()
        if takes("(") {
            guard depth < Self.maximumDepth else {
                throw scanner.unexpected(want: "at most \(Self.maximumDepth) brackets")
            }
            let filter = try alternatives(depth: depth + 1)
            guard takes(")") else { throw scanner.unexpected(want: "\")\", and, or") }
            return filter
        }
        let name = word()
        guard let first = name.utf8.first, !(48...57).contains(first) else {
            throw scanner.unexpected(want: "the name of a label or of metadata")
        }
        scanner.position += name.utf8.count
        skip()
        return try comparison(of: name)
    }

    private mutating func comparison(of name: String) throws(QueryError) -> FieldFilter {
        let place = scanner.position
        for operation in [Selector.Operation.matches, .notMatches] where takes(operation.rawValue) {
            return .matcher(try textMatcher(name, operation))
        }
        for operation in FieldComparison.Operation.allCases where takes(operation.rawValue) {
            skip()
            if scanner.isQuote(scanner.peek()) {
                switch operation {
                case .equalToo: return .matcher(try textMatcher(name, .equal))
                case .notEqual: return .matcher(try textMatcher(name, .notEqual))
                default:
                    throw scanner.failure(
                        at: place, "\(operation.rawValue) before a text; want = != =~ or !~")
                }
            }
            if word() == "ip" {
                throw scanner.failure(at: scanner.position, "ip(...)" + Self.notYet)
            }
            let amount = amountWord()
            guard let quantity = FieldQuantity(amount) else {
                throw scanner.unexpected(
                    want:
                        "a text in quotes, a number, a duration such as 10ms or a size such as 1KB"
                )
            }
            scanner.position += amount.utf8.count
            return .comparison(
                FieldComparison(name: name, operation: operation, quantity: quantity))
        }
        throw scanner.unexpected(want: "one of = != =~ !~ == > >= < <=")
    }

    private mutating func textMatcher(
        _ name: String, _ operation: Selector.Operation
    ) throws(QueryError) -> Selector.Matcher {
        skip()
        let start = scanner.position
        guard scanner.isQuote(scanner.peek()) else {
            throw scanner.unexpected(want: "a text in quotes")
        }
        let value = try scanner.quoted()
        do throws(PatternError) {
            return try Selector.Matcher(name: name, operation: operation, value: value)
        } catch {
            throw scanner.failure(at: start + 1 + error.offset, error.reason)
        }
    }

    private mutating func countCondition() throws(QueryError) {
        conditions += 1
        guard conditions <= Self.maximumStages * 4 else {
            throw scanner.unexpected(want: "at most \(Self.maximumStages * 4) conditions")
        }
    }
}

extension LogQLParser {
    private static let notYet =
        ", which this version does not answer; want a selector with filters of lines "
        + "(|= != |~ !~) and of fields (| name=\"value\")"

    /// LogQL's stages that are no conditions.
    private static let keywords: Set<String> = [
        "json", "logfmt", "regexp", "pattern", "unpack", "unwrap", "line_format", "label_format",
        "drop", "keep", "decolorize",
    ]

    /// Reads `drop __error__`, with which Grafana asks to overlook what could not be compared.
    private mutating func takesDrop() throws(QueryError) -> Bool {
        let start = scanner.position
        guard takesWord("drop") else { return false }
        skip()
        guard SelectorParser.isNameByte(scanner.peek() ?? 0) else {
            // A field of this name, in a condition.
            scanner.position = start
            return false
        }
        repeat {
            skip()
            let name = word()
            guard ["__error__", "__error_details__"].contains(name) else {
                throw scanner.failure(
                    at: start,
                    "the stage | drop of \"\(name)\"; want | drop __error__, __error_details__, "
                        + "which is all that this version drops")
            }
            scanner.position += name.utf8.count
            skip()
        } while takes(",")
        return true
    }

    /// Refuses a stage that LogQL knows and we do not, unless it is a field's name here.
    private mutating func refuseKeyword() throws(QueryError) {
        let start = scanner.position
        let name = word()
        guard Self.keywords.contains(name.lowercased()) else { return }
        scanner.position += name.utf8.count
        skip()
        let isName = ["=", "!=", "!~", ">", "<"].contains(where: stands)
        scanner.position = start
        if !isName { throw scanner.failure(at: start, "the stage | \(name)" + Self.notYet) }
    }

    /// What stands where a selector should.
    private mutating func noSelector() -> QueryError {
        let start = scanner.position
        let name = word()
        guard !name.isEmpty else {
            return scanner.unexpected(want: "a selector such as {service_name=\"shop\"}")
        }
        scanner.position += name.utf8.count
        skip()
        let isCall = ["(", "by", "without"].contains(where: stands)
        scanner.position = start
        return isCall
            ? scanner.failure(
                at: start,
                "the metric query \(name)(...), where lines are wanted; want a selector such as "
                    + "{service_name=\"shop\"} with filters")
            : scanner.unexpected(want: "a selector such as {service_name=\"shop\"}")
    }

    func stands(_ text: String) -> Bool {
        scanner.bytes[scanner.position...].starts(with: text.utf8)
    }

    mutating func takes(_ text: String) -> Bool {
        guard stands(text) else { return false }
        scanner.position += text.utf8.count
        return true
    }

    mutating func takesWord(_ text: String) -> Bool {
        guard word().lowercased() == text else { return false }
        scanner.position += text.utf8.count
        return true
    }

    /// The word that stands here, not taken.
    func word() -> String {
        String(
            decoding: scanner.bytes[scanner.position...].prefix(while: SelectorParser.isNameByte),
            as: UTF8.self)
    }

    /// The amount that stands here, not taken: `-1.5`, `1e-3`, `1h30m`, `10KiB`.
    func amountWord() -> String {
        var before: UInt8 = 0
        var count = 0
        for byte in scanner.bytes[scanner.position...] {
            let isSign = byte == UInt8(ascii: "-") || byte == UInt8(ascii: "+")
            let mayBeSigned = count == 0 || before | 0x20 == UInt8(ascii: "e")
            guard
                SelectorParser.isNameByte(byte) || byte == UInt8(ascii: ".") || byte >= 0x80
                    || isSign && mayBeSigned
            else { break }
            before = byte
            count += 1
        }
        return String(
            decoding: scanner.bytes[scanner.position..<scanner.position + count], as: UTF8.self)
    }

    /// Passes over white space and comments, which begin with `#`.
    mutating func skip() {
        scanner.skipSpace()
        while scanner.peek() == UInt8(ascii: "#") {
            while let byte = scanner.peek(), byte != 10 { scanner.position += 1 }
            scanner.skipSpace()
        }
    }
}
