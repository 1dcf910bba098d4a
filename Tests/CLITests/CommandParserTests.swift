// SPDX-License-Identifier: Apache-2.0
// Command lines, right and wrong, against the program's own description.

import Foundation
import Testing
import sonde

@Suite struct CommandLines {
    static func parse(_ words: String) throws -> ParsedCommandLine {
        try CommandParser.parse(words.split(separator: " ").map(String.init), by: .sonde)
    }

    static func invocation(_ words: String) throws -> Invocation {
        guard case .run(let invocation) = try parse(words) else {
            throw CommandFailure("\(words) does not run a command")
        }
        return invocation
    }

    static func failure(_ words: String) -> CommandFailure? {
        do {
            _ = try parse(words)
            return nil
        } catch {
            return error as? CommandFailure
        }
    }

    @Test func optionsAreTakenInEveryForm() throws {
        for words in [
            "flame shop --output a.svg --depth 7", "flame --depth=7 -o a.svg shop",
            "flame -oa.svg --depth 7 -- shop", "flame --output=a.svg shop --depth 7",
        ] {
            let invocation = try Self.invocation(words)
            #expect(invocation.path == ["sonde", "flame"])
            #expect(invocation.arguments == ["shop"])
            #expect(invocation.values == ["output": "a.svg", "depth": "7"])
        }
    }

    @Test func aCommandMayHaveCommandsBelowItAndAnArgument() throws {
        #expect(try Self.invocation("agents").path == ["sonde", "agents"])
        #expect(try Self.invocation("agents bookmaker").arguments == ["bookmaker"])
        let below = try Self.invocation("agents set --service bookmaker --hertz 49.5")
        #expect(below.path == ["sonde", "agents", "set"])
        #expect(below.values == ["service": "bookmaker", "hertz": "49.5"])
    }

    @Test func everythingBehindTheProgramToRunBelongsToIt() throws {
        let dashes = try Self.invocation("run --service a -- ls --help -l")
        #expect(dashes.arguments == ["ls", "--help", "-l"])
        #expect(dashes.values == ["service": "a"])
        let plain = try Self.invocation("run ls --service a -- b")
        #expect(plain.arguments == ["ls", "--service", "a", "--", "b"])
        #expect(plain.values.isEmpty)
    }

    @Test func helpIsGivenWhereverItIsAskedFor() throws {
        for words in ["--help", "-h", "top --help", "agents set -h", "top --limit 5 --help"] {
            guard case .help(_, _, let wasAsked) = try Self.parse(words) else {
                Issue.record("\(words) shows no help")
                continue
            }
            #expect(wasAsked)
        }
        guard case .help(let path, _, let wasAsked) = try Self.parse("token") else {
            Issue.record("a command that is not whole shows no help")
            return
        }
        #expect(path == ["sonde", "token"] && !wasAsked)
    }

