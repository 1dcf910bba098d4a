// SPDX-License-Identifier: Apache-2.0
// Which agent is asked for which image: one at a time, another one when it does not come.

internal import SondeModel

/// Which agent is asked for which image.
struct ImageRequests: Sendable {
    /// How long an agent may take to begin an upload before another one is asked.
    static let patience: Duration = .seconds(120)
    /// How long an upload that began may take.
    static let uploadPatience: Duration = .seconds(900)
    /// How long nobody is asked after three agents did not deliver.
    static let pause: Duration = .seconds(600)
    /// How long nobody is asked after a file was refused.
    static let pauseAfterRefusal: Duration = .seconds(3600)
    /// The most images that one agent is asked for at a time.
    static let perAgent = 4
    /// The most build ids that are remembered.
    private static let limit = 100_000

    private struct Request: Sendable {
        var instance: String
        var until: ContinuousClock.Instant
        var attempts: Int
    }

    private var requests: [BuildID: Request] = [:]

    /// Whether this agent is, or from now on will be, the one who is asked.
    mutating func isAsked(
        _ instance: String, for buildID: BuildID, now: ContinuousClock.Instant
    ) -> Bool {
        if let request = requests[buildID], now < request.until {
            return request.instance == instance
        }
        let attempts = (requests[buildID]?.attempts ?? 0) + 1
        if attempts > 3 {
            // Three agents were asked in vain: nobody is, for a while.
            requests[buildID] = Request(instance: "", until: now + Self.pause, attempts: 0)
            return false
        }
        if requests[buildID] == nil, requests.count >= Self.limit { return false }
        requests[buildID] = Request(
            instance: instance, until: now + Self.patience, attempts: attempts)
        return true
    }

    /// Notes that an upload began.
    mutating func uploadBegan(_ buildID: BuildID, now: ContinuousClock.Instant) {
        requests[buildID]?.until = now + Self.uploadPatience
    }

    /// Notes that an image came.
    mutating func arrived(_ buildID: BuildID) { requests[buildID] = nil }

    /// Notes that a file was refused: other agents would send the same.
    mutating func refused(_ buildID: BuildID, now: ContinuousClock.Instant) {
        guard requests.count < Self.limit || requests[buildID] != nil else { return }
        requests[buildID] = Request(instance: "", until: now + Self.pauseAfterRefusal, attempts: 0)
    }

    /// Forgets what an agent that left was asked for, so that others are asked.
    mutating func agentLeft(_ instance: String) {
        requests = requests.filter { $0.value.instance != instance }
    }
}
