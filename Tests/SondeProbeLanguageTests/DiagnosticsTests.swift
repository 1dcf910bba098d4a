// SPDX-License-Identifier: Apache-2.0
// What is said about mistakes: goldens of messages and carets.

import SondeProbeLanguage
import Testing

@Suite struct Diagnostics {
    private func mistake(inCondition text: String) throws -> LanguageError {
        try #require(throws: LanguageError.self) {
            try ExpressionParser.parse(SourceText(text, role: .condition))
        }
    }

    private func mistake(inTemplate text: String) throws -> LanguageError {
        try #require(throws: LanguageError.self) { try Template(parsing: text) }
    }

    @Test func anAssignmentIsExplained() throws {
        let error = try mistake(inCondition: "bet.stake = 100")
        #expect(
            error.description
                == "cannot read the condition: found `=` at column 11; want `==` to compare; "
                + "probes change nothing")
        #expect(error.caret == "bet.stake = 100\n          ^")
        #expect(error.code == .unsupported)
    }

    @Test func aChainOfComparisonsIsExplained() throws {
        let error = try mistake(inCondition: "0 < x < 10")
        #expect(error.code == .ambiguousOperators)
        #expect(error.description.contains("want two comparisons with `&&`"))
        #expect(error.caret == "0 < x < 10\n      ^")
    }

    @Test func anOpenBraceIsShownFromWhereItOpens() throws {
        let error = try mistake(inTemplate: "order {order.id: {total}")
        #expect(error.code == .badFormat)
        let unclosed = try mistake(inTemplate: "order {order.id")
        #expect(
            unclosed.description
                == "cannot read the template: found `{` without its `}` at column 7; want a `}` "
                + "behind the expression, or `{{` for a brace in the text")
        #expect(unclosed.caret == "order {order.id\n      ^~~~~~~~~")
    }

    @Test(arguments: [
        ("", LanguageError.Code.emptyExpression), ("   ", .emptyExpression),
        ("a b", .unexpectedToken), ("a +", .unexpectedToken), ("(a", .unbalanced),
        ("a)", .unbalanced), ("a]", .unbalanced), ("f(x, y)", .unsupported),
        ("f()", .unsupported), ("x.contains(where: y)", .unsupported), ("[1, 2]", .unsupported),
        ("(1, 2)", .unsupported), ("x as Int", .unsupported), ("x is Int", .unsupported),
        ("a and b", .unsupported), ("null", .unsupported), ("try x", .unsupported),
        ("a === b", .unsupported), ("x += 1", .unsupported), ("1...2", .unsupported),
        ("&x", .unsupported), (#"\.id"#, .unsupported), ("'a'", .unexpectedCharacter),
        ("\u{201C}a\u{201D}", .unexpectedCharacter), ("a\u{A0}== b", .unexpectedCharacter),
        (#""abc"#, .badString), (#""\q""#, .badString), (#""\u{D800}""#, .badString),
        (#""\(x)""#, .unsupported), (#""""x""""#, .unsupported), ("12ab", .badNumber),
        ("0x", .badNumber), ("0b12", .badNumber), ("18446744073709551616", .badNumber),
        ("1e999", .badNumber), ("#nope", .unsupported), ("#", .unexpectedCharacter),
        ("a << b << c", .ambiguousOperators), ("x.", .unexpectedToken),
        (".won(3)", .unsupported), ("a ? b", .unexpectedToken), ("`a", .unbalanced),
        ("\0", .unexpectedCharacter), ("a ? b : ", .unexpectedToken), ("()", .unexpectedToken),
        (String(repeating: "(", count: 65) + "a", .tooLarge),
        (String(repeating: "-", count: 5000) + "a", .tooLarge),
        ("a" + String(repeating: ".b", count: 256), .tooLarge),
        (String(repeating: "a", count: 8193), .tooLarge),
        (String(repeating: "[", count: 100), .unsupported),
    ])
    func conditions(text: String, code: LanguageError.Code) throws {
        let error = try mistake(inCondition: text)
        #expect(error.code == code, "\(error)")
        #expect(error.span.start <= error.span.end && error.span.end <= text.utf8.count)
        #expect(!error.found.isEmpty && !error.want.isEmpty)
    }

    @Test(arguments: [
        ("a } b", LanguageError.Code.unbalanced), ("{}", .emptyExpression),
        ("{ }", .emptyExpression), ("{a b}", .unexpectedToken), ("{a:}", .badFormat),
        ("{a:zz}", .badFormat), ("{a:.f}", .badFormat), ("{a:9999}", .badFormat),
        ("{a:.99f}", .badFormat), ("{a:x", .unbalanced), ("{", .unbalanced),
        ("{{a}", .unbalanced), ("{a{b}}", .unsupported),
        (String(repeating: "{a}", count: 129), .tooLarge),
    ])
    func templates(text: String, code: LanguageError.Code) throws {
        let error = try mistake(inTemplate: text)
        #expect(error.code == code, "\(error)")
    }

    @Test func theMarkStandsBelowItsPlaceInAnyText() throws {
        let wide = try mistake(inTemplate: "größe: {a = b}")
        #expect(wide.caret == "größe: {a = b}\n          ^")
        let lines = try mistake(inTemplate: "first\n\tsecond {a b}\nthird")
        #expect(lines.caret == " second {a b}\n           ^")
        #expect(lines.source.column(of: lines.span.start) == 12)
        let long = try mistake(
            inTemplate: String(repeating: "x", count: 300) + "{a b}"
                + String(repeating: "y", count: 300))
        let caret = long.caret.split(separator: "\n")
        #expect(caret[0].count < 120)
        let mark = try #require(caret[1].firstIndex(of: "^"))
        let column = caret[1].distance(from: caret[1].startIndex, to: mark)
        #expect(Array(caret[0])[column] == "b")
    }

    @Test func anyTextGivesATreeOrAnError() {
        // Every text of up to four of these pieces: more than 100 000 texts.
        let pieces = [
            "a", ".", "(", ")", "[", "]", "?", "!", "-", "1", "\"", "{", "}", ":", " ", "==", "#",
            ",",
        ]
        var texts = [""]
        for _ in 0..<4 {
            texts += texts.filter { !$0.isEmpty || texts.count == 1 }.flatMap { text in
                texts.count > 20000 ? [] : pieces.map { text + $0 }
            }
        }
        #expect(texts.count > 5000)
        for text in texts {
            let source = SourceText(text, role: .condition)
            if let tree = try? ExpressionParser.parse(source) {
                #expect(tree.span.end <= text.utf8.count)
            }
            do { _ = try Template(parsing: text) } catch { _ = error.caret }
        }
    }
}
