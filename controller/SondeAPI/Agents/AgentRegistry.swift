// SPDX-License-Identifier: Apache-2.0
// Who is connected, how they are, and what each should do.

package import SondeModel
package import SondeStore
package import SondeWire
internal import Synchronization

/// The agents: who is connected, how they are, and what each should do.
///
/// All of it is in memory. After a restart of the controller each agent's next poll is answered
/// "unknown", and the agent registers again; what people set is in the ``ControlStore``.
package final class AgentRegistry: Sendable {
    /// How long a poll should ask to wait.
    package static let pollWait: Duration = .seconds(30)
    /// How long an agent that is not heard of counts as connected.
    static let lease: Duration = .seconds(75)
    /// How long an agent that went away is remembered.
    static let memory: Duration = .seconds(3600)
    /// The most agents.
    static let limit = 10_000
    /// The most build ids of stored profiles that are remembered.
    private static let seenLimit = 100_000

    private struct State: Sendable {
        var agents: [String: AgentEntry] = [:]
        var requests = ImageRequests()
        var seen: Set<BuildID> = []
        var nextForgetting = ContinuousClock.now
        var wake: @Sendable (Set<String>) -> Void = { _ in }
    }

    private let state = Mutex(State())
    private let settings: @Sendable (_ service: String, _ instance: String) -> CPUSettings?
    private let probes: @Sendable (AgentEntry) -> [ProbeState]
    private let hasImage: @Sendable (BuildID) -> Bool

    /// A registry without agents.
    ///
    /// - Parameters:
    ///   - settings: What people set for an instance.
    ///   - probes: The probes that an instance should have.
    ///   - hasImage: Whether there is an image of a build id.
    package init(
        settings: @escaping @Sendable (_ service: String, _ instance: String) -> CPUSettings?,
        probes: @escaping @Sendable (AgentEntry) -> [ProbeState] = { _ in [] },
        hasImage: @escaping @Sendable (BuildID) -> Bool
    ) {
        self.settings = settings
        self.probes = probes
        self.hasImage = hasImage
    }

    /// Has `wake` called with the instances whose desired state may have changed.
    package func onChange(_ wake: @escaping @Sendable (Set<String>) -> Void) {
        state.withLock { $0.wake = wake }
    }

    /// Makes an instance known, or renews what is known of it.
    ///
    /// - Throws: ``APIError`` when it did not name itself, or there are too many.
    package func register(
        _ request: RegisterRequest, now: Timestamp, instant: ContinuousClock.Instant = .now
    ) throws(APIError) {
        var entry = try AgentEntry(request, now: now, instant: instant)
        try state.withLock { state throws(APIError) in
            // Looking through all of them each time would make many registrations slow.
            if state.agents.count >= Self.limit || state.nextForgetting <= instant {
                Self.forget(&state, instant)
            }
            if let known = state.agents[entry.instance] {
                entry.report = known.report
                entry.pollNumber = known.pollNumber
            } else if state.agents.count >= Self.limit {
                throw APIError(
                    .resourceExhausted,
                    "cannot register: got \(state.agents.count) agents already; want at most \(Self.limit)"
                )
            }
            state.agents[entry.instance] = entry
        }
    }

    /// Takes a poll's report and gives the poll a number.
    ///
    /// - Throws: ``APIError`` `notFound` when the instance is unknown.
    package func beginPoll(
        _ request: PollRequest, now: Timestamp, instant: ContinuousClock.Instant = .now
    ) throws(APIError) -> UInt64 {
        let (number, wake) = try state.withLock {
            state throws(APIError) -> (UInt64, @Sendable (Set<String>) -> Void) in
            guard var entry = state.agents[request.instance] else {
                throw APIError(
                    .notFound,
                    "cannot poll: got the unknown instance \(request.instance.quotedForMessage); want it registered first"
                )
            }
            entry.take(request.report)
            entry.lastSeen = now
            entry.lastSeenInstant = instant
            entry.hasLeft = false
            entry.pollNumber &+= 1
            state.agents[request.instance] = entry
            return (entry.pollNumber, state.wake)
        }
        // An older poll of the same instance is answered: the agent no longer waits for it.
        wake([request.instance])
        return number
    }

    /// Whether a poll is the instance's latest.
    package func isCurrent(poll number: UInt64, of instance: String) -> Bool {
        state.withLock { $0.agents[instance]?.pollNumber == number }
    }

    /// Notes that an agent closed the connection on which it waited.
    package func left(poll number: UInt64, of instance: String) {
        let others = state.withLock { state -> (@Sendable (Set<String>) -> Void, Set<String>)? in
            guard state.agents[instance]?.pollNumber == number else { return nil }
            state.agents[instance]?.hasLeft = true
            state.requests.agentLeft(instance)
            return (state.wake, Set(state.agents.keys))
        }
        if let (wake, instances) = others { wake(instances) }
    }

    /// What an instance should do; `nil` when it is unknown.
    package func desiredState(
        of instance: String, instant: ContinuousClock.Instant = .now
    ) -> DesiredState? {
        guard let entry = state.withLock({ $0.agents[instance] }) else { return nil }
        var desired = DesiredState()
        if let set = settings(entry.service, instance) {
            var cpu = SamplerSettings()
            cpu.enabled = set.enabled
            cpu.hertz = set.hertz
            desired.cpu = cpu
        }
        desired.probes = probes(entry)
        let missing = entry.modules.filter { $0.path.hasPrefix("/") && !hasImage($0.buildID) }
        desired.wantedBuildIDs = state.withLock { state in
            var wanted: [String] = []
            for module in missing where wanted.count < ImageRequests.perAgent {
                guard module.isMain || state.seen.contains(module.buildID),
                    state.requests.isAsked(instance, for: module.buildID, now: instant)
                else { continue }
                wanted.append(module.buildID.description)
            }
            return wanted
        }
        desired.revision = Self.revision(desired)
        return desired
    }

    /// Notes images that occur in stored profiles.
    package func profilesArrived(with buildIDs: Set<BuildID>) {
        let fresh = buildIDs.filter { !hasImage($0) }
        guard !fresh.isEmpty else { return }
        change { state in
            let new = fresh.subtracting(state.seen)
            guard !new.isEmpty else { return [] }
            if state.seen.count + new.count > Self.seenLimit { state.seen.removeAll() }
            state.seen.formUnion(new)
            return Set(
                state.agents.values.filter { $0.modules.contains { new.contains($0.buildID) } }
                    .map(\.instance))
        }
    }

    /// Notes that an image's upload began.
    package func uploadBegan(_ buildID: BuildID, instant: ContinuousClock.Instant = .now) {
        change { state in
            state.requests.uploadBegan(buildID, now: instant)
            return []
        }
    }

    /// Notes that an image came.
    package func imageArrived(_ buildID: BuildID) {
        change { state in
            state.requests.arrived(buildID)
            return Set(
                state.agents.values.filter { $0.modules.contains { $0.buildID == buildID } }
                    .map(\.instance))
        }
    }

    /// Notes that a file that an agent sent was refused.
    package func imageRefused(_ buildID: BuildID, instant: ContinuousClock.Instant = .now) {
        change { state in
            state.requests.refused(buildID, now: instant)
            return []
        }
    }

    /// Has the agents of a scope look at their settings again.
    ///
    /// - Returns: Those that are connected.
    package func settingsChanged(
        service: String?, instance: String?, instant: ContinuousClock.Instant = .now
    ) -> [String] {
        let matching = agents(instant: instant).filter {
            (service == nil || $0.entry.service == service)
                && (instance == nil || $0.entry.instance == instance)
        }
        change { _ in Set(matching.map(\.entry.instance)) }
        return matching.filter(\.isConnected).map(\.entry.instance).sorted()
    }

    /// All agents that are remembered, by service and start.
    package func agents(
        instant: ContinuousClock.Instant = .now
    ) -> [(entry: AgentEntry, isConnected: Bool)] {
        let entries = state.withLock { state in
            Self.forget(&state, instant)
            return Array(state.agents.values)
        }
        return entries.map { ($0, Self.isConnected($0, instant)) }.sorted { left, right in
            (left.0.service, left.0.started, left.0.instance)
                < (right.0.service, right.0.started, right.0.instance)
        }
    }

    /// What agents call the image of a build id: the last component of its path.
    package func imageName(_ buildID: BuildID) -> String? {
        state.withLock { state in
            for entry in state.agents.values {
                if let module = entry.modules.first(where: { $0.buildID == buildID }) {
                    return ImageID(buildID: buildID, path: module.path).name
                }
            }
            return nil
        }
    }

    /// Whether a build id occurs in profiles that came since the start.
    package func occursInProfiles(_ buildID: BuildID) -> Bool {
        state.withLock { $0.seen.contains(buildID) }
    }

    private func change(_ body: (inout State) -> Set<String>) {
        var affected: Set<String> = []
        let wake = state.withLock { state in
            affected = body(&state)
            return state.wake
        }
        if !affected.isEmpty { wake(affected) }
    }

    private static func isConnected(_ entry: AgentEntry, _ now: ContinuousClock.Instant) -> Bool {
        !entry.hasLeft && entry.lastSeenInstant.duration(to: now) < lease
    }

    private static func forget(_ state: inout State, _ now: ContinuousClock.Instant) {
        state.agents = state.agents.filter { $0.value.lastSeenInstant.duration(to: now) < memory }
        state.nextForgetting = now + .seconds(60)
    }

    /// The revision of a state: a digest of its content.
    ///
    /// The same state has the same revision, also after a restart. Not against forgery: FNV-1a.
    private static func revision(_ desired: DesiredState) -> String {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in desired.encode() { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
        return String(hash, radix: 16)
    }
}
