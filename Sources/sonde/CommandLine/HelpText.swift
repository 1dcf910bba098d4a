// SPDX-License-Identifier: Apache-2.0
// Writes a command's help from its description.

/// The text of `--help`.
package enum HelpText {
    /// The usage line of a command, such as `sonde top SELECTOR [options]`.
    package static func usage(_ path: [String], _ command: CommandDescription) -> String {
        var words = path
        if command.run == nil { words.append("COMMAND") }
        // What follows a "--" stands last, behind the options.
        let (programs, plain) = command.arguments.reduce(into: ([String](), [String]())) {
            sum, next in
            if case .program = next.occurrence {
                sum.0.append(next.usage)
            } else {
                sum.1.append(next.usage)
            }
        }
        return (words + plain + ["[options]"] + programs).joined(separator: " ")
    }

    /// The whole help of a command, lines at most `width` columns wide where words allow it.
    package static func text(_ path: [String], _ command: CommandDescription, width: Int) -> String
    {
        let width = min(max(width, 40), 100)
        var blocks: [String] = []
        blocks.append(wrap(path.joined(separator: " ") + ": " + command.summary, width: width))
        blocks.append(wrap("Usage: " + usage(path, command), width: width, hanging: 7))
        blocks += command.discussion.map { wrap($0, width: width) }
        if !command.subcommands.isEmpty {
            let rows = command.subcommands.map { ($0.name, $0.summary) }
            blocks.append("Commands:\n" + list(rows, width: width))
        }
        if !command.arguments.isEmpty {
            let rows = command.arguments.map { ($0.placeholder, $0.help) }
            blocks.append("Arguments:\n" + list(rows, width: width))
        }
        for group in OptionDescription.Group.allCases {
            let options = command.allOptions.filter { $0.group == group }
            guard !options.isEmpty else { continue }
            let rows = options.map { ($0.usage, describe($0)) }
            blocks.append("\(group.rawValue):\n" + list(rows, width: width))
        }
        if !command.examples.isEmpty {
            let lines = command.examples.map { example in
                "  \(example.line)\n" + wrap(example.purpose, width: width, indent: 6)
            }
            blocks.append("Examples:\n" + lines.joined(separator: "\n"))
        }
        return blocks.joined(separator: "\n\n") + "\n"
    }

    private static func describe(_ option: OptionDescription) -> String {
        guard let standard = option.standard else { return option.help }
        return option.help + " Default: " + standard + "."
    }

    private static func list(_ rows: [(String, String)], width: Int) -> String {
        let longest = rows.map { $0.0.count }.max() ?? 0
        let column = min(longest, 24) + 4
        return rows.map { name, help in
            let body = wrap(help, width: width, indent: column)
            if name.count + 4 > column { return "  \(name)\n\(body)" }
            return "  " + name + body.dropFirst(name.count + 2)
        }.joined(separator: "\n")
    }

    /// Breaks text into lines at spaces.
    ///
    /// - Parameters:
    ///   - text: One paragraph.
    ///   - width: The most columns of a line; a longer word stands alone on its own.
    ///   - indent: Spaces before each line.
    ///   - hanging: More spaces before each line but the first.
    /// - Returns: The lines, without a newline at the end.
    package static func wrap(_ text: String, width: Int, indent: Int = 0, hanging: Int = 0)
        -> String
    {
        var lines: [String] = []
        var line = String(repeating: " ", count: indent)
        var isEmpty = true
        for word in text.split(separator: " ") {
            if !isEmpty, line.count + 1 + word.count > width {
                lines.append(line)
                line = String(repeating: " ", count: indent + hanging)
                isEmpty = true
            }
            line += isEmpty ? String(word) : " " + word
            isEmpty = false
        }
        return (lines + [line]).joined(separator: "\n")
    }
}
