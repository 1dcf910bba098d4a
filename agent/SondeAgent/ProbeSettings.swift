// SPDX-License-Identifier: Apache-2.0
// The settings for probes that are in force: the program's values, the environment's, defaults.

internal import SondeProbeRuntime

/// Complete and checked settings for probes.
struct ProbeSettings: Hashable, Sendable {
    /// What probes may do.
    var policy: ProbePolicy
    /// What all probes share.
    var machine: MachineLimits
    /// The most bytes of lines that wait for delivery.
    var queueBytes: Int
    /// Where it is remembered what was being installed.
    var runtimeFolder: String

    /// Puts the settings together.
    ///
    /// - Throws: ``SondeError`` with `invalidConfiguration`, which names the value and where it
    ///   came from.
    init(
        _ probes: Sonde.Probes, _ source: SettingSource
    ) throws(SondeError) {
        policy = ProbePolicy(
            mode: try Self.mode(probes.mode, source),
            deniedFiles: source.list("SONDE_PROBE_DENY_FILES") + probes.deniedFiles,
            deniedFunctions: source.list("SONDE_PROBE_DENY_FUNCTIONS") + probes.deniedFunctions,
            names: RedactedNames(source.list("SONDE_PROBE_HIDE_NAMES") + probes.hiddenNames),
            values: RedactedValues(source.list("SONDE_PROBE_HIDE_VALUES") + probes.hiddenValues))
        let rate = try source.number(
            probes.linesPerSecond, "probes.linesPerSecond", "SONDE_PROBE_LINES_PER_SECOND",
            in: 1...1_000_000, default: 5000)
        let percent = try source.number(
            probes.cpuPercent, "probes.cpuPercent", "SONDE_PROBE_CPU_PERCENT", in: 0.01...100,
            default: 5)
        let ringBytes = try source.number(
            probes.ringBytes.map(Double.init), "probes.ringBytes", "SONDE_PROBE_RING_BYTES",
            in: 1_048_576...1_073_741_824, default: 4_194_304)
        machine = MachineLimits(
            ringBytes: UInt64(ringBytes), linesPerSecond: UInt32(rate),
            cpuMillionths: UInt32(percent * 10_000))
        queueBytes = Int(
            try source.number(
                probes.queueBytes.map(Double.init), "probes.queueBytes", "SONDE_LOG_QUEUE_BYTES",
                in: 65_536...1_073_741_824, default: 16_777_216))
        runtimeFolder =
            source["SONDE_RUNTIME_DIR"] ?? InstallMarker.defaultFolder { source[$0] }
    }

    private static func mode(
        _ given: Sonde.Probes.Mode?, _ source: SettingSource
    ) throws(SondeError) -> ProbePolicy.Mode {
        let (name, text) =
            given.map { ("probes.mode", $0.rawValue) }
            ?? ("SONDE_PROBES", source["SONDE_PROBES"] ?? "on")
        switch text.lowercased() {
        case "on", "1", "yes", "true": return .on
        case "read-only", "readonly": return .readOnly
        case "off", "0", "no", "false": return .off
        default: throw source.refusal(name, text, want: "on, read-only or off")
        }
    }
}
