// SPDX-License-Identifier: Apache-2.0
// What the endpoints stand on: the stores, the agents, the symbols, the clock.

package import SondeModel
package import SondeStore
package import SondeWire

/// What the endpoints stand on.
package struct Services: Sendable {
    /// The profiles.
    package var profiles: any ProfileStore
    /// What can be done to the profiles' store beside writing and reading.
    package var storeCare = StoreCare()
    /// The log lines.
    package var logs: any LogStore
    /// How many bytes of log lines may come in.
    package var logRate: ByteRate
    /// Tokens, settings and the audit log.
    package var control: ControlStore
    /// The uploaded images.
    package var images: ImageCatalog
    /// Names for addresses.
    package var symbols: any SymbolResolver
    /// What the reader of these stacks should know about missing names.
    package var symbolNotes: @Sendable (LocationTree) -> [String]
    /// Figures of the symbol cache, for the metrics.
    package var symbolFigures: @Sendable () -> [(name: String, value: Double)]
    /// The agents.
    package var agents: AgentRegistry
    /// The probes, compiled for the agents' builds.
    package var probes: ProbeRegistry
    /// What the controller counts about itself.
    package var metrics: ControllerMetrics
    /// The controller's own log.
    package var log: Log
    /// Where source text is.
    package var sources = SourceSettings()
    /// The uploaded source files; `nil` when none are kept.
    package var bundles: SourceStore?
    /// What is accepted.
    package var limits: APILimits
    /// Whether `X-Scope-OrgID` keeps the profiles of tenants apart.
    package var hasTenants = false
    /// The tenants' limits and what they sent.
    package var tenants: TenantRegistry
    /// The present.
    package var now: @Sendable () -> Timestamp
    /// When the controller started.
    package var started: Timestamp
    /// Why the controller is not ready; `nil` when it is.
    package var notReady: @Sendable () -> String?
    /// Figures that the listener knows, for the metrics.
    package var listenerFigures: @Sendable () -> [(name: String, help: String, value: Double)]
    /// Queues lines that were stored for other servers, on disk when it returns.
    package var forward: @Sendable ([LogStream]) throws(StoreError) -> Void = { _ in }
    /// Queues profiles that were stored for another server, with their tenant's name.
    ///
    /// They are on disk when it returns; `nil` when nothing is forwarded.
    package var forwardProfiles:
        (@Sendable ([RawProfileSeries], String?) throws(StoreError) -> Void)?
    /// Figures of what is forwarded, for the metrics: counters, unless they are what waits.
    package var forwardFigures: @Sendable () -> [ForwardFigure] = { [] }

    /// Services over stores, with nothing to say about symbols and listener.
    ///
    /// - Parameters:
    ///   - profiles: The profiles.
    ///   - logs: The log lines.
    ///   - control: Tokens, settings and the audit log.
    ///   - images: The uploaded images.
    ///   - symbols: Names for addresses.
    ///   - log: The controller's own log.
    package init(
        profiles: any ProfileStore, logs: any LogStore, control: ControlStore, images: ImageCatalog,
        symbols: any SymbolResolver, log: Log
    ) {
        self.profiles = profiles
        self.logs = logs
        self.control = control
        self.images = images
        self.symbols = symbols
        self.log = log
        symbolNotes = { _ in [] }
        symbolFigures = { [] }
        let probes = ProbeRegistry(
            control: control, debug: DebugImages { images.store.files($0).map(\.path) },
            hasDebugInfo: { images.facts($0)?.hasDebugInfo == true })
        self.probes = probes
        agents = AgentRegistry(
            settings: { control.cpuSettings(service: $0, instance: $1) },
            probes: { probes.wanted(for: $0, now: .now) }, hasImage: { images.hasImage($0) })
        metrics = ControllerMetrics()
        limits = APILimits()
        tenants = TenantRegistry(defaults: limits.tenant)
        logRate = limits.logRate
        now = { Timestamp.now }
        started = .now
        notReady = { nil }
        listenerFigures = { [] }
    }

    /// All endpoints.
    package var routes: [Route] {
        [
            StatusEndpoints.ready(self), StatusEndpoints.metrics(self),
            StatusEndpoints.status(self), StatusEndpoints.buildInfo(self),
            PushEndpoint.route(self),
            ControlEndpoints.register(self), ControlEndpoints.poll(self),
            UploadEndpoints.uploadImage(self), UploadEndpoints.putDebugInfo(self),
            UploadEndpoints.listDebugInfo(self),
            SeriesEndpoints.services(self), SeriesEndpoints.series(self),
            FlameEndpoint.route(self), TopEndpoint.route(self), TimelineEndpoint.route(self),
            AgentEndpoints.list(self), AgentEndpoints.patch(self),
            TokenEndpoints.list(self), TokenEndpoints.create(self), TokenEndpoints.revoke(self),
            LokiPushEndpoint.route(self), LogsEndpoint.route(self),
        ] + LokiQueryEndpoints.routes(self) + LokiMetadataEndpoints.routes(self)
            + TailEndpoints.routes(self) + IngestEndpoint.routes(self) + OTLPEndpoint.routes(self)
            + LimitsEndpoints.routes(self) + StoreEndpoints.routes(self)
            + ProbeEndpoints.routes(self) + [WhereEndpoint.route(self)]
            + [SourceEndpoint.route(self), HistoryEndpoint.route(self)]
            + SourceBundleEndpoints.routes(self)
            + MetadataProcedures.routes(self) + StacktraceProcedures.routes(self)
            + SeriesProcedures.routes(self) + HeatmapProcedure.routes(self)
            + AnalyzeProcedure.routes(self)
            + SettingsProcedures.routes(self) + RenderEndpoints.routes(self)
            + AdHocProcedures.routes(self) + [DiffEndpoint.route(self)]
    }

    /// The lookup that an ``AccessControl`` needs.
    package static func tokenLookup(
        _ control: ControlStore, now: @escaping @Sendable () -> Timestamp = { .now }
    ) -> AccessControl.TokenLookup {
        { text throws(APIError) in
            control.authenticate(text, now: now()).map { token in
                Principal(
                    name: "\(token.name) (\(token.id))", role: token.role.rawValue,
                    permissions: token.role.permissions)
            }
        }
    }
}

