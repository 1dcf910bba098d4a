// SPDX-License-Identifier: Apache-2.0
// What each instance should have of the probes: compiled once for each build, kept in memory.

package import SondeModel
package import SondeProbeCompiler
package import SondeProbeProgram
package import SondeStore
package import SondeWire
internal import Synchronization

/// What each instance should have of the probes.
///
/// The probes themselves are in the ``ControlStore``; programs are made again after a restart.
package final class ProbeRegistry: Sendable {
    /// The most compiled programs that are remembered.
    private static let limit = 20_000

    /// What became of compiling a probe for a build.
    package enum Outcome: Hashable, Sendable {
        /// The program.
        case program(ImageProgram, file: String, line: UInt32)
        /// The probe cannot be on this build.
        case refused(ProbeCompileError)
        /// The build's debug info is not here, or cannot be read; in words behind its name.
        case noDebugInfo(String)
    }

    /// A build of which a probe may be a part.
    package struct Candidate: Hashable, Sendable {
        /// The image.
        package var buildID: BuildID
        /// Its name for people.
        package var name: String
    }

    private struct Key: Hashable, Sendable {
        var probe: String
        var buildID: BuildID
    }

    /// Instances of the same build share their bytes, several builds at a time.
    private struct EncodingKey: Hashable, Sendable {
        var probe: String
        var revision: UInt64
        var buildIDs: [BuildID]
    }

    private struct State: Sendable {
        var outcomes: [Key: Outcome] = [:]
        var encoded: [EncodingKey: [UInt8]] = [:]
    }

    private let state = Mutex(State())
    private let control: ControlStore
    /// The debug info of builds.
    package let debug: DebugImages
    private let hasDebugInfo: @Sendable (BuildID) -> Bool

    /// A registry of a store's probes.
    ///
    /// - Parameters:
    ///   - control: The probes.
    ///   - debug: The debug info of builds.
    ///   - hasDebugInfo: Whether there is debug info of a build, without opening it.
    package init(
        control: ControlStore, debug: DebugImages,
        hasDebugInfo: @escaping @Sendable (BuildID) -> Bool
    ) {
        self.control = control
        self.debug = debug
        self.hasDebugInfo = hasDebugInfo
    }

    /// The builds of an instance that a probe may be a part of: the program itself first, then the
    /// libraries of which there is debug info.
    package func candidates(of entry: AgentEntry) -> [Candidate] {
        entry.modules.filter { $0.isMain || hasDebugInfo($0.buildID) }
            .sorted { $0.isMain && !$1.isMain }
            .map {
                Candidate(
                    buildID: $0.buildID,
                    name: ImageID(buildID: $0.buildID, path: $0.path).name)
            }
    }

    /// A probe, compiled for a build.
    package func outcome(of probe: ProbeDefinition, for buildID: BuildID) -> Outcome {
        let key = Key(probe: probe.id, buildID: buildID)
        if let known = state.withLock({ $0.outcomes[key] }) { return known }
        let outcome = compile(probe, for: buildID)
        state.withLock { state in
            if state.outcomes.count >= Self.limit { state.outcomes = [:] }
            state.outcomes[key] = outcome
        }
        return outcome
    }

    /// What an instance should have.
    ///
    /// - Parameters:
    ///   - entry: The instance.
    ///   - now: The present; probes whose time is over are left out.
    /// - Returns: One entry for each probe that is for it and that has a program there.
    package func wanted(for entry: AgentEntry, now: Timestamp) -> [ProbeState] {
        // Once for all probes: each poll comes here, and an instance may have thousands of images.
        lazy var candidates = candidates(of: entry)
        return control.probes().compactMap { probe in
            guard probe.bounds.expires > now, Self.isFor(probe, entry) else { return nil }
            let programs = programs(of: probe, in: candidates)
            guard !programs.isEmpty else { return nil }
            var state = ProbeState()
            state.id = probe.id
            state.revision = probe.revision
            state.enabled = probe.isEnabled
            state.program = encode(probe, programs)
            return state
        }
    }

    /// Why an instance does not get a probe; `nil` when it does.
    ///
    /// - Parameters:
    ///   - probe: The probe.
    ///   - entry: The instance.
    /// - Returns: The refusal of the build that comes nearest.
    package func refusal(of probe: ProbeDefinition, for entry: AgentEntry) -> ProbeRefusal? {
        var nearest: ProbeRefusal?
        for candidate in candidates(of: entry) {
            let refusal: ProbeRefusal
            switch outcome(of: probe, for: candidate.buildID) {
            case .program: return nil
            case .noDebugInfo(let reason):
                refusal = .noDebugInfo(candidate.name, candidate.buildID, reason)
            case .refused(let error): refusal = .refused(error)
            }
            // A library that does not have the file says nothing about the probe.
            if nearest?.saysLess(than: refusal) ?? true { nearest = refusal }
        }
        return nearest ?? .noImages
    }

    /// What can be probed at a place of an image.
    package func describe(
        _ location: ProbeLocation, in candidate: Candidate
    ) -> Result<WhereAnswer, ProbeRefusal> {
        let answer = debug.ask(candidate.buildID) { image -> Result<WhereAnswer, ProbeRefusal> in
            do throws(ProbeCompileError) {
                return .success(try ProbeCompiler.describe(location: location, image: image))
            } catch { return .failure(.refused(error)) }
        }
        switch answer {
        case .success(let result): return result
        case .failure(let problem):
            return .failure(.noDebugInfo(candidate.name, candidate.buildID, problem.reason))
        }
    }

    /// What can follow a dot behind an expression at a place of an image; `nil` when it names
    /// nothing there.
    package func members(
        of expression: String, at location: ProbeLocation, in candidate: Candidate
    ) -> MemberAnswer? {
        let answer = debug.ask(candidate.buildID) { image in
            try? ProbeCompiler.members(of: expression, at: location, image: image)
        }
        guard case .success(let members) = answer else { return nil }
        return members
    }

    /// Whether a probe is for an instance.
    package static func isFor(_ probe: ProbeDefinition, _ entry: AgentEntry) -> Bool {
        probe.target.matches(
            service: entry.service, instance: entry.instance, labels: entry.labels)
    }

    /// Forgets what was compiled for a probe that was removed.
    package func removed(_ id: String) {
        state.withLock { state in
            state.encoded = state.encoded.filter { $0.key.probe != id }
            state.outcomes = state.outcomes.filter { $0.key.probe != id }
        }
    }

    /// Has probes compiled again for a build, because there is another file of it.
    package func imageArrived(_ buildID: BuildID) {
        debug.imageArrived(buildID)
        state.withLock { state in
            state.outcomes = state.outcomes.filter { $0.key.buildID != buildID }
            state.encoded = state.encoded.filter { !$0.key.buildIDs.contains(buildID) }
        }
    }

    private func programs(
        of probe: ProbeDefinition, in candidates: [Candidate]
    ) -> [(program: ImageProgram, file: String, line: UInt32)] {
        candidates.compactMap { candidate in
            guard
                case .program(let program, let file, let line) = outcome(
                    of: probe, for: candidate.buildID)
            else { return nil }
            return (program, file, line)
        }
    }

    /// Compiles a probe for a build, and remembers nothing of it.
    func compile(_ probe: ProbeDefinition, for buildID: BuildID) -> Outcome {
        let request: ProbeRequest
        do throws(ProbeCompileError) {
            request = ProbeRequest(
                location: try ProbeLocation(parsing: probe.location), template: probe.template,
                condition: probe.condition.isEmpty ? nil : probe.condition)
        } catch { return .refused(error) }
        if case .address(_, let wanted) = request.location, wanted != buildID {
            return .refused(
                ProbeCompileError(
                    .unknownAddress,
                    "cannot find the place: got an address in the build \(wanted); want one of \(buildID)"
                ))
        }
        let answer = debug.ask(buildID) { image -> Outcome in
            do throws(ProbeCompileError) {
                let compiled = try ProbeCompiler.compile(request, image: image)
                return .program(compiled.program, file: compiled.file, line: compiled.line)
            } catch { return .refused(error) }
        }
        return switch answer {
        case .success(let outcome): outcome
        case .failure(let problem): .noDebugInfo(problem.reason)
        }
    }

    private func encode(
        _ probe: ProbeDefinition,
        _ programs: [(program: ImageProgram, file: String, line: UInt32)]
    ) -> [UInt8] {
        let key = EncodingKey(
            probe: probe.id, revision: probe.revision, buildIDs: programs.map(\.program.buildID))
        if let known = state.withLock({ $0.encoded[key] }) { return known }
        let rate = UInt32(clamping: probe.bounds.linesPerSecond)
        let program = ProbeProgram(
            probe: probe.id, revision: probe.revision, kind: .log, level: probe.level,
            tag: probe.tag,
            limits: ProbeLimits(
                expiresUnixNanos: probe.bounds.expires.unixNanoseconds, hits: probe.bounds.hits,
                linesPerSecond: rate),
            file: programs.first?.file ?? "", line: programs.first?.line ?? 0,
            images: programs.map(\.program))
        let bytes = program.encode()
        state.withLock { state in
            if state.encoded.count >= Self.limit { state.encoded = [:] }
            state.encoded[key] = bytes
        }
        return bytes
    }
}

