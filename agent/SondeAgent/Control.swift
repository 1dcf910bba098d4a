// SPDX-License-Identifier: Apache-2.0
// The control thread: register, then poll for what this process should do.

internal import SondeHTTPClient
internal import SondeLock
internal import SondeModel
internal import SondeSampling
internal import SondeWire
internal import Synchronization

/// Keeps in touch with the controller and does what it asks for.
final class Control: Sendable {
    /// How the controller was when it was last asked.
    enum Contact: Hashable, Sendable {
        /// It was not asked yet.
        case unknown
        /// It knows this instance.
        case connected
        /// There is a server, but it has no control service, as stock Pyroscope has none.
        case noControl
        /// It does not answer, or not sensibly.
        case unreachable
    }

    private let settings: AgentSettings
    private let identity: Identity
    private let sampler: any StackSampler
    private let images: ImageCatalog
    private let uploads: ImageUploads
    private let probes: ProbeKeeper
    private let client: HTTPClient
    private let ledger: Ledger
    private let report: @Sendable () -> AgentReport
    private let wake = Flag()
    private let isStopping = Atomic<Bool>(false)
    private let state = Locked(Contact.unknown)

    static let service = "/sonde.control.v1.ControlService/"

    /// Everything that control works on.
    struct Parts {
        var identity: Identity
        var sampler: any StackSampler
        var images: ImageCatalog
        var uploads: ImageUploads
        var probes: ProbeKeeper
        var client: HTTPClient
        var ledger: Ledger
        /// Asked before each poll.
        var report: @Sendable () -> AgentReport
    }

    init(_ settings: AgentSettings, _ parts: Parts) {
        self.settings = settings
        identity = parts.identity
        sampler = parts.sampler
        images = parts.images
        uploads = parts.uploads
        probes = parts.probes
        client = parts.client
        ledger = parts.ledger
        report = parts.report
    }

    /// How the controller was when it was last asked.
    var contact: Contact { state.withLock { $0 } }

    /// Makes ``run()`` return soon; the client is cancelled by the caller.
    func stop() {
        isStopping.store(true, ordering: .releasing)
        wake.raise()
    }

    /// What the control thread does until it is stopped.
    func run() {
        var session = ControlSession()
        var backoff = Backoff(first: settings.pace.firstRetry, longest: settings.pace.longestRetry)
        while !isStopping.load(ordering: .acquiring) {
            let wait: Double
            switch step(&session) {
            case .proceed(let seconds):
                backoff.succeed()
                if session.registeredChanges != nil {
                    state.withLock { $0 = .connected }
                    ledger.setProblem(nil, at: .control)
                }
                wait = seconds
            case .failed where isStopping.load(ordering: .acquiring):
                return
            case .failed(let problem, let retryAfter):
                state.withLock { $0 = .unreachable }
                ledger.setProblem(problem, at: .control)
                wait = backoff.fail(retryAfter: retryAfter)
            case .noControl:
                state.withLock { $0 = .noControl }
                ledger.setProblem(nil, at: .control)
                session = ControlSession()
                // Spread, so that a fleet does not ask at once.
                wait = settings.pace.noControl * Double.random(in: 0.8...1.2)
            }
            if wait > 0 { _ = wake.wait(until: Clock.monotonic(after: wait)) }
        }
    }

    private func step(_ session: inout ControlSession) -> ControlStep {
        let current = images.current
        guard session.registeredChanges == current.changes else {
            return register(current, &session)
        }
        return poll(&session)
    }

    private func register(
        _ current: ImageCatalog.Snapshot, _ session: inout ControlSession
    ) -> ControlStep {
        let request = registration(current)
        let response: HTTPClientResponse
        switch post("Register", request.encode(), timeout: settings.pace.pushTimeout) {
        case .success(let answer): response = answer
        case .failure(let error): return .failed(error.message, retryAfter: nil)
        }
        switch response.status {
        case 200:
            guard let answer = try? RegisterResponse(decoding: response.body[...]) else {
                return .failed(refusal("Register", response, "no such message"), retryAfter: nil)
            }
            session.registeredChanges = current.changes
            session.longestWait = ControlSession.wait(asked: answer.pollWaitMs)
            return .proceed(after: 0)
        case 404, 405, 501:
            return .noControl
        default:
            return .failed(
                refusal("Register", response, "status \(response.status)"),
                retryAfter: retryAfter(response))
        }
    }

