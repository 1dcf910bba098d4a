// SPDX-License-Identifier: Apache-2.0
// `sonde run`: becomes another program, with the agent preloaded.

internal import Glibc

extension CommandDescription {
    /// `sonde run`.
    package static let run: CommandDescription = {
        var command = CommandDescription("run", "run any native program with the agent in it")
        command.discussion = [
            "Becomes PROGRAM, with libsonde.so preloaded: the agent samples it and sends its profiles"
                + " to the controller. Nothing else changes: the program keeps its process id,"
                + " terminal, signals and exit status. Without a controller it runs just the same.",
            "It works for dynamically linked programs on glibc (C, C++, Rust, Swift); statically linked"
                + " and setuid programs are refused, because the system ignores preloaded libraries"
                + " there. Children inherit the environment and are profiled under the same service.",
        ]
        command.arguments = [
            ArgumentDescription(
                "PROGRAM", "A path, or a name to be found by PATH, and its own arguments.",
                .program,
                .program)
        ]
        command.options =
            [
                OptionDescription(
                    "service", "NAME", .service, "The service's name.",
                    standard: "SONDE_SERVICE, or the program's file name"),
                OptionDescription(
                    "hertz", "N", .decimal(1...1000), "Samples per second of CPU time.",
                    standard: "100"),
                OptionDescription(
                    "library", "FILE", .file, "The library to preload.",
                    standard: "libsonde.so beside this program or in ../lib"),
            ] + OptionDescription.controller
        command.examples = [
            .init(
                "sonde run -- ./server --port 8080", "Everything behind -- belongs to the program."),
            .init(
                "sonde run --service jobs --hertz 199 -- python3 job.py", "With a name, more often."
            ),
        ]
        command.run = { try runProgram($0, $1) }
        return command
    }()
}

private func runProgram(_ invocation: Invocation, _ surroundings: Surroundings) throws {
    guard let name = invocation.arguments.first else { return }
    var environment = surroundings.environment
    let program = try ProgramFinder.program(name, path: environment["PATH"])
    try ProgramFinder.checkPreloadable(program)
    let library = try ProgramFinder.library(given: invocation.values["library"])
    let others = environment["LD_PRELOAD"].flatMap { $0.isEmpty ? nil : $0 }
    environment["LD_PRELOAD"] = others.map { library + ":" + $0 } ?? library
    if let service = invocation.values["service"] {
        environment["SONDE_SERVICE"] = service
    } else if (environment["SONDE_SERVICE"] ?? "").isEmpty {
        environment["SONDE_SERVICE"] = lastComponent(program)
    }
    let variables = [
        ("url", "SONDE_URL"), ("token", "SONDE_TOKEN"), ("tenant", "SONDE_TENANT"),
        ("ca-file", "SONDE_CA_FILE"), ("hertz", "SONDE_HERTZ"),
    ]
    for (option, variable) in variables {
        if let value = invocation.values[option] { environment[variable] = value }
    }
    let reason = become(program, invocation.arguments, environment)
    throw CommandFailure("cannot run \(program.forTerminal): \(reason)")
}

/// Replaces this process by a program; returns only when that fails, with the reason.
private func become(
    _ program: String, _ arguments: [String], _ environment: [String: String]
) -> String {
    var words: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
    var variables: [UnsafeMutablePointer<CChar>?] =
        environment.map { strdup($0.key + "=" + $0.value) } + [nil]
    // Safety: both arrays end in nil and hold C strings that live until the process ends.
    execve(program, &words, &variables)
    return String(cString: strerror(errno))
}
