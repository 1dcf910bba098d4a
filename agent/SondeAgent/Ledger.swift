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
        /// The queue of lines was full; the oldest batch went.
        case linesQueueFull = "lines_queue_full"
        /// A batch of lines waited for too long.
        case linesTooOld = "lines_too_old"
        /// The server refused a batch of lines.
        case linesRefused = "lines_refused"
        /// A batch of lines could not be compressed.
        case linesUnencodable = "lines_unencodable"
        /// The process ended before the controller took the lines.
        case linesUnsentAtStop = "lines_unsent_at_stop"
    }

    /// What a server accepted.
    enum Delivered: Hashable, Sendable {
        case profiles, lines
    }

    /// Where a problem lies; each place has at most one problem at a time.
    enum Place: Int, CaseIterable, Sendable {
        case delivery, control, desiredState, images, logs, probes, probeCount, installMemory
    }

    private struct State {
        var losses: [Loss: UInt64] = [:]
        var problems: [Place: String] = [:]
        var delivered: [Delivered: UInt64] = [:]
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

    /// Counts what was accepted.
    func count(_ delivered: Delivered, _ number: Int) {
        guard number > 0 else { return }
        state.withLock { $0.delivered[delivered, default: 0] &+= UInt64(number) }
    }

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
    var profilesSent: UInt64 { state.withLock { $0.delivered[.profiles] ?? 0 } }

    /// Lines that were accepted.
    var linesSent: UInt64 { state.withLock { $0.delivered[.lines] ?? 0 } }

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
