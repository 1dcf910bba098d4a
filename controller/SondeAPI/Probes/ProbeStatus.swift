// SPDX-License-Identifier: Apache-2.0
// How a probe is, over all instances that it is for: what the agents said, and what is still to come.

internal import SondeModel
internal import SondeWire

/// How a probe is, over all instances that it is for.
struct ProbeStatus {
    /// How it is in one instance.
    struct Instance {
        var instance: String
        var host: String
        var pid: UInt64
        var isConnected: Bool
        /// One of ``ProbePhase``'s names, or `waiting` until the agent said something, or `refused`.
        var state: String
        var reason: String
        /// What the agent last said of it.
        var report: ProbeReport?
        /// Why it is refused.
        var refusal: ProbeRefusal?
    }

    let probe: ProbeDefinition
    let instances: [Instance]
    let now: Timestamp

    /// How a probe is.
    ///
    /// - Parameters:
    ///   - probe: The probe.
    ///   - services: Where programs and clock are.
    ///   - agents: Those that are known; given where many probes are asked for at once.
    init(
        _ probe: ProbeDefinition, _ services: Services,
        agents: [(entry: AgentEntry, isConnected: Bool)]? = nil
    ) {
        self.probe = probe
        now = services.now()
        let isOver = probe.bounds.expires <= now
        instances = (agents ?? services.agents.agents()).filter {
            ProbeRegistry.isFor(probe, $0.entry)
        }
        .map { agent in
            let entry = agent.entry
            let report = entry.report?.probes.first { $0.id == probe.id }
            var status = Instance(
                instance: entry.instance, host: entry.host, pid: entry.pid,
                isConnected: agent.isConnected, state: Self.waiting, reason: "",
                report: report)
            if let report, report.revision == probe.revision || isOver {
                status.state = report.state
                status.reason = report.reason
            } else if !isOver, let refusal = services.probes.refusal(of: probe, for: entry) {
                status.state = Self.refused
                status.reason = refusal.message
                status.refusal = refusal
            } else if !agent.isConnected {
                status.reason = "its agent is away"
            }
            return status
        }
    }

    static let waiting = "waiting"
    static let refused = "refused"

    /// The probe's state in one word: what a person should know first.
    var state: String {
        if !probe.isEnabled { return ProbePhase.disabled.rawValue }
        if probe.bounds.expires <= now { return ProbePhase.expired.rawValue }
        // What one said that is gone tells nothing of those that run.
        let connected = instances.filter(\.isConnected)
        let states = Set((connected.isEmpty ? instances : connected).map(\.state))
        let order = [
            ProbePhase.installed.rawValue, Self.waiting, ProbePhase.held.rawValue,
            ProbePhase.tripped.rawValue, ProbePhase.failed.rawValue, Self.refused,
            ProbePhase.pending.rawValue,
            ProbePhase.expired.rawValue, ProbePhase.disabled.rawValue,
        ]
        let first = order.first(where: states.contains) ?? Self.waiting
        return first == ProbePhase.installed.rawValue ? "active" : first
    }

    /// Whether an instance has given the probe up, and would try it again if it were new.
    var canBeTriedAgain: Bool {
        let given = [ProbePhase.held, .failed, .tripped].map(\.rawValue)
        return instances.contains { given.contains($0.state) }
    }

    /// A sum over all instances; saturates.
    func sum(_ count: (ProbeReport) -> UInt64) -> UInt64 {
        instances.reduce(0) { sum, instance in
            let (total, overflow) = sum.addingReportingOverflow(instance.report.map(count) ?? 0)
            return overflow ? .max : total
        }
    }

    /// Writes it as docs/http-api.md says.
    func write(to json: inout JSONWriter) {
        json.object { json in
            json.member("id", probe.id)
            json.member("revision", probe.revision)
            json.member("kind", probe.kind.rawValue)
            json.member("location", probe.location)
            json.member("template", probe.template)
            json.member("condition", probe.condition)
            json.member("service", probe.target.service)
            json.member("instance", probe.target.instance)
            json.member("labels") { json in
                json.object { json in
                    for label in probe.target.labels { json.member(label.name, label.value) }
                }
            }
            json.member("level", probe.level)
            json.member("tag", probe.tag)
            json.member("reason", probe.reason)
            json.member("createdBy", probe.createdBy)
            json.member("createdMs", probe.created.unixMilliseconds)
            json.member("expiresMs", probe.bounds.expires.unixMilliseconds)
            json.member("hitLimit", probe.bounds.hits)
            json.member("rateLimit", probe.bounds.linesPerSecond)
            json.member("enabled", probe.isEnabled)
            json.member("state", state)
            json.member("hits", sum(\.hits))
            json.member("lines", sum(\.lines))
            json.member("conditionFalse", sum(\.conditionFalse))
            json.member("conditionErrors", sum(\.conditionErrors))
            json.member("dropped", sum(\.droppedInAll))
            json.member("ownCPUNanos", sum(\.ownCPUNanos))
            json.member("instances") { json in
                json.array(instances) { json, instance in Self.write(instance, to: &json) }
            }
        }
    }

    private static func write(_ instance: Instance, to json: inout JSONWriter) {
        let report = instance.report ?? ProbeReport()
        json.object { json in
            json.member("instance", instance.instance)
            json.member("host", instance.host)
            json.member("pid", instance.pid)
            json.member("connected", instance.isConnected)
            json.member("state", instance.state)
            json.member("reason", instance.reason)
            json.member("jumpSites", report.jumpSites)
            json.member("trapSites", report.trapSites)
            json.member("hits", report.hits)
            json.member("lines", report.lines)
            json.member("conditionFalse", report.conditionFalse)
            json.member("conditionErrors", report.conditionErrors)
            json.member("dropped") { json in
                json.object { json in
                    for counter in report.dropped { json.member(counter.reason, counter.count) }
                }
            }
            json.member("ownCPUNanos", report.ownCPUNanos)
            json.member("lastSequence", report.lastSequence)
        }
    }
}

extension ProbeReport {
    /// All lost lines; saturates.
    var droppedInAll: UInt64 {
        dropped.reduce(0) { sum, counter in
            let (total, overflow) = sum.addingReportingOverflow(counter.count)
            return overflow ? .max : total
        }
    }
}
