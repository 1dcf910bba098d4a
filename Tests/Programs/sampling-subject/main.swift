// SPDX-License-Identifier: Apache-2.0
// A process that is sampled: each scenario in a process of its own, so that a crash is the
// scenario's, and because a process has at most one sampler. Prints `key value` lines.

import CSamplingSubject
import Glibc

subject_buffer_lines()
subject_unblock_signals()
let name = CommandLine.arguments.dropFirst().first ?? ""
let arguments = Array(CommandLine.arguments.dropFirst(2))
guard let scenario = Scenario.all[name] else {
    print("cannot run a scenario: got \"\(name)\"; want one of \(Scenario.all.keys.sorted())")
    exit(2)
}
do {
    try scenario(arguments)
    report("done", 1)
} catch {
    report("error", "\(error)")
    exit(1)
}
