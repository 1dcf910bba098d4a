// SPDX-License-Identifier: Apache-2.0
// A command line after parsing: which command, with which values.

/// A command line that was found to be right.
package struct Invocation: Sendable {
    /// The words that chose the command, the program's name first: `["sonde", "agents", "set"]`.
    package var path: [String]
    /// The command.
    package var command: CommandDescription
    /// What stood without a dash.
    package var arguments: [String] = []
    /// The value of each option that was given, by its name; empty for a switch.
    package var values: [String: String] = [:]

    /// Whether an option was given.
    package func isSet(_ option: OptionDescription) -> Bool { values[option.name] != nil }

    /// The value of an option, or `nil` when it was not given.
    package func text(_ option: OptionDescription) -> String? { values[option.name] }

    /// The value of an option for whole numbers; parsing has checked it.
    package func integer(_ option: OptionDescription) -> Int? {
        values[option.name].flatMap { Int($0) }
    }

    /// The value of an option for numbers; parsing has checked it.
    package func decimal(_ option: OptionDescription) -> Double? {
        values[option.name].flatMap { ValueKind.percent($0) }
    }

    /// The value of an option for a point in time; parsing has checked it.
    package func time(_ option: OptionDescription) -> TimeExpression? {
        values[option.name].flatMap { TimeExpression($0) }
    }
}

/// How the program ends.
package enum ExitStatus: Int32, Sendable {
    /// What was asked for is done.
    case done = 0
    /// It could not be done.
    case failed = 1
    /// The command line is wrong.
    case wrongUsage = 2
}

/// Why a command was not done.
package struct CommandFailure: Error, Sendable, CustomStringConvertible {
    /// How the program ends.
    package var status: ExitStatus
    /// What is wrong, in one sentence without a full stop.
    package var message: String
    /// What its user can do, a line each.
    package var advice: [String]

    package init(_ message: String, advice: [String] = []) {
        status = .failed
        self.message = message
        self.advice = advice
    }

    /// The command line is wrong.
    package static func usage(_ message: String, advice: [String] = []) -> CommandFailure {
        var failure = CommandFailure(message, advice: advice)
        failure.status = .wrongUsage
        return failure
    }

    package var description: String { message }
}