    private func poll(_ session: inout ControlSession) -> ControlStep {
        var request = PollRequest()
        request.instance = identity.instance
        request.revision = session.revision
        request.waitMs = session.nextWait()
        // Before the report: what changes from here on interrupts the poll.
        let interruptions = client.interruptionCount
        request.report = report()
        let begin = Clock.monotonic
        let timeout = Double(request.waitMs) / 1000 + settings.pace.pollGrace
        let response: HTTPClientResponse
        switch post("Poll", request.encode(), timeout: timeout, interruptions) {
        case .success(let answer): response = answer
        case .failure(let error) where error.code == .interrupted:
            // There is something to report; the next poll does.
            return .proceed(after: 0)
        case .failure(let error): return .failed(error.message, retryAfter: nil)
        }
        // A controller that answers at once again and again must not keep this thread busy.
        let isQuick = Clock.monotonic - begin < 200_000_000
        if response.status != 404 { session.timesForgotten = 0 }
        switch response.status {
        case 200:
            guard let desired = try? DesiredState(decoding: response.body[...]) else {
                return .failed(refusal("Poll", response, "no such message"), retryAfter: nil)
            }
            let isNews = desired.revision != session.revision
            apply(desired)
            session.revision = desired.revision
            session.quickAnswers = isQuick ? session.quickAnswers + 1 : 0
            let isFlood = !isNews || session.quickAnswers > ControlSession.quickAnswersAllowed
            return .proceed(after: isQuick && isFlood ? settings.pace.quietPoll : 0)
        case 304:
            session.quickAnswers = 0
            return .proceed(after: isQuick ? settings.pace.quietPoll : 0)
        case 404:
            return session.forget()
        case 405, 501:
            return .noControl
        default:
            return .failed(
                refusal("Poll", response, "status \(response.status)"),
                retryAfter: retryAfter(response))
        }
    }

    private func apply(_ desired: DesiredState) {
        var problem: String?
        if let cpu = desired.cpu, !cpu.enabled || (1...1000).contains(cpu.hertz) {
            let hertz = cpu.enabled ? cpu.hertz : settings.hertz
            sampler.configure(enabled: cpu.enabled, hertz: hertz)
        } else if let cpu = desired.cpu {
            problem = "cannot sample at \(cpu.hertz) Hz: got that rate; want 1 to 1000"
        } else {
            sampler.configure(enabled: settings.samplesCPU, hertz: settings.hertz)
        }
        ledger.setProblem(problem, at: .desiredState)
        uploads.want(desired.wantedBuildIDs.compactMap { BuildID(hex: $0) })
        probes.want(desired.probes)
    }

    private func registration(_ current: ImageCatalog.Snapshot) -> RegisterRequest {
        var request = RegisterRequest()
        request.service = settings.service
        request.version = settings.version
        request.instance = identity.instance
        request.host = identity.host
        request.pid = identity.pid
        request.labels = settings.labels.labels
        request.modules = current.images.map { image in
            var module = Module()
            module.path = image.path
            module.buildID = image.buildID?.description ?? ""
            module.loadStart = image.loadStart.rawValue
            module.loadEnd = image.loadEnd.rawValue
            return module
        }
        request.agentVersion = Sonde.version
        request.startedUnixNanos = identity.started
        request.notes = AgentNotes.notes(settings, sampler.statistics, current.images)
        return request
    }

    private func post(
        _ method: String, _ body: [UInt8], timeout: Double, _ interruptions: UInt64? = nil
    ) -> Result<HTTPClientResponse, HTTPClientError> {
        let request = HTTPClientRequest(
            method: "POST", target: Self.service + method,
            headers: [("Content-Type", "application/proto")], body: body, timeoutSeconds: timeout)
        do {
            return .success(try client.send(request, interruptions: interruptions))
        } catch {
            return .failure(error)
        }
    }

    private func refusal(
        _ method: String, _ response: HTTPClientResponse, _ found: String
    ) -> String {
        "cannot \(method) at \(settings.url): got \(found)\(PushOutcome.text(of: response)); want 200"
    }

    private func retryAfter(_ response: HTTPClientResponse) -> Double? {
        response.header("retry-after").flatMap {
            Backoff.seconds(ofRetryAfter: $0, unixNow: Double(Clock.unix) / 1e9)
        }
    }
}
