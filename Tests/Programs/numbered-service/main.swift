// SPDX-License-Identifier: Apache-2.0
// A service that counts: `numbered-service FIRST COUNT PER-SECOND`.
//
// It waits until a log point is in its code, counts COUNT numbers from FIRST on through it, or until
// SIGTERM, delivers what there is and prints what its agent says of it. The agent is set up by the
// environment.

import Glibc
import SondeAgent
import Synchronization

/// Set by SIGTERM; relaxed, for nothing else is passed along.
let isEnding = Atomic<Bool>(false)

/// The line of the log point is the one that adds.
@inline(never)
func say(_ number: Int, _ sum: inout Int) {
    sum &+= number
}

/// Waits a little, without using the processor.
func rest(milliseconds: Int32) { _ = poll(nil, 0, milliseconds) }

func monotonic() -> Double {
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    return Double(now.tv_sec) + Double(now.tv_nsec) / 1e9
}

let words = CommandLine.arguments.dropFirst().compactMap { Int($0) }
guard words.count == 3, words[2] > 0 else {
    print("usage: numbered-service FIRST COUNT PER-SECOND")
    exit(2)
}
let (first, count, perSecond) = (words[0], words[1], words[2])
signal(SIGTERM) { _ in isEnding.store(true, ordering: .relaxed) }
let sonde = try Sonde.start()
print("instance \(sonde.status.instance)")
fflush(nil)

while sonde.status.probes.first?.state != "installed" {
    guard !isEnding.load(ordering: .relaxed) else { break }
    rest(milliseconds: 5)
}
var sum = 0
var said = 0
let begin = monotonic()
while said < count, !isEnding.load(ordering: .relaxed) {
    let due = min(count, Int((monotonic() - begin) * Double(perSecond)) + 1)
    while said < due {
        say(first + said, &sum)
        said += 1
    }
    rest(milliseconds: 1)
}
// Every hit is a line or a counted loss as soon as the rings are empty.
let patience = monotonic() + 10
while let probe = sonde.status.probes.first, probe.lines + probe.dropped < probe.hits,
    monotonic() < patience
{
    rest(milliseconds: 5)
}
// What waits is sent as long as the controller is there.
while sonde.status.linesWaiting > 0, monotonic() < patience { rest(milliseconds: 5) }
let probe = sonde.status.probes.first
sonde.stop()
var lost: [String: UInt64] { sonde.status.losses.filter { $0.key.hasPrefix("lines_") } }
// On a machine that is busy enough the agent's last thread may still be counting.
while sonde.status.linesSent + lost.values.reduce(0, +) < probe?.lines ?? 0,
    monotonic() < patience + 20
{
    rest(milliseconds: 5)
}
print("said \(said)")
print("hits \(probe?.hits ?? 0)")
print("lines \(probe?.lines ?? 0)")
print("dropped \(probe?.dropped ?? 0)")
print("sent \(sonde.status.linesSent)")
for (reason, number) in lost.sorted(by: { $0.key < $1.key }) { print("\(reason) \(number)") }
print("sum \(sum)")
