// SPDX-License-Identifier: Apache-2.0
// Turns the words of a command line into an invocation, or says what is wrong with them.

/// What a command line asks for.
package enum ParsedCommandLine: Sendable {
    /// Run this.
    case run(Invocation)
    /// Show the help of the command at this path, which was asked for or whose command is not whole.
    case help(path: [String], CommandDescription, wasAsked: Bool)
    /// Show the program's version.
    case version
}

/// Reads command lines by a ``CommandDescription``.
package struct CommandParser {
    private var path: [String]
    private var command: CommandDescription
    private var words: ArraySlice<String>
    private var arguments: [String] = []
    private var values: [String: String] = [:]
    private var wantsHelp = false

    /// Reads a command line.
    ///
    /// - Parameters:
    ///   - words: What followed the program's name.
    ///   - root: The program.
    /// - Returns: What to do. Every value has been checked against its kind.
    /// - Throws: ``CommandFailure`` with status ``ExitStatus/wrongUsage``.
    package static func parse(
        _ words: [String], by root: CommandDescription
    ) throws(CommandFailure) -> ParsedCommandLine {
        var parser = CommandParser(
            path: [root.name], command: root, words: ArraySlice(words))
        try parser.descend()
        try parser.readWords()
        if parser.wantsHelp { return .help(path: parser.path, parser.command, wasAsked: true) }
        if parser.values[OptionDescription.version.name] != nil { return .version }
        if parser.command.run == nil {
            return .help(path: parser.path, parser.command, wasAsked: false)
        }
        try parser.checkArguments()
        var invocation = Invocation(path: parser.path, command: parser.command)
        invocation.arguments = parser.arguments
        invocation.values = parser.values
        return .run(invocation)
    }

    private init(path: [String], command: CommandDescription, words: ArraySlice<String>) {
        self.path = path
        self.command = command
        self.words = words
    }

    /// The command in messages, which begin with the program's name already.
    private var name: String {
        path.count > 1 ? path.dropFirst().joined(separator: " ") : path.joined()
    }

    private func wrong(_ message: String, advice: [String] = []) -> CommandFailure {
        let topic = path.dropFirst().joined(separator: " ")
        let help = topic.isEmpty ? "sonde help" : "sonde help " + topic
        return .usage(message, advice: advice + ["see: " + help])
    }

    private mutating func descend() throws(CommandFailure) {
        while let word = words.first, !word.hasPrefix("-") {
            if let next = command.subcommand(word) {
                path.append(word)
                command = next
                words = words.dropFirst()
                continue
            }
            guard command.arguments.isEmpty, !command.subcommands.isEmpty else { return }
            let names = command.subcommands.map(\.name)
            var message = "unknown command \"\(word.forTerminal)\" after \(name)"
            if path.count == 1 { message = "unknown command \"\(word.forTerminal)\"" }
            if let nearest = NearestName.of(word, among: names) {
                message += "; did you mean \"\(nearest)\"?"
            } else {
                message += "; want " + ValueKind.list(names)
            }
            throw wrong(message)
        }
    }

    private mutating func readWords() throws(CommandFailure) {
        while let word = words.popFirst() {
            if word == "--" {
                arguments += words
                words = []
            } else if word.hasPrefix("--") {
                try readOption(String(word.dropFirst(2)), typed: word)
            } else if word.hasPrefix("-"), word.count > 1 {
                try readLetters(word)
            } else {
                arguments.append(word)
                if case .program? = command.arguments.last?.occurrence {
                    arguments += words
                    words = []
                }
            }
        }
    }

    /// Reads `--name`, `--name value` or `--name=value`.
    private mutating func readOption(
        _ text: String, typed: String
    ) throws(CommandFailure) {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        let optionName = String(parts.first ?? "")
        guard let option = command.allOptions.first(where: { $0.name == optionName }) else {
            throw unknownOption("--" + optionName)
        }
        try take(
            option, typed: "--" + optionName, attached: parts.count > 1 ? String(parts[1]) : nil)
    }

    /// Reads `-o value`, `-ovalue`, or a letter alone.
    private mutating func readLetters(_ word: String) throws(CommandFailure) {
        let letter = word[word.index(after: word.startIndex)]
        guard let option = command.allOptions.first(where: { $0.letter == letter }) else {
            throw unknownOption(word)
        }
        let attached = word.dropFirst(2)
        try take(option, typed: "-\(letter)", attached: attached.isEmpty ? nil : String(attached))
    }

    private mutating func take(
        _ option: OptionDescription, typed: String, attached: String?
    ) throws(CommandFailure) {
        if option.name == OptionDescription.help.name {
            wantsHelp = true
            return
        }
        guard values[option.name] == nil else { throw wrong("\(typed) stands twice; want it once") }
        guard let placeholder = option.placeholder else {
            if let attached {
                throw wrong(
                    "\(typed) is a switch: got the value \"\(attached.forTerminal)\"; want none")
            }
            values[option.name] = ""
            return
        }
        guard let value = attached ?? following(typed) else {
            throw wrong("\(typed) has no value; want \(typed) \(placeholder)")
        }
        if let want = option.kind.want(insteadOf: value) {
            throw wrong("\(typed): got \"\(value.forTerminal)\"; want \(want)")
        }
        values[option.name] = value
    }

    /// The next word, unless it is an option of this command: then the value was forgotten.
    private mutating func following(_ typed: String) -> String? {
        guard let next = words.first else { return nil }
        let isOption = command.allOptions.contains { option in
            next == "--" + option.name || option.letter.map { next == "-\($0)" } == true
        }
        guard !isOption, next != "--" else { return nil }
        words = words.dropFirst()
        return next
    }

    private func unknownOption(_ typed: String) -> CommandFailure {
        let names = command.allOptions.map { "--" + $0.name }
        let message = "unknown option \(typed.forTerminal) of \(name)"
        if let nearest = NearestName.of(typed, among: names) {
            return wrong(message + "; did you mean \(nearest)?")
        }
        let holder = command.subcommands.first { below in
            below.allOptions.contains { "--" + $0.name == typed }
        }
        if let holder {
            let place = command.subcommands.count > 1 ? "COMMAND" : holder.name
            return wrong(
                message
                    + "; options follow the command: \(path.joined(separator: " ")) \(place) \(typed)"
            )
        }
        return wrong(message)
    }

    private func checkArguments() throws(CommandFailure) {
        for (index, description) in command.arguments.enumerated() {
            let isRequired: Bool
            switch description.occurrence {
            case .once, .oneOrMore, .program: isRequired = true
            case .optional, .many: isRequired = false
            }
            guard index < arguments.count else {
                if isRequired {
                    throw wrong(
                        "\(name) lacks \(description.placeholder); want: "
                            + HelpText.usage(path, command))
                }
                continue
            }
            if let want = description.kind.want(insteadOf: arguments[index]) {
                throw wrong(
                    "\(description.placeholder): got \"\(arguments[index].forTerminal)\"; want \(want)"
                )
            }
        }
        let takesMore: Bool
        switch command.arguments.last?.occurrence {
        case .oneOrMore?, .many?, .program?: takesMore = true
        default: takesMore = false
        }
        if !takesMore, arguments.count > command.arguments.count {
            let extra = arguments[command.arguments.count].forTerminal
            throw wrong(
                "\(name): got one argument too many, \"\(extra)\"; want: "
                    + HelpText.usage(path, command))
        }
    }
}
