// SPDX-License-Identifier: Apache-2.0
// What the agent says once at its start: what is on, what is off, and why.

internal import SondeProbeRuntime
internal import SondeSampling

/// Sentences about what the agent does in this process.
enum AgentNotes {
    /// The notes of a registration.
    static func notes(
        _ settings: AgentSettings, _ statistics: SamplerStatistics, _ images: [LoadedImage]
    ) -> [String] {
        var notes: [String] = []
        if settings.samplesCPU {
            notes.append("CPU time: on at \(settings.hertz) Hz, by \(statistics.signalName)")
        } else {
            notes.append(
                "CPU time: off, as this agent was configured; the controller may turn it on")
        }
        notes.append(
            settings.uploadsImages
                ? "upload of images: on" : "upload of images: off, as this agent was configured")
        notes.append(probes(settings.probes.policy))
        let anonymous = images.filter { $0.buildID == nil }
        if !anonymous.isEmpty {
            let names = anonymous.prefix(5).map(\.path).joined(separator: ", ")
            let more = anonymous.count > 5 ? " and \(anonymous.count - 5) more" : ""
            notes.append("images without a build id, whose names stay unknown: \(names)\(more)")
        }
        return notes
    }

    private static func probes(_ policy: ProbePolicy) -> String {
        switch policy.mode {
        case .off: return "probes: off, as this agent was configured"
        case .readOnly:
            return "probes: read-only, as this agent was configured: checked and not installed"
        case .on:
            let rules = policy.deniedFiles.count + policy.deniedFunctions.count
            return rules == 0
                ? "probes: on"
                : "probes: on, but for \(rules) rules of denied files and functions"
        }
    }
}
