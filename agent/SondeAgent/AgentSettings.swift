// SPDX-License-Identifier: Apache-2.0
// The settings that are in force: the program's values, then the environment's, then defaults.

internal import SondeModel

/// Complete and checked settings.
struct AgentSettings: Hashable, Sendable {
    var service: String
    var version: String
    var url: String
    var token: String?
    var tenant: String?
    var certificateFile: String?
    var labels: LabelSet
    var samplesCPU: Bool
    var hertz: Double
    var uploadsImages: Bool
    var queueBytes: Int
    var queueSeconds: Double
    var log: String?
    var probes: ProbeSettings
    /// `SONDE_OFF`: the agent does nothing at all.
    var isOff: Bool
    /// Seconds between two profiles.
    var interval = 10.0
    /// How long waits after failures and for the controller are.
    var pace = Pace()

    /// Names that the agent gives itself.
    private static let reservedLabels: Set = [
        LabelName.service, LabelName.metric, LabelName.profileType, "instance", "host", "version",
    ]

    /// Puts the settings together.
    ///
    /// - Parameters:
    ///   - configuration: What the program said.
    ///   - environment: The value of an environment variable, or `nil`.
    /// - Throws: ``SondeError`` with `invalidConfiguration`, which names the value and where it
    ///   came from.
    init(
        _ configuration: Sonde.Configuration, environment: @escaping (String) -> String?
    ) throws(SondeError) {
        let source = SettingSource(environment)
        isOff = try source.isOn("SONDE_OFF") ?? false
        service = configuration.service ?? source["SONDE_SERVICE"] ?? ""
        guard !service.isEmpty || isOff else {
            throw SondeError(
                .invalidConfiguration,
                "cannot start Sonde: got no service name; want one in the configuration or in "
                    + "SONDE_SERVICE")
        }
        version = configuration.version ?? source["SONDE_VERSION"] ?? ""
        url = configuration.url ?? source["SONDE_URL"] ?? "http://127.0.0.1:4040"
        token = configuration.token ?? source["SONDE_TOKEN"]
        tenant = try source.tenant(configuration.tenant)
        certificateFile = configuration.certificateFile ?? source["SONDE_CA_FILE"]
        labels = try Self.labels(configuration.labels, source["SONDE_LABELS"] ?? "")
        if let samplesCPU = configuration.samplesCPU {
            self.samplesCPU = samplesCPU
        } else {
            samplesCPU = try source.profile() ?? true
        }
        hertz = try source.number(
            configuration.hertz, "hertz", "SONDE_HERTZ", in: 1...1000, default: 100)
        if let uploadsImages = configuration.uploadsImages {
            self.uploadsImages = uploadsImages
        } else {
            uploadsImages = try source.isOn("SONDE_UPLOAD") ?? true
        }
        queueBytes = Int(
            try source.number(
                configuration.queueBytes.map(Double.init), "queueBytes", "SONDE_QUEUE_BYTES",
                in: 65_536...1_073_741_824, default: 16_777_216))
        queueSeconds = try source.number(
            configuration.queueSeconds, "queueSeconds", "SONDE_QUEUE_SECONDS", in: 1...86_400,
            default: 3600)
        log = configuration.log ?? source["SONDE_LOG"]
        probes = try ProbeSettings(configuration.probes, source)
    }

    private static func labels(
        _ given: [String: String], _ listed: String
    ) throws(SondeError) -> LabelSet {
        var all: [String: String] = [:]
        for pair in listed.split(separator: ",") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else {
                throw SondeError(
                    .invalidConfiguration,
                    "cannot read SONDE_LABELS: got \"\(pair)\"; want name=value, name=value")
            }
            all[Self.trimmed(parts[0])] = Self.trimmed(parts[1])
        }
        all.merge(given) { _, given in given }
        for (name, value) in all {
            guard isLabelName(name), !reservedLabels.contains(name), value.utf8.count <= 2048 else {
                throw SondeError(
                    .invalidConfiguration,
                    "cannot use the label \(name)=\(value): got a name or a value that is not "
                        + "allowed; want letters, digits and _ in the name, none of "
                        + "\(reservedLabels.sorted().joined(separator: ", ")), at most 2048 bytes")
            }
        }
        do {
            return try LabelSet(all.map { Label(name: $0.key, value: $0.value) })
        } catch {
            throw SondeError(.invalidConfiguration, error.description)
        }
    }

    private static func trimmed(_ text: Substring) -> String {
        var rest = text.drop { $0 == " " }
        while rest.last == " " { rest.removeLast() }
        return String(rest)
    }

    private static func isLabelName(_ name: String) -> Bool {
        guard let first = name.utf8.first, name.utf8.count <= 128 else { return false }
        let isDigit: (UInt8) -> Bool = { (0x30...0x39).contains($0) }
        return !isDigit(first) && !name.hasPrefix("__")
            && name.utf8.allSatisfy {
                isDigit($0) || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0)
                    || $0 == 0x5F
            }
    }
}

/// How long the agent waits, in seconds.
struct Pace: Hashable, Sendable {
    /// The first wait after a failure; each further failure doubles it.
    var firstRetry = 1.0
    /// The longest wait after failures.
    var longestRetry = 60.0
    /// Until a server without our control protocol is asked again.
    var noControl = 300.0
    /// How long a push may take.
    var pushTimeout = 15.0
    /// What a poll may take beyond the wait that it asks for.
    var pollGrace = 10.0
    /// The least time between two polls that brought nothing new.
    var quietPoll = 1.0
    /// The least time between two batches of lines.
    var logBatch = 0.2
    /// How often the rings of probes are emptied, while there are probes.
    var probeDrain = 0.025
    /// The least time between two reports of new hits; while hits go on, half as many are made.
    var hitReport = 1.0
}
