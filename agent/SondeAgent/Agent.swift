// SPDX-License-Identifier: Apache-2.0
// Puts the agent's parts together, starts its threads and ends them.

internal import SondeHTTPClient
internal import SondeLock
internal import SondeModel
internal import SondeProbeRuntime
internal import SondeSampling
internal import SondeWire
internal import Synchronization

/// A running agent: a sampler, three threads, and two more once there is a probe.
final class Agent: Sendable {
    let settings: AgentSettings
    let identity: Identity

    private let sampler: any StackSampler
    private let ledger: Ledger
    private let log: AgentLog
    private let delivery: Delivery
    private let control: Control
    private let uploads: ImageUploads
    private let probes: ProbeKeeper
    /// Control and uploads end at once when the agent stops; delivery gets some more time.
    private let clients: Clients
    private let threads: [AgentThread]
    private let processCPUAtStart: UInt64
    private let isStopped = Atomic<Bool>(false)

    /// Starts an agent that samples this process.
    convenience init(_ settings: AgentSettings) throws(SondeError) {
        // Before the sampler: a wrong address must leave the process untouched.
        let clients = try Clients(settings)
        var configuration = CPUSampler.Configuration()
        configuration.hertz = settings.hertz
        configuration.enabled = settings.samplesCPU
        // Pyroscope refuses a profile of more than 16 000 samples.
        configuration.maxDistinctStacks = 15_000
        let sampler: CPUSampler
        do {
            sampler = try CPUSampler(configuration)
        } catch {
            throw SondeError(.noSampler, error.message)
        }
        try self.init(
            settings, sampler: sampler, images: ImageCatalog(), clients: clients,
            patcher: {
                TextPatcher(settings.probes.machine) { GuardedMemory.isReadable }
            })
    }

    /// Starts an agent with a given sampler, which it stops when it cannot start.
    init(
        _ settings: AgentSettings, sampler: any StackSampler, images: ImageCatalog,
        clients: Clients, patcher: @escaping @Sendable () -> any ProbePatcher
    ) throws(SondeError) {
        self.settings = settings
        self.sampler = sampler
        let identity = Identity()
        self.identity = identity
        processCPUAtStart = Clock.processCPU
        log = AgentLog(path: settings.log)
        let ledger = Ledger(log: log)
        self.ledger = ledger
        self.clients = clients
        let delivery = Delivery(
            settings, identity, sampler: sampler, images: images, client: clients.delivery,
            ledger: ledger)
        self.delivery = delivery
        let uploads = ImageUploads(
            settings, images: images, client: clients.uploads, ledger: ledger)
        self.uploads = uploads
        // The agent's own cost belongs into the profile as well.
        let sampled: @Sendable (@escaping @Sendable () -> Void) -> @Sendable () -> Void = { run in
            {
                sampler.admitCallingThread()
                TextPatcher.muteCallingThread()
                run()
            }
        }
        let controlClient = clients.control
        let probes = ProbeKeeper(
            settings,
            ProbeKeeper.Parts(
                identity: identity, images: images, client: clients.logs, ledger: ledger,
                patcher: patcher, thread: { try? AgentThread($0, sampled($1)) },
                onChange: { controlClient.interrupt() }))
        self.probes = probes
        let reporter = Reporter(
            sampler: sampler, delivery: delivery, probes: probes, ledger: ledger,
            processCPUAtStart: processCPUAtStart)
        let control = Control(
            settings,
            Control.Parts(
                identity: identity, sampler: sampler, images: images, uploads: uploads,
                probes: probes, client: clients.control, ledger: ledger,
                report: {
                    probes.beginReport()
                    return reporter.report()
                }))
        self.control = control
        self.reporter = reporter
        do {
            threads = try Self.start([
                ("sonde-deliver", sampled { delivery.run() }),
                ("sonde-control", sampled { control.run() }),
                ("sonde-upload", sampled { uploads.run() }),
            ])
        } catch {
            delivery.stop(by: 1)
            control.stop()
            uploads.stop()
            clients.cancel()
            sampler.stop()
            throw error
        }
        reporter.threads.withLock { $0 = threads }
        log.write("started for the service \(settings.service), instance \(identity.instance)")
    }

    private let reporter: Reporter

    /// How the agent is.
    var report: AgentReport { reporter.report() }

    /// How the controller was when it was last asked.
    var contact: Control.Contact { control.contact }

    /// Whether ``stop(within:)`` was called.
    var hasStopped: Bool { isStopped.load(ordering: .acquiring) }

    /// Lines that were accepted, and lines that wait for delivery.
    var lines: (sent: UInt64, waiting: Int) { (ledger.linesSent, probes.waiting.lines) }

    /// Bytes of lines that wait for delivery.
    var probesWaitingBytes: Int { probes.waiting.bytes }

    /// The threads that look after probes: none before the first probe came.
    var probeThreads: Int { probes.threads.count }

    /// Profiles that wait for delivery.
    var waitingProfiles: Int { delivery.waiting.profiles }

    /// Ends sampling, delivers what was sampled, and ends the threads.
    ///
    /// - Parameter seconds: How long to wait for the controller at most. When it was away at the
    ///   last attempt it is not waited for.
    func stop(within seconds: Double) {
        guard !isStopped.exchange(true, ordering: .acquiringAndReleasing) else { return }
        let deadline = Clock.monotonic(after: seconds)
        control.stop()
        uploads.stop()
        clients.control.cancel()
        clients.uploads.cancel()
        probes.stop(by: deadline)
        delivery.stop(by: deadline)
        let all = threads + probes.threads
        let late = all.filter { !$0.join(until: deadline) }
        if !late.isEmpty {
            clients.cancel()
            // What was cancelled ends at once; only a processor that is taken away delays it.
            let end = Clock.monotonic(after: 0.2 * Double(late.count))
            for thread in late { _ = thread.join(until: end) }
        }
        log.write("stopped; \(ledger.profilesSent) profiles and \(ledger.linesSent) lines sent")
    }

    private static func start(
        _ bodies: [(name: String, run: @Sendable () -> Void)]
    ) throws(SondeError) -> [AgentThread] {
        var threads: [AgentThread] = []
        for body in bodies { threads.append(try AgentThread(body.name, body.run)) }
        return threads
    }
}

/// The agent's connections to the server.
struct Clients: Sendable {
    /// For control, whose exchanges can be interrupted.
    var control: HTTPClient
    /// For images.
    var uploads: HTTPClient
    /// For profiles.
    var delivery: HTTPClient
    /// For lines.
    var logs: HTTPClient

    /// Clients for the server that the settings name.
    init(_ settings: AgentSettings) throws(SondeError) {
        do {
            control = try HTTPClient(Self.configuration(settings))
            uploads = try HTTPClient(Self.configuration(settings))
            delivery = try HTTPClient(Self.configuration(settings))
            logs = try HTTPClient(Self.configuration(settings))
        } catch {
            throw SondeError(.invalidConfiguration, error.message)
        }
    }

    /// Ends every exchange.
    func cancel() {
        for client in [control, uploads, delivery, logs] { client.cancel() }
    }

    private static func configuration(_ settings: AgentSettings) -> HTTPClientConfiguration {
        var configuration = HTTPClientConfiguration(
            baseURL: settings.url, token: settings.token,
            certificateAuthorityFile: settings.certificateFile,
            // Hundreds of probes' programs are a few megabytes; a hostile answer costs no more.
            maxResponseBytes: 16 << 20, userAgent: "sonde-agent/\(Sonde.version)")
        configuration.tenant = settings.tenant
        return configuration
    }
}
