// SPDX-License-Identifier: Apache-2.0
// Fuzzes the parsers of conditions and templates.

import SondeProbeLanguage

/// Parses a text as a condition and as a template.
enum ExpressionFuzz {
    static let target = FuzzTarget(
        test: { data, size in
            check(String(decoding: bytes(data, size), as: UTF8.self))
            return 0
        },
        seeds: {
            [
                "order {order.id}: {total:.2f} {{x}} {name:<10}",
                #"a.b?.c![0].1 == "x\u{20AC}\n" && !b || #thread > 0x1F_FF ? .won : nil ?? -1.5e3"#,
                #"name.hasPrefix("A") && Int(x) &+ 3 << 2 != ~y"#,
            ].map { Array($0.utf8) }
        })

    static func check(_ text: String) {
        let source = SourceText(text, role: .condition)
        do {
            let tree = try ExpressionParser.parse(source)
            precondition(
                tree.span.start >= 0 && tree.span.end <= text.utf8.count,
                "BUG: a tree lies outside its text")
        } catch {
            explain(error, in: text)
        }
        do { _ = try Template(parsing: text) } catch { explain(error, in: text) }
    }

    private static func explain(_ error: LanguageError, in text: String) {
        precondition(
            error.span.start <= error.span.end && error.span.end <= text.utf8.count,
            "BUG: a mistake lies outside its text")
        _ = (error.caret, error.description)
    }
}
