// SPDX-License-Identifier: Apache-2.0
// What a command is: the one description that parsing, help and shell completion all read.

/// One command of the program, with everything that parsing, help and completion need to know.
package struct CommandDescription: Sendable {
    /// The word that chooses it, such as `flame`.
    package var name: String
    /// What it does, in one line without a full stop.
    package var summary: String
    /// What its user should know, in paragraphs.
    package var discussion: [String]
    /// Command lines that work as they stand, each with what it is for.
    package var examples: [Example]
    /// What stands without a dash, in order.
    package var arguments: [ArgumentDescription]
    /// What stands behind dashes.
    package var options: [OptionDescription]
    /// The commands below this one.
    package var subcommands: [CommandDescription]
    /// Does the work; `nil` for a command that only holds others.
    package var run: (@Sendable (Invocation, Surroundings) throws -> Void)?

    /// A command line that works, and what it is for.
    package struct Example: Sendable {
        package var line: String
        package var purpose: String
        package init(_ line: String, _ purpose: String) {
            self.line = line
            self.purpose = purpose
        }
    }

    /// A command; its parts are set one by one where the command is defined.
    package init(_ name: String, _ summary: String) {
        self.name = name
        self.summary = summary
        discussion = []
        examples = []
        arguments = []
        options = []
        subcommands = []
    }

    /// The options that every command takes, beside its own.
    package var allOptions: [OptionDescription] { options + [.help] }

    /// The command below this one with a name.
    package func subcommand(_ name: String) -> CommandDescription? {
        subcommands.first { $0.name == name }
    }
}

/// What stands on the command line without a dash.
package struct ArgumentDescription: Sendable {
    /// Its name in the help, such as `SELECTOR`.
    package var placeholder: String
    /// What it means, in a sentence or two.
    package var help: String
    /// What values it takes.
    package var kind: ValueKind
    /// How often it stands.
    package var occurrence: Occurrence

    /// How often an argument stands.
    package enum Occurrence: Sendable {
        /// Exactly once.
        case once
        /// Once or not at all.
        case optional
        /// As often as wanted; takes all that follow.
        case many
        /// At least once; takes all that follow.
        case oneOrMore
        /// At least once, and taken as it is, dashes included: a program with its own arguments.
        case program
    }

    package init(
        _ placeholder: String, _ help: String, _ kind: ValueKind = .text,
        _ occurrence: Occurrence = .once
    ) {
        self.placeholder = placeholder
        self.help = help
        self.kind = kind
        self.occurrence = occurrence
    }

    /// The argument as the usage line shows it.
    package var usage: String {
        switch occurrence {
        case .once: placeholder
        case .optional: "[\(placeholder)]"
        case .many: "[\(placeholder) ...]"
        case .oneOrMore: "\(placeholder) ..."
        case .program: "-- \(placeholder) [ARG ...]"
        }
    }
}

/// What stands on the command line behind dashes.
package struct OptionDescription: Sendable {
    /// The name without its dashes, such as `from`.
    package var name: String
    /// The name behind a single dash, such as `o`.
    package var letter: Character?
    /// What its value is called in the help; `nil` for a switch.
    package var placeholder: String?
    /// What values it takes.
    package var kind: ValueKind
    /// What it means, in a sentence or two.
    package var help: String
    /// What holds without it, in words; part of the help.
    package var standard: String?
    /// The heading that it stands under in the help.
    package var group: Group

    /// The headings of the help's list of options, in order.
    package enum Group: String, Sendable, CaseIterable {
        case own = "Options"
        case data = "What to read"
        case output = "How to show it"
        case controller = "Which controller"
        case general = "General"
    }

    package init(
        _ name: String, letter: Character? = nil, _ placeholder: String? = nil,
        _ kind: ValueKind = .text, _ help: String, standard: String? = nil, group: Group = .own
    ) {
        self.name = name
        self.letter = letter
        self.placeholder = placeholder
        self.kind = kind
        self.help = help
        self.standard = standard
        self.group = group
    }

    /// The option as the help shows it, such as `-o, --output FILE`.
    package var usage: String {
        let short = letter.map { "-\($0), " } ?? ""
        return short + "--" + name + (placeholder.map { " " + $0 } ?? "")
    }

    /// Shows a command's help; every command has it.
    package static let help = OptionDescription(
        "help", letter: "h", nil, .text, "Show this help.", group: .general)
}