/// One figure of what is forwarded to other servers.
package struct ForwardFigure: Sendable {
    /// The metric's name; `_total` at its end makes it a counter.
    package var name: String
    /// What it counts.
    package var help: String
    /// Labels of the samples, and their values.
    package var samples: [(labels: [(String, String)], value: Double)]

    /// A figure from its parts.
    package init(
        _ name: String, _ help: String, _ samples: [(labels: [(String, String)], value: Double)]
    ) {
        self.name = name
        self.help = help
        self.samples = samples
    }
}

/// What is accepted from outside; each limit is generous, and a breach is told in words.
package struct APILimits: Sendable {
    /// What a tenant may send, where nothing else is said of it.
    package var tenant = TenantLimits()
    /// The most bytes of any push, as sent and expanded: what no tenant's limit can exceed.
    package var pushBytes: Int {
        get { tenant.pushBytes }
        set { tenant.pushBytes = newValue }
    }
    /// Bytes of a message of the control protocol.
    package var controlBytes = 4 << 20
    /// Bytes of a JSON request.
    package var requestBytes = 1 << 20
    /// Bytes of an uploaded image.
    package var imageBytes: Int64 = 2 << 30
    /// Bytes of an uploaded bundle of source files, expanded.
    package var sourceBytes = 64 << 20
    /// Bytes of log lines and their metadata that may come in each second.
    package var logBytesPerSecond = 16 << 20
    /// Labels of a stream of log lines; all else belongs into structured metadata.
    package var logLabels = 15
    /// Streams of log lines of one day.
    package var logStreams = 5000
    /// Bytes of a log line.
    package var logLineBytes = 256 << 10
    /// Names of a log line's structured metadata.
    package var logMetadata = 128
    /// Bytes of a log line's structured metadata.
    package var logMetadataBytes = 64 << 10
    /// Lines of one answer.
    package var logAnswerLines = 5000
    /// Bytes of lines and metadata of one answer.
    package var logAnswerBytes = 64 << 20
    /// Seconds that reading log lines for one answer may take.
    package var logQuerySeconds = 30
    /// Clients that may follow new lines at one time.
    package var logTails = 100

    /// A bucket for log lines; one push always fits into a full one.
    package var logRate: ByteRate {
        ByteRate(bytesPerSecond: logBytesPerSecond, burst: max(pushBytes, logBytesPerSecond * 4))
    }

    /// The defaults.
    package init() {}
}

extension Role {
    /// What the bearers of such a token may do.
    package var permissions: Set<Permission> {
        switch self {
        case .agent: [.ingest]
        case .viewer: [.read]
        case .developer: [.read, .develop, .ingest]
        case .admin: Set(Permission.allCases)
        }
    }
}