/// Why an instance does not get a probe.
package enum ProbeRefusal: Error, Hashable, Sendable {
    /// The compiler's reason.
    case refused(ProbeCompileError)
    /// There is no debug info of the image with this name and build id; why, in words.
    case noDebugInfo(String, BuildID, String)
    /// The agent named no images.
    case noImages

    /// The whole sentence, as every end shows it.
    package var message: String {
        switch self {
        case .refused(let error): error.message
        case .noDebugInfo(let name, let buildID, let reason):
            "cannot read the debug info of \(name) (build id \(buildID)): \(reason); want it built with -g and uploaded by its agent or by `sonde debuginfo push`"
        case .noImages:
            "cannot add a probe: got an agent that names no image; want one with a build id"
        }
    }

    /// Whether another refusal tells more about what is wrong.
    func saysLess(than other: ProbeRefusal) -> Bool { rank < other.rank }

    private var rank: Int {
        switch self {
        case .noImages: 0
        case .refused(let error) where Self.elsewhere.contains(error.code): 1
        case .noDebugInfo: 2
        case .refused: 3
        }
    }

    /// What a build says whose source does not hold the place at all.
    private static let elsewhere: Set<ProbeCompileError.Code> = [
        .unknownFile, .unknownFunction, .unknownAddress,
    ]
}
