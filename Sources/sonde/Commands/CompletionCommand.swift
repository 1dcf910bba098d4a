// SPDX-License-Identifier: Apache-2.0
// `sonde completion`: what teaches a shell this program's commands.

extension CommandDescription {
    /// `sonde completion`.
    package static let completion: CommandDescription = {
        var command = CommandDescription(
            "completion", "print the shell completion for bash, zsh or fish")
        command.discussion = [
            "Prints a script that completes commands, options, their values and files, and asks the"
                + " controller for the names of services. It is made from the same description as this"
                + " help.",
            "bash: source <(sonde completion bash) in ~/.bashrc. zsh: sonde completion zsh into a file"
                + " _sonde in a folder of $fpath. fish: sonde completion fish >"
                + " ~/.config/fish/completions/sonde.fish.",
        ]
        command.arguments = [
            ArgumentDescription(
                "SHELL", "bash, zsh or fish.", .choice(CompletionScript.allCases.map(\.rawValue)))
        ]
        command.examples = [
            .init("source <(sonde completion bash)", "In this very shell.")
        ]
        command.run = { invocation, surroundings in
            let shell = CompletionScript(rawValue: invocation.arguments.first ?? "")
            try surroundings.output.write(shell?.text(for: .sonde) ?? "")
        }
        return command
    }()
}
