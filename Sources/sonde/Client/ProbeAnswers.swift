// SPDX-License-Identifier: Apache-2.0
// What the controller says of probes, as docs/http-api.md describes it.

/// A probe, as `/api/v1/probes` shows it.
package struct ProbeAnswer: Decodable, Sendable {
    package var id: String
    package var kind: String
    package var location: String
    package var template: String
    package var condition: String
    package var service: String
    package var instance: String
    package var labels: [String: String]
    package var level: String
    package var tag: String
    package var reason: String
    package var createdBy: String
    package var createdMs: Int64
    package var expiresMs: Int64
    package var hitLimit: UInt64
    package var rateLimit: UInt64
    package var enabled: Bool
    package var state: String
    package var hits: UInt64
    package var lines: UInt64
    package var conditionFalse: UInt64
    package var conditionErrors: UInt64
    package var dropped: UInt64
    package var ownCPUNanos: UInt64
    package var instances: [Instance]

    package struct Instance: Decodable, Sendable {
        package var instance: String
        package var host: String
        package var pid: UInt64
        package var connected: Bool
        package var state: String
        package var reason: String
        package var jumpSites: UInt64
        package var trapSites: UInt64
        package var hits: UInt64
        package var lines: UInt64
        package var conditionFalse: UInt64
        package var conditionErrors: UInt64
        package var dropped: [String: UInt64]
        package var ownCPUNanos: UInt64
        package var lastSequence: UInt64
    }

    /// Whether no instance is still to say how the probe is there.
    package var isSettled: Bool {
        !instances.contains { $0.connected && $0.state == "waiting" }
    }
}

/// `GET /api/v1/probes`, and what changes several.
package struct ProbesAnswer: Decodable, Sendable {
    package var probes: [ProbeAnswer]
}

/// `DELETE /api/v1/probes`.
package struct RemovedProbesAnswer: Decodable, Sendable {
    package var ids: [String]
}

/// What an error says beside its message, when it is about a place in a probe's text.
struct ProbeRefusalAnswer: Decodable {
    var caret: String?
    var suggestions: [String]?
    var nearestLines: [UInt32]?
    var names: [Name]?

    struct Name: Decodable {
        var name: String
        var type: String
    }

    /// The lines that a terminal shows below the message.
    var advice: [String] {
        var lines: [String] = []
        if let caret {
            lines += caret.split(separator: "\n", omittingEmptySubsequences: false).map {
                String($0).forTerminal
            }
        }
        if let suggestions, !suggestions.isEmpty {
            lines.append("did you mean: " + suggestions.joined(separator: ", ").forTerminal)
        }
        if let nearestLines, !nearestLines.isEmpty {
            lines.append("nearest lines: " + nearestLines.map { "\($0)" }.joined(separator: ", "))
        }
        if let names, !names.isEmpty {
            lines.append("can be read here:")
            lines += names.map { "  \($0.name): \($0.type)".forTerminal }
        }
        return lines
    }
}
