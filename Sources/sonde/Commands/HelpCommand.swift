// SPDX-License-Identifier: Apache-2.0
// `sonde help`, and the program's own description.

extension CommandDescription {
    /// The program.
    package static let sonde: CommandDescription = {
        var program = CommandDescription(
            "sonde", "see what happens inside running programs without disturbing them")
        program.discussion = [
            "An agent inside each service samples stacks; the controller keeps them; these commands"
                + " read it. SONDE_URL says where the controller is (default \(Controller.standardAddress)),"
                + " SONDE_TOKEN holds the access token where one is needed, SONDE_TENANT the tenant's name"
                + " where the controller keeps tenants apart.",
            "Answers go to standard output, all else to standard error. Exit status: 0 done, 1 failed,"
                + " 2 wrong usage.",
        ]
        program.subcommands = Program.commands
        program.options = [.version]
        program.examples = [
            .init("sonde serve", "Start the controller on this machine."),
            .init("sonde run --service hello -- ./hello", "Run a program with the agent in it."),
            .init("sonde top hello", "See where its time goes."),
        ]
        return program
    }()

    /// `sonde help`.
    package static let help: CommandDescription = {
        var command = CommandDescription("help", "what a command does, and an example that works")
        command.arguments = [
            ArgumentDescription("COMMAND", "The command's words.", .text, .many)
        ]
        command.examples = [.init("sonde help agents set", "About one command.")]
        command.run = { invocation, surroundings in
            var path = ["sonde"]
            var about = CommandDescription.sonde
            for word in invocation.arguments {
                guard let next = about.subcommand(word) else {
                    let names = about.subcommands.map(\.name)
                    let nearest = NearestName.of(word, among: names)
                    throw CommandFailure.usage(
                        "no help about \"\(word.forTerminal)\"; "
                            + (nearest.map { "did you mean \"\($0)\"?" }
                                ?? "want " + ValueKind.list(names)))
                }
                path.append(word)
                about = next
            }
            let width = surroundings.output.width ?? 80
            try surroundings.output.write(HelpText.text(path, about, width: width))
        }
        return command
    }()
}

extension OptionDescription {
    /// `--version`, which only the program itself takes.
    package static let version = OptionDescription(
        "version", nil, .text, "Print the version.", group: .general)
}
