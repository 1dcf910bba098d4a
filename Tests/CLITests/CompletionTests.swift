// SPDX-License-Identifier: Apache-2.0
// Completion scripts, run by the shells that they are for.

import Foundation
import Testing
import sonde

@Suite struct ShellCompletion {
    static func isInstalled(_ shell: String) -> Bool {
        FileManager.default.isExecutableFile(atPath: "/usr/bin/" + shell)
    }

    /// The script for a shell in a file.
    private func script(_ shell: CompletionScript, _ folder: TemporaryFolder) throws -> String {
        let printed = try SondeProcess.run(["completion", shell.rawValue])
        #expect(printed.status == 0 && printed.output == shell.text(for: .sonde))
        return try folder.write("sonde." + shell.rawValue, printed.output)
    }

    /// What each shell should offer for a command line whose last word is not finished.
    static let expectations: [(words: [String], offered: [String])] = [
        (["sonde", "to"], ["top", "token"]),
        (["sonde", "agents", "s"], ["set"]),
        (["sonde", "flame", "bookmaker", "--fo"], ["--format", "--focus"]),
        (["sonde", "flame", "--format", "s"], ["speedscope", "svg"]),
        (["sonde", "flame", "--url", "http://x", "--min"], ["--min-share"]),
        (["sonde", "token", "create", "--role", "a"], ["agent", "admin"]),
        (["sonde", "completion", "z"], ["zsh"]),
        (["sonde", "top", "--form"], []),
    ]

    private static let bashDriver = """
        source "$1"; shift
        COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=()
        _sonde
        ((${#COMPREPLY[@]})) && printf '%s\\n' "${COMPREPLY[@]}"
        exit 0
        """

    private func bash(_ script: String, _ words: [String], _ url: String = "") throws -> [String] {
        let run = try SondeProcess.run(
            [], environment: ["SONDE_URL": url],
            shell: ["/bin/bash", "--norc", "-c", Self.bashDriver, "bash", script] + words)
        #expect(run.status == 0 && run.errors.isEmpty, "\(words): \(run.errors)")
        return run.output.split(separator: "\n").map(String.init)
    }

    @Test func bashOffersWhatTheDescriptionHolds() throws {
        let folder = try TemporaryFolder()
        let script = try script(.bash, folder)
        let check = try SondeProcess.run([], shell: ["/bin/bash", "-n", script])
        #expect(check.status == 0 && check.errors.isEmpty)
        for (words, offered) in Self.expectations {
            #expect(Set(try bash(script, words)) == Set(offered), "\(words)")
        }
        // bash takes "--format=s" apart at the "=".
        #expect(
            try bash(script, ["sonde", "flame", "--format", "=", "s"]) == ["speedscope", "svg"])
        _ = try folder.write("a file.svg", "")
        #expect(
            try bash(script, ["sonde", "flame", "-o", folder.path + "/a"])
                == [folder.path + "/a file.svg"])
    }

    @Test func namesOfServicesAreOfferedAndNeverRun() throws {
        let stub = try StubController(["/api/v1/services": .init(SampleAnswers.services)])
        defer { stub.stop() }
        let folder = try TemporaryFolder()
        let script = try script(.bash, folder)
        let offered = try bash(script, [SondeProcess.program, "top", ""], stub.url)
        #expect(offered == ["bookmaker", "wallet\\ \\$\\(touch\\ hacked\\)"])
        #expect(!FileManager.default.fileExists(atPath: "hacked"))
        // Without a controller nothing is offered, and nothing is said.
        stub.stop()
        #expect(try bash(script, [SondeProcess.program, "top", ""], stub.url).isEmpty)
    }

    @Test func bashCompletesInAnInteractiveShell() throws {
        // The real way: tabs on a terminal, readline, `complete`'s function.
        let folder = try TemporaryFolder()
        let script = try script(.bash, folder)
        let start = try folder.write(
            "rc", "source '\(script)'; sonde() { echo \"GOT:$*\"; }; PS1='$ '\n")
        let run = try SondeProcess.run(
            [], environment: ["TERM": "xterm", "RC": start],
            shell: [
                "/bin/bash", "-c",
                "printf 'sonde fla\\t--forma\\tpp\\t\\nexit\\n'"
                    + " | script -qec \"bash --noprofile --rcfile $RC -i\" /dev/null",
            ])
        #expect(run.output.contains("GOT:flame --format pprof"), "\(run.output)")
    }

    @Test(.enabled(if: isInstalled("zsh"), "zsh is not installed: its completion is not run"))
    func zshOffersWhatTheDescriptionHolds() throws {
        let folder = try TemporaryFolder()
        let script = try script(.zsh, folder)
        let check = try SondeProcess.run([], shell: ["/usr/bin/zsh", "-n", script])
        #expect(check.status == 0 && check.errors.isEmpty, "\(check.errors)")
        // What `compadd` is given is what zsh matches against the word.
        let driver = """
            source "$1"; shift
            compset() { : }
            compadd() {
                local -a offered
                if [[ $1 == -l ]]; then offered=("${(@P)5}"); else shift; offered=("$@"); fi
                local entry
                for entry in $offered; do [[ $entry == $words[CURRENT]* ]] && print -r -- $entry; done
                return 0
            }
            words=("$@"); CURRENT=$#
            _sonde
            """
        for (words, offered) in Self.expectations {
            let run = try SondeProcess.run(
                [], shell: ["/usr/bin/zsh", "-f", "-c", driver, "zsh", script] + words)
            #expect(run.errors.isEmpty, "\(words): \(run.errors)")
            #expect(
                Set(run.output.split(separator: "\n").map(String.init)) == Set(offered), "\(words)")
        }
    }

    @Test(.enabled(if: isInstalled("fish"), "fish is not installed: its completion is not run"))
    func fishOffersWhatTheDescriptionHolds() throws {
        let folder = try TemporaryFolder()
        let script = try script(.fish, folder)
        for (words, offered) in Self.expectations {
            let line = words.joined(separator: " ")
            let run = try SondeProcess.run(
                [], environment: ["HOME": folder.path],
                shell: [
                    "/usr/bin/fish", "--no-config", "-c",
                    "source '\(script)'; complete -C '\(line)'",
                ])
            #expect(run.status == 0 && run.errors.isEmpty, "\(words): \(run.errors)")
            let found = run.output.split(separator: "\n").map { line in
                String(line.split(separator: "\t").first ?? "")
            }
            // fish also offers what contains the word; what begins with it comes first.
            #expect(Set(offered).isSubset(of: found), "\(words): \(found)")
            #expect(!offered.isEmpty || found.isEmpty, "\(words): \(found)")
        }
    }
}
