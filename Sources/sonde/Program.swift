// SPDX-License-Identifier: Apache-2.0
// The program from its command line to its exit status.

internal import SondeModel

/// The program `sonde`.
package enum Program {
    /// Every command, in the order of the help.
    package static let commands: [CommandDescription] = [
        .serve, .run, .services, .agents, .top, .flame, .diff, .where, .log, .probes, .probe, .tail,
        .logs, .debugInfo, .source, .token, .limits, .store, .completion, .help,
    ]

    /// Does what a command line asks for.
    ///
    /// - Parameters:
    ///   - words: What followed the program's name.
    ///   - surroundings: Where answers go.
    /// - Returns: How the program ends.
    package static func run(_ words: [String], _ surroundings: Surroundings) -> ExitStatus {
        do {
            switch try CommandParser.parse(words, by: .sonde) {
            case .version:
                try surroundings.output.write("sonde \(SondeVersion.current)\n")
            case .help(let path, let command, let wasAsked):
                let outlet = wasAsked ? surroundings.output : surroundings.errors
                try outlet.write(HelpText.text(path, command, width: outlet.width ?? 80))
                return wasAsked ? .done : .wrongUsage
            case .run(let invocation):
                try invocation.command.run?(invocation, surroundings)
            }
            return .done
        } catch is OutletClosed {
            // The reader has what it wanted, as `head` has.
            return .done
        } catch let failure as CommandFailure {
            say(failure, surroundings)
            return failure.status
        } catch {
            say(CommandFailure("\(error)"), surroundings)
            return .failed
        }
    }

    private static func say(_ failure: CommandFailure, _ surroundings: Surroundings) {
        let outlet = surroundings.errors
        surroundings.note(Style.red.apply("sonde:", in: outlet) + " " + failure.message)
        for line in failure.advice { surroundings.note("  " + line) }
    }
}