    @Test(arguments: [
        ("tpo", "unknown command \"tpo\"; did you mean \"top\"?"),
        ("token creat", "unknown command \"creat\" after token; did you mean \"create\"?"),
        ("token xyz", "unknown command \"xyz\" after token; want create, list or revoke"),
        ("top a --form 1h", "unknown option --form of top; did you mean --from?"),
        ("top a --qqqqqq", "unknown option --qqqqqq of top"),
        ("top a -x", "unknown option -x of top"),
        (
            "--url u top a",
            "unknown option --url of sonde; options follow the command: sonde COMMAND --url"
        ),
        ("top", "top lacks SELECTOR; want: sonde top SELECTOR [options]"),
        ("top a b", "top: got one argument too many, \"b\"; want: sonde top SELECTOR [options]"),
        ("top a --limit", "--limit has no value; want --limit N"),
        ("top a --limit --json", "--limit has no value; want --limit N"),
        ("top a --limit 0", "--limit: got \"0\"; want a whole number from 1 to 100000"),
        ("top a --limit=", "--limit: got \"\"; want a whole number from 1 to 100000"),
        ("top a --limit 1 --limit 2", "--limit stands twice; want it once"),
        ("top a --json=yes", "--json is a switch: got the value \"yes\"; want none"),
        (
            "flame a --format png",
            "--format: got \"png\"; want text, folded, pprof, speedscope, svg or json"
        ),
        (
            "flame a --min-share 101",
            "--min-share: got \"101\"; want a share from 0 to 100 percent, such as 0.5"
        ),
        ("agents set --hertz nan", "--hertz: got \"nan\"; want a number from 1 to 1000"),
        (
            "token create --expires soon",
            "--expires: got \"soon\"; want a length of time such as 12h or 30d, or never"
        ),
        ("run", "run lacks PROGRAM; want: sonde run [options] -- PROGRAM [ARG ...]"),
        (
            "top a\u{1B}[2J b",
            "top: got one argument too many, \"b\"; want: sonde top SELECTOR [options]"
        ),
        ("top a --li\u{1B}[2J", "unknown option --li\\u{1b}[2J of top"),
    ])
    func aWrongCommandLineSaysWhatIsWrong(words: String, message: String) {
        let failure = Self.failure(words)
        #expect(failure?.message == message)
        #expect(failure?.status == .wrongUsage)
        #expect(failure?.advice.last?.hasPrefix("see: sonde help") == true)
    }

    @Test func everyCommandIsDescribedInFull() {
        func visit(_ command: CommandDescription, _ path: String) {
            #expect(!command.summary.isEmpty && !command.summary.hasSuffix("."), "\(path)")
            #expect(!command.examples.isEmpty, "\(path) has no example")
            for option in command.options {
                #expect(option.help.hasSuffix("."), "\(path) --\(option.name)")
                #expect((option.placeholder == nil) || option.placeholder?.isEmpty == false)
            }
            let names = command.allOptions.map(\.name)
            #expect(Set(names).count == names.count, "\(path) has an option twice")
            for below in command.subcommands { visit(below, path + " " + below.name) }
        }
        visit(.sonde, "sonde")
    }

    @Test func everyExampleParses() throws {
        func visit(_ command: CommandDescription) throws {
            for example in command.examples {
                // Only what the shell would give to sonde.
                var line = example.line
                if let start = line.range(of: "sonde ")?.lowerBound {
                    line = String(line[start...])
                }
                line = line.split(separator: " && ").first.map(String.init) ?? line
                line = line.trimmingCharacters(in: [")", "\""])
                let words = Self.shellWords(line).dropFirst()
                #expect(throws: Never.self, "\(example.line)") {
                    try CommandParser.parse(Array(words), by: .sonde)
                }
            }
            for below in command.subcommands { try visit(below) }
        }
        try visit(.sonde)
    }

    /// Words as a shell takes them apart, single quotes only.
    static func shellWords(_ line: String) -> [String] {
        line.components(separatedBy: "'").enumerated().reduce(into: [""]) { words, part in
            guard part.offset.isMultiple(of: 2) else {
                words[words.count - 1] += part.element
                return
            }
            let pieces = part.element.components(separatedBy: " ")
            words[words.count - 1] += pieces[0]
            words += pieces.dropFirst()
        }.filter { !$0.isEmpty }
    }
}

@Suite struct NearestNames {
    @Test func onlyWhatIsNearIsOffered() {
        let names = ["serve", "services", "top", "token"]
        #expect(NearestName.of("serv", among: names) == "serve")
        #expect(NearestName.of("servces", among: names) == "services")
        #expect(NearestName.of("servi", among: names) == "serve")
        #expect(NearestName.of("tok", among: names) == "top")
        #expect(NearestName.of("xyzzy", among: names) == nil)
        #expect(NearestName.of("comp", among: ["completion"]) == "completion")
        #expect(NearestName.of("x", among: []) == nil)
    }
}
