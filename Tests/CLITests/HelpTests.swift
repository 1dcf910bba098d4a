// SPDX-License-Identifier: Apache-2.0
// The help of every command, word for word.

import Foundation
import Testing
import sonde

@Suite struct HelpTexts {
    static let places: [[String]] = {
        func flatten(_ command: CommandDescription, _ path: [String]) -> [[String]] {
            [path] + command.subcommands.flatMap { flatten($0, path + [$0.name]) }
        }
        return flatten(.sonde, ["sonde"])
    }()

    @Test(arguments: places)
    func helpReadsAsItWasBlessed(path: [String]) throws {
        var command = CommandDescription.sonde
        for word in path.dropFirst() { command = try #require(command.subcommand(word)) }
        let text = HelpText.text(path, command, width: 80)
        try expectGolden(text, "help-" + path.joined(separator: "-") + ".txt")
        for line in text.split(separator: "\n") where !line.hasPrefix("  sonde ") {
            #expect(line.count <= 80 || line.contains("SONDE_TOKEN=$("), "\(line)")
        }
    }

    @Test func helpIsTheSameHoweverItIsAskedFor() throws {
        let option = try SondeProcess.run(["agents", "set", "--help"])
        let command = try SondeProcess.run(["help", "agents", "set"])
        #expect(option.status == 0 && command.status == 0)
        #expect(option.output == command.output)
        #expect(option.errors.isEmpty && command.errors.isEmpty)
    }

    @Test func withoutACommandTheHelpGoesToStandardError() throws {
        let bare = try SondeProcess.run([])
        #expect(bare.status == 2)
        #expect(bare.output.isEmpty)
        #expect(bare.errors.contains("Commands:"))
    }

    @Test func theVersionIsOneLine() throws {
        let version = try SondeProcess.run(["--version"])
        #expect(version.status == 0)
        #expect(version.output.wholeMatch(of: /sonde [0-9]+\.[0-9]+\.[0-9]+\n/) != nil)
    }

    @Test func helpAboutNothingKnownNamesTheNearest() throws {
        let help = try SondeProcess.run(["help", "flam"])
        #expect(help.status == 2)
        #expect(help.errors.contains("did you mean \"flame\"?"))
    }
}
