// SPDX-License-Identifier: Apache-2.0
// Regular expressions mean what RE2 means by them, and are refused where RE2 refuses them.

import SondeModel
import SondeQuery
import Testing

@Suite struct RE2DialectTests {
    @Test(arguments: [
        (#"(a)\1"#, "backreference"), (#"(?P<x>a)(?P=x)"#, "reference to a group"),
        (#"\k<x>"#, "backreference"), ("(?=a)b", "lookahead"), ("a(?!b)", "lookahead"),
        ("(?<=a)b", "lookbehind"), ("(?<!a)b", "lookbehind"), ("(?>ab)", "atomic group"),
        ("a++", "possessive"), ("a**", "repetition of a repetition"), ("(?R)", "recursion"),
        ("(?1)", "recursion"), ("(?|a|b)", "branch reset"), ("(*ACCEPT)", "verb"),
        ("(?(1)a|b)", "condition"), (#"\Kx"#, "escape"), (#"\Ga"#, "escape"), (#"a\Z"#, "escape"),
        (#"\R"#, "escape"), ("(?x)a b", "flag"), ("(?#note)a", "comment"),
        ("a{1001}", "1000 repetitions"), ("(?C1)a", "callout"),
    ])
    func whatRE2DoesNotHaveIsRefusedInWords(pattern: String, word: String) {
        let text = "{a=~`\(pattern)`}"
        #expect {
            _ = try Selector(text)
        } throws: { error in
            "\(error)".contains(word) && "\(error)".contains("RE2")
        }
    }

    @Test(arguments: [
        ("a|b", "b", true), ("a|b", "ab", false), ("a.c", "a\nc", true), ("abc$", "abc\n", false),
        (#"\Qa.b\E"#, "a.b", true), (#"\Qa.b\E"#, "axb", false), ("(?i)ABC", "abc", true),
        (#"a{2,3}?"#, "aaa", true), ("a{,2}", "a{,2}", true), (#"[[:alpha:]]+"#, "ab", true),
        (#"[^]a]"#, "b", true), (#"\x41\x{42}"#, "AB", true), (#"\101"#, "A", true),
        (#"(?P<name>a)+"#, "aa", true), (#"(?<name>a)"#, "a", true), (#"a\vb"#, "a\u{0b}b", true),
        (#"a\vb"#, "a\nb", false), (#"\s"#, "\u{0b}", false), (#"\s"#, "\t", true),
        (#"\pL+"#, "äö", true), ("(?s-i:a)", "a", true), (#"\bword\b"#, "word", true),
        ("x*", "", true), (#"[\d\-]+"#, "1-2", true),
    ])
    func whatRE2ReadsMeansTheSame(pattern: String, value: String, isMatch: Bool) throws {
        let selector = try Selector("{a=~`\(pattern)`}")
        let labels = try LabelSet([Label(name: "a", value: value)])
        #expect(selector.matches(labels) == isMatch)
    }
}
