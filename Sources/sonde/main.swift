// SPDX-License-Identifier: Apache-2.0
// Where the program begins.

internal import FoundationEssentials
internal import Glibc

let environment = ProcessInfo.processInfo.environment
let words = Array(CommandLine.arguments.dropFirst())

// A closed pipe is an error of a write here, not a signal. A program that is run inherits what was
// set at the start, so `run` leaves it alone.
if words.first != "run" { signal(SIGPIPE, SIG_IGN) }

let status = Program.run(
    words,
    Surroundings(
        environment: environment,
        output: Outlet(descriptor: STDOUT_FILENO, environment: environment),
        errors: Outlet(descriptor: STDERR_FILENO, environment: environment)))
exit(status.rawValue)
