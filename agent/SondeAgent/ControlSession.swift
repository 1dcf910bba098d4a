// SPDX-License-Identifier: Apache-2.0
// What the control thread remembers between two requests, and what one request led to.

/// What the controller and this process agreed on so far.
struct ControlSession: Hashable, Sendable {
    /// The state of the images when they were last registered; `nil` when the instance is unknown.
    var registeredChanges: UInt64?
    /// The last revision of the desired state that was seen.
    var revision = ""
    /// How long a poll asks to wait at most.
    var longestWait: UInt64 = 30_000
    /// How long the next poll asks to wait.
    private var shortWait: UInt64 = 2000
    /// New states in a row that came at once.
    var quickAnswers = 0
    /// Times in a row that the instance was unknown just after it registered.
    var timesForgotten = 0

    /// New states that may come at once, one after another, before the agent slows down.
    static let quickAnswersAllowed = 10

    /// The wait for polls, out of what the controller asked for: 1 s to 2 min, 30 s when it did not.
    static func wait(asked milliseconds: UInt64) -> UInt64 {
        milliseconds == 0 ? 30_000 : min(max(milliseconds, 1000), 120_000)
    }

    /// How long the next poll asks to wait.
    ///
    /// The first polls are short, because what an agent reports of its first second tells little
    /// of what it costs.
    mutating func nextWait() -> UInt64 {
        let wait = min(shortWait, longestWait)
        shortWait = min(shortWait * 2, 120_000)
        return wait
    }

    /// Notes that the controller does not know this instance any more.
    mutating func forget() -> ControlStep {
        registeredChanges = nil
        revision = ""
        timesForgotten += 1
        // Once is a restart; again and again is a controller that does not keep its promise.
        return timesForgotten > 1
            ? .failed(
                "cannot stay registered: got 404 for an instance that just registered; want 200",
                retryAfter: nil)
            : .proceed(after: 0)
    }
}

/// What one request to the controller led to.
enum ControlStep: Hashable, Sendable {
    /// All is well; go on after some seconds.
    case proceed(after: Double)
    /// Try again after a growing wait.
    case failed(String, retryAfter: Double?)
    /// The server has no control service.
    case noControl
}
