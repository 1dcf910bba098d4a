// SPDX-License-Identifier: Apache-2.0
// GET and PATCH /api/v1/agents: who is connected, and what they should do.

internal import SondeModel
internal import SondeQuery
internal import SondeStore
internal import SondeWire

/// `GET` and `PATCH /api/v1/agents`.
enum AgentEndpoints {
    static func list(_ services: Services) -> Route {
        Route("GET", "/api/v1/agents", .read) { request throws(APIError) in
            let selector = try ProfileQuery.selector(request)
            let agents = services.agents.agents().filter { selector.matches(labels(of: $0.entry)) }
            if let problem = selector.problem { throw APIError(problem) }
            var json = JSONWriter()
            json.object { json in
                json.member("agents") { json in
                    json.array(agents) { json, agent in
                        write(agent.entry, isConnected: agent.isConnected, services, to: &json)
                    }
                }
            }
            return HTTPResponse(json: json)
        }
    }

    static func patch(_ services: Services) -> Route {
        Route(
            "PATCH", "/api/v1/agents", .develop,
            body: .collected(limit: services.limits.requestBytes)
        ) { request throws(APIError) in
            let service = request.query("service")
            let instance = request.query("instance")
            guard let scope = SettingsScope(service: service, instance: instance) else {
                throw APIError(
                    .invalidArgument,
                    "cannot set what agents do: got neither service nor instance; want at least one"
                )
            }
            let settings = try readSettings(request)
            do throws(StoreError) {
                try services.control.setCPU(
                    settings, for: scope, by: request.principal.name, now: services.now())
            } catch { throw APIError(error) }
            services.log.event(
                .info, "agent settings changed",
                [
                    "by": request.principal.name, "service": service ?? "*",
                    "instance": instance ?? "*",
                    "enabled": settings.map { "\($0.enabled)" } ?? "default",
                    "hertz": settings.map { "\($0.hertz)" } ?? "default",
                ])
            let connected = services.agents.settingsChanged(service: service, instance: instance)
            var json = JSONWriter()
            json.object { json in json.member("instances") { $0.array(connected) } }
            return HTTPResponse(json: json)
        }
    }

    private static func readSettings(_ request: APIRequest) throws(APIError) -> CPUSettings? {
        var reader = JSONReader(request.body)
        var found = false
        var settings: CPUSettings?
        do throws(JSONError) {
            try reader.object { reader, name throws(JSONError) in
                guard name == "cpu" else { return try reader.skip() }
                found = true
                guard !reader.null() else { return }
                var cpu = CPUSettings(enabled: true, hertz: 100)
                try reader.object { reader, name throws(JSONError) in
                    switch name {
                    case "enabled": cpu.enabled = try reader.bool()
                    case "hertz": cpu.hertz = try reader.double()
                    default: try reader.skip()
                    }
                }
                settings = cpu
            }
            try reader.end()
        } catch { throw APIError(.invalidArgument, error.description) }
        guard found else {
            throw APIError(
                .invalidArgument,
                "cannot set what agents do: got no \"cpu\"; want {\"cpu\": {\"enabled\": true, \"hertz\": 100}} or {\"cpu\": null}"
            )
        }
        return settings
    }

    /// What a selector may ask an agent for: its labels and what names it.
    private static func labels(of entry: AgentEntry) -> LabelSet {
        let own = [
            Label(name: LabelName.service, value: entry.service),
            Label(name: "instance", value: entry.instance),
            Label(name: "host", value: entry.host), Label(name: "version", value: entry.version),
        ]
        let names = Set(own.map(\.name))
        var seen: Set<String> = []
        let others = entry.labels.filter {
            !$0.name.isEmpty && !names.contains($0.name) && seen.insert($0.name).inserted
        }
        return (try? LabelSet(own + others)) ?? LabelSet()
    }

    private static func write(
        _ entry: AgentEntry, isConnected: Bool, _ services: Services, to json: inout JSONWriter
    ) {
        let report = entry.report ?? AgentReport()
        json.object { json in
            json.member("service", entry.service)
            json.member("instance", entry.instance)
            json.member("version", entry.version)
            json.member("host", entry.host)
            json.member("pid", entry.pid)
            json.member("labels") { json in
                json.object { json in
                    for label in entry.labels { json.member(label.name, label.value) }
                }
            }
            json.member("state", isConnected ? "connected" : "away")
            json.member("startedMs", entry.started.unixMilliseconds)
            json.member("lastSeenMs", entry.lastSeen.unixMilliseconds)
            json.member("agentVersion", entry.agentVersion)
            json.member("notes") { $0.array(entry.notes) }
            json.member("problems") { $0.array(report.problems) }
            json.member("cpu") { writeCPU(entry, report, services, to: &$0) }
            json.member("ownCPUPercent", percent(report.ownCPUNanos, entry))
            json.member("processCPUPercent", percent(report.processCPUNanos, entry))
            json.member("ownMemoryBytes", report.ownMemoryBytes)
            json.member("threads", report.threads)
            json.member("profilesSent", report.profilesSent)
            json.member("losses") { json in
                json.object { json in
                    for loss in report.losses { json.member(loss.reason, loss.count) }
                }
            }
            json.member("buildIDs") { $0.array(entry.modules.map(\.buildID.description)) }
            json.member("missingDebugInfo") { $0.array(missing(entry, services)) }
        }
    }

    private static func writeCPU(
        _ entry: AgentEntry, _ report: AgentReport, _ services: Services, to json: inout JSONWriter
    ) {
        json.object { json in
            json.member("enabled", report.cpu?.enabled ?? false)
            json.member("hertz", report.cpu?.hertz ?? 0)
            json.member("desired") { json in
                let desired = services.control.cpuSettings(
                    service: entry.service, instance: entry.instance)
                guard let desired else { return json.null() }
                json.object { json in
                    json.member("enabled", desired.enabled)
                    json.member("hertz", desired.hertz)
                }
            }
            json.member("samples", report.cpu?.samples ?? 0)
        }
    }

    /// CPU time as a share of one core since the agent's start, to a thousandth of a percent.
    private static func percent(_ nanoseconds: UInt64, _ entry: AgentEntry) -> Double {
        let (elapsed, overflow) = entry.lastSeen.unixNanoseconds.subtractingReportingOverflow(
            entry.started.unixNanoseconds)
        guard !overflow, elapsed > 0 else { return 0 }
        return (Double(nanoseconds) / Double(elapsed) * 100_000).rounded() / 1000
    }

    /// The program itself when its debug info is missing, and libraries of stored profiles of which
    /// nothing is known at all.
    private static func missing(_ entry: AgentEntry, _ services: Services) -> [String] {
        entry.modules.filter { module in
            guard module.path.hasPrefix("/") else { return false }
            if module.isMain {
                return services.images.facts(module.buildID)?.hasDebugInfo != true
            }
            return services.agents.occursInProfiles(module.buildID)
                && !services.images.contains(module.buildID)
        }.map { "\($0.path) (\($0.buildID))" }
    }
}
