// SPDX-License-Identifier: Apache-2.0
// What expressions become: goldens of syntax trees.

import SondeProbeLanguage
import Testing

/// The syntax tree of an expression in prefix form.
func tree(_ text: String) throws -> String {
    try ExpressionParser.parse(SourceText(text, role: .condition)).description
}

@Suite struct SyntaxTrees {
    @Test(arguments: [
        ("a", "a"),
        ("self.total", "(. self total)"),
        ("bet.user.name", "(. (. bet user) name)"),
        ("pair.0", "(. pair 0)"),
        ("pair.0.1", "(. (. pair 0) 1)"),
        ("list[0].id", "(. ([] list 0) id)"),
        ("grid[i + 1][j]", "([] ([] grid (+ i 1)) j)"),
        ("user?.name", "(chain (. (? user) name))"),
        ("user?.boss?.name.count", "(chain (. (. (? (. (? user) boss)) name) count))"),
        ("(user?.boss).name", "(. (chain (. (? user) boss)) name)"),
        ("user!.name", "(. (! user) name)"),
        ("list?[3]", "(chain ([] (? list) 3))"),
        (#"name.hasPrefix("A")"#, #"(call name hasPrefix "A")"#),
        ("Int(x)", "(Int x)"),
        ("`default`", "default"),
        ("$0.id", "(. $0 id)"),
        ("größe", "größe"),
        ("#thread", "#thread"),
    ])
    func values(text: String, expected: String) throws {
        #expect(try tree(text) == expected)
    }

    @Test(arguments: [
        ("user.password", ["user", "user.password"]),
        ("a?.b!.c == nil || a.d > 2", ["a", "a.b", "a.b.c", "a.d"]),
        ("users[i + 1].name", ["users", "i", "users.name"]),
        (#"name.hasPrefix(other) && x == "quoted""#, ["name", "other", "x"]),
        ("pair.0.id", ["pair", "pair.id"]),
        ("state == .won ? Int(x) : -y", ["state", "won", "x", "y"]),
        (#"(a ?? b).c && 1 < 2 && #thread == 3"#, ["a", "b", "c"]),
    ])
    func namesThatAreRead(text: String, expected: [String]) throws {
        #expect(try ExpressionParser.parse(SourceText(text, role: .condition)).names == expected)
    }

    @Test(arguments: [
        ("1_000", "1000"), ("0xFF", "255"), ("0b1010", "10"), ("0o17", "15"),
        ("18446744073709551615", "18446744073709551615"),
        ("1.5", "1.5"), ("1e3", "1000.0"), ("2.5E-1", "0.25"), ("1_0.2_5", "10.25"),
        ("-9223372036854775808", "(- 9223372036854775808)"),
        (#""a\n\"\u{20AC}""#, #""a\n\"€""#), (#""""#, #""""#),
        ("true", "true"), ("false", "false"), ("nil", "nil"), (".won", ".won"),
    ])
    func literals(text: String, expected: String) throws {
        #expect(try tree(text) == expected)
    }

    @Test(arguments: [
        ("a || b && c", "(|| a (&& b c))"),
        ("a && b || c", "(|| (&& a b) c)"),
        ("a + b * c - d", "(- (+ a (* b c)) d)"),
        ("a - b - c", "(- (- a b) c)"),
        ("a & b == c", "(== (& a b) c)"),
        ("a | b & c", "(| a (& b c))"),
        ("a << 2 + 1", "(+ (<< a 2) 1)"),
        ("x ?? y ?? z", "(?? x (?? y z))"),
        ("x ?? 0 > 3", "(> (?? x 0) 3)"),
        ("!a && -b < ~c", "(&& (not a) (< (- b) (~ c)))"),
        ("!!a", "(not (not a))"),
        ("a ? b : c ? d : e", "(if a b (if c d e))"),
        ("a == 1 ? b : c", "(if (== a 1) b c)"),
        ("a&+b&*c", "(&+ a (&* b c))"),
        ("x!=y", "(!= x y)"),
        ("x! != y", "(!= (! x) y)"),
        ("state == .won", "(== state .won)"),
        ("user?.name == nil", "(== (chain (. (? user) name)) nil)"),
        ("(a + b) * c", "(* (+ a b) c)"),
        ("a == b && c == d", "(&& (== a b) (== c d))"),
    ])
    func operators(text: String, expected: String) throws {
        #expect(try tree(text) == expected)
    }

    @Test func everyPartKnowsItsPlace() throws {
        let text = SourceText("  ab.cd + 7", role: .expression)
        let sum = try ExpressionParser.parse(text)
        #expect(text.excerpt(sum.span) == "ab.cd + 7")
        guard case .binary(.add, let left, let right) = sum.kind else {
            Issue.record("want a sum; got \(sum)")
            return
        }
        #expect(text.excerpt(left.span) == "ab.cd")
        #expect(right.span == SourceSpan(10, 11))
    }

    @Test func hundredsOfAlternativesAreNotTooDeep() throws {
        let text = (0..<100).map { "id == \($0)" }.joined(separator: " || ")
        #expect(try tree(text).hasPrefix("(|| (|| "))
    }
}

@Suite struct Templates {
    private func parts(_ text: String) throws -> [String] {
        try Template(parsing: text).segments.map {
            switch $0 {
            case .text(let text): text.debugDescription
            case .value(let value, let format): "\(value)" + (format.map { ":\($0)" } ?? "")
            }
        }
    }

    @Test(
        arguments: [
            ("", []),
            ("plain", [#""plain""#]),
            ("{a}", ["a"]),
            (
                "order {order.id}: {total:.2f}!",
                [
                    #""order ""#, "(. order id)", #"": ""#, "total:.2f", #""!""#,
                ]
            ),
            ("{{{a}}}", [#""{""#, "a", #""}""#]),
            ("a {{ b }} c", [#""a { b } c""#]),
            (#"{name == "}" ? 1 : 2}"#, [#"(if (== name "}") 1 2)"#]),
            ("{ a : 10 }", ["a:10"]),
            (
                "{id:x}{id:08X}{name:<10}{name:^8.3}",
                [
                    "id:x", "id:08X", "name:<10", "name:^8.3",
                ]
            ),
            ("€ {a} ü", [#""€ ""#, "a", #"" ü""#]),
            ("zwei\nZeilen {a}", [#""zwei\nZeilen ""#, "a"]),
        ] as [(String, [String])])
    func templates(text: String, expected: [String]) throws {
        #expect(try parts(text) == expected)
    }
}
