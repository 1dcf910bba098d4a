// SPDX-License-Identifier: Apache-2.0
// LogQL: which lines a query keeps, and what it says of a query that it cannot read.

import SondeModel
import Testing

@testable import SondeQuery

@Suite struct LogQueryTests {
    static let labels = LabelSet().setting("service_name", to: "shop").setting("level", to: "info")

    static func entry(_ line: String, _ metadata: [String: String] = [:]) -> LogEntry {
        var set = LabelSet()
        for (name, value) in metadata { set = set.setting(name, to: value) }
        return LogEntry(time: Timestamp(unixNanoseconds: 1), line: line, metadata: set)
    }

    /// The lines that a query keeps, of a few that differ in every respect.
    static func kept(_ stages: String) throws -> [String] {
        let query = try LogQuery("{service_name=\"shop\"}" + stages)
        let lines = [
            entry("alpha", ["n": "5", "took": "1.5s", "size": "12KB", "id": "p-1"]),
            entry("beta one", ["n": "12", "took": "20ms", "size": "1MiB", "id": "p-2"]),
            entry("beta two", ["id": "p-3", "level": "warn"]),
            entry("Gamma\n{\"a\": 1}"),
        ]
        let found = lines.filter { query.accepts($0, of: labels) != nil }
        for line in found {
            let bytes = Array(line.line.utf8)
            #expect(bytes.withUnsafeBytes { query.mayAccept($0) }, "\(line.line)")
        }
        #expect(query.problem == nil)
        return found.map { String($0.line.prefix { $0 != "\n" }) }
    }

