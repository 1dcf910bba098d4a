// SPDX-License-Identifier: Apache-2.0
// The service of the benchmark: says when a log point is in its code, and runs through it on demand.
//
// `hit` on the standard input runs through the line once, `cost` prints the agent's own CPU time.
// Times are nanoseconds of the monotonic clock, which all processes share.

import Glibc
import SondeAgent

func monotonic() -> UInt64 {
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    return UInt64(now.tv_sec) * 1_000_000_000 + UInt64(now.tv_nsec)
}

/// The line of the log point is the one that adds.
@inline(never)
func mark(_ now: UInt64, _ sum: inout UInt64) {
    sum &+= now
}

/// Prints a line that whoever reads it has at once.
func say(_ line: String) {
    print(line)
    fflush(nil)
}

let sonde = try Sonde.start()
say("started")
var known: Set<String> = []
var sum: UInt64 = 0
var isOpen = true
// Whether it is installed is looked at often while somebody waits for it, and else not at all: what
// the agent costs must not be what this costs.
var isWatching = false
while isOpen {
    var input = pollfd(fd: 0, events: Int16(POLLIN), revents: 0)
    if poll(&input, 1, isWatching ? 1 : -1) > 0 {
        switch readLine() {
        case "watch": isWatching = true
        case "hit": mark(monotonic(), &sum)
        case "cost": say("cost \(sonde.status.ownCPUNanoseconds) \(monotonic())")
        case nil: isOpen = false
        default: break
        }
    }
    guard isWatching else { continue }
    let installed = sonde.status.probes.filter { $0.state == "installed" }.map(\.id)
    for id in installed where !known.contains(id) {
        say("installed \(id) \(monotonic())")
        isWatching = false
    }
    known = Set(installed)
}
sonde.stop()
print("sum \(sum)")
