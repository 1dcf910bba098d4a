// SPDX-License-Identifier: Apache-2.0
// What the agent counts and what is wrong now: for the controller, the program and the log.

internal import SondeLock

/// Counters and problems of one agent, written by its threads and read by anyone.
final class Ledger: Sendable {
    /// Why profiles were lost, as words for machines that keep their meaning.
    enum Loss: String, CaseIterable, Sendable {
        /// The queue was full; the oldest profile went.
        case queueFull = "profiles_queue_full"
        /// A profile waited for too long.
        case tooOld = "profiles_too_old"
        /// The server refused a profile.
        case refused = "profiles_refused"
        /// A profile could not be encoded or compressed.
        case unencodable = "profiles_unencodable"
        /// The process ended before the controller took the profile.
        case unsentAtStop = "profiles_unsent_at_stop"
    }

    /// Where a problem lies; each place has at most one problem at a time.
    enum Place: Int, CaseIterable, Sendable {
        case delivery, control, desiredState, images
    }

    private struct State {
        var losses: [Loss: UInt64] = [:]
        var problems: [Place: String] = [:]
        var profilesSent: UInt64 = 0
    }

    private let state = Locked(State())
    private let log: AgentLog

    /// A ledger that writes changes of problems to a log.
    init(log: AgentLog) { self.log = log }

    /// Counts what was lost.
    func count(_ loss: Loss, _ number: Int = 1) {
        guard number > 0 else { return }
        state.withLock { $0.losses[loss, default: 0] &+= UInt64(number) }
    }

    /// Counts a profile that was accepted.
    func countSent() { state.withLock { $0.profilesSent &+= 1 } }

    /// States what is wrong at a place, or that nothing is.
    func setProblem(_ text: String?, at place: Place) {
        let bounded = text.map { String($0.prefix(500)) }
        let changed = state.withLock { state in
            guard state.problems[place] != bounded else { return false }
            state.problems[place] = bounded
            return true
        }
        if changed { log.write(bounded ?? "\(place): all is well again") }
    }

    /// Profiles that were accepted.
    var profilesSent: UInt64 { state.withLock { $0.profilesSent } }

    /// What was lost, by reason.
    var losses: [(reason: String, count: UInt64)] {
        let losses = state.withLock { $0.losses }
        return Loss.allCases.compactMap { loss in losses[loss].map { (loss.rawValue, $0) } }
    }

    /// What is wrong now.
    var problems: [String] {
        let problems = state.withLock { $0.problems }
        return Place.allCases.compactMap { problems[$0] }
    }
}