    @Test(arguments: [
        ("", "alpha,beta one,beta two,Gamma"),
        (#"|= "beta""#, "beta one,beta two"),
        (#"|= "beta" != "two""#, "beta one"),
        (#"|= "alpha" or "two""#, "alpha,beta two"),
        (#"!= "alpha" or "two""#, "beta one,Gamma"),
        (#"|~ "^b.*o$""#, "beta two"),
        (#"|~ "(?i)GAMMA" or "lph""#, "alpha,Gamma"),
        (#"!~ "a$|o\\b""#, "beta one,Gamma"),
        ("|= `{\"a\"`", "Gamma"),
        (#"|= """#, "alpha,beta one,beta two,Gamma"),
        ("# a comment\n |= \"beta\" # another\n", "beta one,beta two"),
        ("|=`one`|=`beta`", "beta one"),
    ])
    func lineFiltersKeep(stages: String, lines: String) throws {
        #expect(try Self.kept(stages).joined(separator: ",") == lines)
    }

    @Test(arguments: [
        (#"| id="p-1""#, "alpha"),
        (#"| id=~"p-[12]""#, "alpha,beta one"),
        (#"| id=~"p""#, ""),
        (#"| id!="p-1""#, "beta one,beta two,Gamma"),
        (#"| id!~"p-.""#, "Gamma"),
        (#"| id="""#, "Gamma"),
        (#"| level="info" | id="p-2""#, "beta one"),
        (#"| level_extracted="warn""#, "beta two"),
        ("| n > 5", "beta one"), ("| n >= 5", "alpha,beta one"), ("| n == 5", "alpha"),
        ("| n = 5", "alpha"), ("| n != 5", "beta one"), ("| n < 12", "alpha"),
        ("| n <= 1.2e1", "alpha,beta one"), ("| n > -1", "alpha,beta one"),
        ("| took > 100ms", "alpha"), ("| took <= 1s500ms", "alpha,beta one"),
        ("| size > 1MB", "beta one"), ("| size < 12.5kb", "alpha"),
        (#"| id="p-1" or n > 10"#, "alpha,beta one"),
        (#"| id="p-1" OR id="p-2" AND n > 5"#, "alpha,beta one"),
        (#"| (id="p-1" or id="p-2") and n > 5"#, "beta one"),
        (#"| id=~"p-.", n > 5"#, "beta one"),
        (#"| id=~"p-." n > 5"#, "beta one"),
        (#"| json="" | id="p-1""#, "alpha"),
        (#"| id=~"p-[23]" |= "two""#, "beta two"),
    ])
    func fieldFiltersKeep(stages: String, lines: String) throws {
        #expect(try Self.kept(stages).joined(separator: ",") == lines)
    }

    @Test func aFieldThatIsNoNumberKeepsTheLineAndSaysSo() throws {
        let query = try LogQuery(#"{a="b"} | id > 5"#)
        let match = try #require(query.accepts(Self.entry("x", ["id": "p-1"]), of: Self.labels))
        let problem = try #require(match.problem)
        #expect(problem.name == "LabelFilterErr")
        #expect(problem.details == #"cannot compare id: got "p-1"; want a number such as 1.5"#)
        let strict = try LogQuery(#"{a="b"} | id > 5 | __error__="""#)
        #expect(strict.accepts(Self.entry("x", ["id": "p-1"]), of: Self.labels) == nil)
        #expect(strict.accepts(Self.entry("x", ["id": "6"]), of: Self.labels) == LogMatch())
        #expect(strict.accepts(Self.entry("x"), of: Self.labels) == nil)
    }

    @Test(arguments: [
        ("", 1, "the end; want a selector"), ("{", 2, "the end; want a label name"),
        ("{}", 1, "want at least one matcher"), (#"{a=~".*"}"#, 1, "want at least one matcher"),
        (#"{a!="b"}"#, 1, "want at least one matcher"),
        (#"{a="b"} |"#, 10, "the name of a label"), (#"{a="b"} |= x"#, 12, "a text in quotes"),
        (#"{a="b"} |= "x" or"#, 18, "a text in quotes"),
        (#"{a="b"} |~ "(""#, 14, "a regular expression that is wrong here"),
        (#"{a="b"} | json"#, 11, "the stage | json, which this version does not answer"),
        (#"{a="b"} | logfmt | x="1""#, 11, "the stage | logfmt"),
        (#"{a="b"} | line_format "{{.x}}""#, 11, "the stage | line_format"),
        (#"{a="b"} |> "<_>""#, 9, "the pattern filter |>"),
        (#"{a="b"} [5m]"#, 9, "a range of a metric query"),
        (#"rate({a="b"}[5m])"#, 1, "the metric query rate(...)"),
        (#"sum by (x) (rate({a="b"}[5m]))"#, 1, "the metric query sum(...)"),
        (#"{a="b"} | x"#, 12, "one of = != =~"), (#"{a="b"} | x == "y""#, 13, "== before a text"),
        (#"{a="b"} | x > y"#, 15, "a number, a duration"), (#"{a="b"} | (x="1""#, 17, "\")\""),
        (#"{a="b"} | x = ip("::1")"#, 15, "ip(...)"), (#"({a="b"}"#, 9, "\")\""),
        (#"{a="b"} x"#, 9, "|= != |~ !~"), (#"{a="b"} | 5x="1""#, 11, "the name of a label"),
        (#"{a="b"} |= "x"#, 12, "closing quote"), (#"{a=b}"#, 4, "a value in quotes"),
    ])
    func whatCannotBeReadIsSaidWithItsPlace(text: String, place: Int, words: String) throws {
        let error = try #require(throws: QueryError.self) { try LogQuery(text) }
        #expect(error.code == .invalidArgument)
        #expect(error.message.hasPrefix("cannot read LogQL: at position \(place) got "))
        #expect(error.message.contains(words), "\(error.message)")
        #expect(error.message.split(separator: "\n").count == 3)
    }

    @Test func bracketsAroundAQueryAreTaken() throws {
        let query = try LogQuery(#"( ({a="b"} |= "x") )"#)
        #expect(query.accepts(Self.entry("xy"), of: Self.labels) != nil)
        #expect(query.accepts(Self.entry("y"), of: Self.labels) == nil)
    }

    @Test func bombsAreRefused() {
        let deep = #"{a="b"} | "# + String(repeating: "(", count: 5000)
        #expect(throws: QueryError.self) { try LogQuery(deep) }
        #expect(throws: QueryError.self) {
            try LogQuery(String(repeating: "(", count: 5000) + #"{a="b"}"#)
        }
        let many = #"{a="b"}"# + String(repeating: #"|="x""#, count: 1000)
        #expect(throws: QueryError.self) { try LogQuery(many) }
        let long = #"{a="b"} |= "x""# + String(repeating: #" or "x""#, count: 1000)
        #expect(throws: QueryError.self) { try LogQuery(long) }
        #expect(throws: QueryError.self) {
            try LogQuery("{a=\"" + String(repeating: "b", count: 20_000) + "\"}")
        }
    }

    @Test func aRegularExpressionWithoutEndIsEndedAndSaid() throws {
        let query = try LogQuery(#"{a="b"} |~ "(a+)+$""#)
        let line = Self.entry(String(repeating: "a", count: 60) + "b")
        #expect(query.accepts(line, of: Self.labels) == nil)
        #expect(query.problem?.code == .tooExpensive)
        let negative = try LogQuery(#"{a="b"} !~ "(a+)+$""#)
        #expect(negative.accepts(line, of: Self.labels) == nil, "undecided lines are not kept")
    }

    @Test func amountsAreReadAsLokiReadsThem() {
        for (word, kind, value) in [
            ("1.5", .number, 1.5), ("-2", .number, -2), ("1e3", .number, 1000),
            ("1h30m", .duration, 5400), ("100ms", .duration, 0.1), ("2d", .duration, 172_800),
            ("10KB", .size, 10_000), ("1KiB", .size, 1024), ("5b", .size, 5),
        ] as [(String, FieldQuantity.Kind, Double)] {
            #expect(FieldQuantity(word)?.kind == kind, "\(word)")
            #expect(FieldQuantity(word)?.value == value, "\(word)")
        }
        for word in ["", "x", "1x", "1h30", "--1", "nan", "inf", "1.2.3s", "-"] {
            #expect(FieldQuantity(word) == nil, "\(word)")
        }
    }
}
