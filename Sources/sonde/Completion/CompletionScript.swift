// SPDX-License-Identifier: Apache-2.0
// Shell completion, written from a program's description.

/// A shell that a completion script can be written for.
package enum CompletionScript: String, CaseIterable, Sendable {
    case bash, zsh, fish

    /// The script for a program.
    package func text(for root: CommandDescription) -> String {
        let commands = Self.flatten(root, path: [root.name])
        switch self {
        case .bash: return Self.bash(root.name, commands)
        case .zsh: return Self.zsh(root.name, commands)
        case .fish: return Self.fish(root.name, commands)
        }
    }

    /// A command together with the words that lead to it.
    struct Place {
        var path: [String]
        var command: CommandDescription
        var name: String { path.joined(separator: " ") }
    }

    /// All commands, each before those below it.
    static func flatten(_ command: CommandDescription, path: [String]) -> [Place] {
        [Place(path: path, command: command)]
            + command.subcommands.flatMap { flatten($0, path: path + [$0.name]) }
    }

    /// The words of every option that takes a value, wherever it stands.
    static func valueOptions(_ places: [Place]) -> [String] {
        var words: Set<String> = []
        for option in places.flatMap(\.command.allOptions) where option.placeholder != nil {
            words.formUnion(optionWords(option))
        }
        return words.sorted()
    }

    /// What an option is called on the command line.
    static func optionWords(_ option: OptionDescription) -> [String] {
        ["--" + option.name] + (option.letter.map { ["-\($0)"] } ?? [])
    }

    /// Text between single quotes, as bash and zsh read it.
    static func quoted(_ text: String) -> String {
        "'"
            + text.split(separator: "'", omittingEmptySubsequences: false).joined(
                separator: "'\\''") + "'"
    }
}
