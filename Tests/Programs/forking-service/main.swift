// SPDX-License-Identifier: Apache-2.0
// A service that forks while its threads use the agent: `forking-service KIND COUNT URL`.
//
// Each child does what KIND says and must end by itself within its deadline: a lock that somebody
// held at the fork would let it hang. Prints how the children ended.

import Glibc
import SondeAgent

guard CommandLine.arguments.count == 4, let kind = Child(rawValue: CommandLine.arguments[1]),
    let count = Int(CommandLine.arguments[2])
else {
    print("usage: forking-service \(Child.allCases.map(\.rawValue)) COUNT URL")
    exit(2)
}
if kind == .descriptors {
    let process = ForkedProcess.fork()
    if process == 0 { Child.become("set -- /proc/$$/fd/*; exit $#") }
    print("before", ForkedProcess.ending(of: process))
    fflush(nil)
}
let configuration = Sonde.Configuration(
    service: "forking", url: CommandLine.arguments[3], labels: ["kind": kind.rawValue])
let sonde = try Sonde.start(configuration)
let service = BusyService(sonde, configuration, restarts: kind != .start)
if kind == .descriptors {
    // Each of the agent's connections has been used once.
    while sonde.status.controller == .unknown { poll(nil, 0, 5) }
} else {
    service.begin()
}

var endings: [String: Int] = [:]
for _ in 0..<count {
    let process = ForkedProcess.fork()
    if process == 0 {
        // A child that hangs is ended by this signal, which tells the parent.
        alarm(20)
        kind.live(sonde, configuration)
    }
    endings[ForkedProcess.ending(of: process), default: 0] += 1
}
service.end()
for (ending, number) in endings.sorted(by: { $0.key < $1.key }) { print(ending, number) }
print("rounds \(service.rounds)")
sonde.stop()
