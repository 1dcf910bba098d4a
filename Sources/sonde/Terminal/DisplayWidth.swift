// SPDX-License-Identifier: Apache-2.0
// How many columns text takes on a terminal, and text that cannot command the terminal.

/// Columns of text on a terminal.
package enum DisplayWidth {
    /// The columns that text takes: 2 for wide characters, 0 for marks that join the one before.
    package static func of(_ text: String) -> Int {
        if text.utf8.allSatisfy({ $0 < 0x80 }) { return text.utf8.count }
        return text.reduce(0) { $0 + of($1) }
    }

    /// The columns that one character takes.
    package static func of(_ character: Character) -> Int {
        guard let first = character.unicodeScalars.first else { return 0 }
        // A joined emoji (family, flag, or with variation selector 16) is one wide picture.
        if character.unicodeScalars.contains(where: { $0.value == 0xFE0F }) { return 2 }
        switch first.properties.generalCategory {
        case .nonspacingMark, .enclosingMark, .format, .control: return 0
        default: break
        }
        if first.properties.isEmojiPresentation { return 2 }
        return wide.contains { $0.contains(first.value) } ? 2 : 1
    }

    /// Text cut to some columns, with an ellipsis where it was cut.
    ///
    /// - Parameters:
    ///   - text: What to cut.
    ///   - columns: The most columns of the result; 0 gives nothing.
    ///   - ellipsis: What shows the cut; takes one column for each of its characters.
    /// - Returns: `text` itself when it fits.
    package static func cut(_ text: String, to columns: Int, ellipsis: String = "…") -> String {
        // No character takes more columns than bytes, and bytes are counted without decoding.
        guard text.utf8.count > columns, of(text) > columns else { return text }
        guard columns > of(ellipsis) else { return String(ellipsis.prefix(max(0, columns))) }
        var room = columns - of(ellipsis)
        var kept = ""
        for character in text {
            room -= of(character)
            if room < 0 { break }
            kept.append(character)
        }
        return kept + ellipsis
    }

    /// Text with spaces up to some columns, behind it or before it.
    package static func pad(_ text: String, to columns: Int, right: Bool = false) -> String {
        let spaces = String(repeating: " ", count: max(0, columns - of(text)))
        return right ? spaces + text : text + spaces
    }

    /// Blocks of East Asian Wide and Fullwidth characters (Unicode Standard Annex 11).
    private static let wide: [ClosedRange<UInt32>] = [
        0x1100...0x115F, 0x2E80...0x303E, 0x3041...0x33FF, 0x3400...0x4DBF, 0x4E00...0x9FFF,
        0xA000...0xA4CF, 0xA960...0xA97F, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F,
        0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x17000...0x18CFF, 0x1B000...0x1B2FF,
        0x20000...0x3FFFD,
    ]
}

extension String {
    /// The text with everything that could command a terminal written as `\u{..}`.
    ///
    /// Names come from other people's programs: an escape sequence in a function's or service's
    /// name must not move the cursor, and a bidirectional override must not turn the line around.
    package var forTerminal: String {
        let isPlain = utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F }
        if isPlain { return self }
        var text = ""
        for scalar in unicodeScalars {
            switch scalar.value {
            case 0..<0x20, 0x7F...0x9F, 0x200E...0x200F, 0x2028...0x202E, 0x2066...0x2069, 0xFEFF:
                text += "\\u{" + String(scalar.value, radix: 16) + "}"
            default:
                text.unicodeScalars.append(scalar)
            }
        }
        return text
    }
}
