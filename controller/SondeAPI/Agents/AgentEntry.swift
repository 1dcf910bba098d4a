// SPDX-License-Identifier: Apache-2.0
// What the registry keeps of one instance, bounded whatever the instance said.

package import SondeModel
package import SondeWire

/// What the registry keeps of one instance.
package struct AgentEntry: Sendable {
    /// An image that the instance has loaded.
    package struct LoadedModule: Hashable, Sendable {
        /// The path there.
        package var path: String
        /// The build id.
        package var buildID: BuildID
        /// Whether it is the program itself: the first module that was named.
        package var isMain: Bool
    }

    package var service: String
    package var instance: String
    package var version: String
    package var host: String
    package var pid: UInt64
    package var labels: [Label]
    package var modules: [LoadedModule]
    package var agentVersion: String
    package var started: Timestamp
    package var notes: [String]
    /// The last report; `nil` before the first.
    package var report: AgentReport?
    /// When it was last heard of.
    package var lastSeen: Timestamp
    /// The same by a clock that nobody sets.
    var lastSeenInstant: ContinuousClock.Instant
    /// Whether its last poll ended because it closed the connection.
    var hasLeft = false
    /// The number of its latest poll: an older one that still waits is answered.
    var pollNumber: UInt64 = 0

    /// The most bytes of a name or text that are kept.
    static let textLimit = 1024
    /// The most probes whose reports are kept.
    static let probeLimit = 10_000
    /// The most modules that are kept.
    static let moduleLimit = 4096

    /// An entry from what the instance said.
    ///
    /// - Throws: ``APIError`` when it did not name itself and its service.
    init(
        _ request: RegisterRequest, now: Timestamp, instant: ContinuousClock.Instant
    ) throws(APIError) {
        service = try Self.name(request.service, "service")
        instance = try Self.name(request.instance, "instance")
        version = Self.cut(request.version)
        host = Self.cut(request.host)
        pid = request.pid
        labels = request.labels.prefix(100).map {
            Label(name: Self.cut($0.name), value: Self.cut($0.value))
        }
        modules = []
        for (index, module) in request.modules.prefix(Self.moduleLimit).enumerated() {
            guard let buildID = BuildID(hex: module.buildID) else { continue }
            modules.append(
                LoadedModule(path: Self.cut(module.path), buildID: buildID, isMain: index == 0))
        }
        agentVersion = Self.cut(request.agentVersion)
        started = Timestamp(unixNanoseconds: Int64(clamping: request.startedUnixNanos))
        notes = request.notes.prefix(100).map(Self.cut)
        lastSeen = now
        lastSeenInstant = instant
    }

    /// Takes a report, cut to bounds.
    mutating func take(_ report: AgentReport?) {
        guard var report else { return }
        report.losses = report.losses.prefix(100).map {
            var counter = $0
            counter.reason = Self.cut(counter.reason)
            return counter
        }
        report.problems = report.problems.prefix(100).map(Self.cut)
        report.probes = report.probes.prefix(Self.probeLimit).map {
            var probe = $0
            probe.id = Self.cut(probe.id)
            probe.state = Self.cut(probe.state)
            probe.reason = Self.cut(probe.reason)
            probe.dropped = probe.dropped.prefix(100).map {
                var counter = $0
                counter.reason = Self.cut(counter.reason)
                return counter
            }
            return probe
        }
        self.report = report
    }

    private static func name(_ text: String, _ what: String) throws(APIError) -> String {
        guard !text.isEmpty, text.utf8.count <= textLimit else {
            throw APIError(
                .invalidArgument,
                "cannot register: got \(text.utf8.count) bytes as the \(what)'s name; want 1...\(textLimit)"
            )
        }
        return text
    }

    private static func cut(_ text: String) -> String {
        text.utf8.count <= textLimit
            ? text : String(decoding: text.utf8.prefix(textLimit), as: UTF8.self)
    }
}
