// SPDX-License-Identifier: Apache-2.0
// /api/v1/probes: adding log points, asking how they are, enabling, disabling, removing them.

internal import SondeModel
internal import SondeProbeCompiler
internal import SondeProbeLanguage
internal import SondeStore

/// `/api/v1/probes`.
enum ProbeEndpoints {
    static func routes(_ services: Services) -> [Route] {
        [
            list(services), show(services), create(services), remove(services),
            removeSeveral(services), change(services, "enable", to: true),
            change(services, "disable", to: false), changeSeveral(services, "enable", to: true),
            changeSeveral(services, "disable", to: false),
        ]
    }

    private static func list(_ services: Services) -> Route {
        Route("GET", "/api/v1/probes", .read) { request throws(APIError) in
            let probes = services.control.probes().filter {
                (request.query("service") ?? $0.target.service) == $0.target.service
                    && (request.query("tag") ?? $0.tag) == $0.tag
            }
            return answer(probes, services)
        }
    }

    private static func show(_ services: Services) -> Route {
        Route("GET", "/api/v1/probes/{id}", .read) { request throws(APIError) in
            var json = JSONWriter()
            ProbeStatus(try probe(request, services), services).write(to: &json)
            return HTTPResponse(json: json)
        }
    }

    private static func create(_ services: Services) -> Route {
        Route(
            "POST", "/api/v1/probes", .develop,
            body: .collected(limit: services.limits.requestBytes)
        ) { request throws(APIError) in
            let wish = try ProbeWish(request.body)
            if request.query("dryRun") == "true" { return try tryOut(wish, request, services) }
            let id: String
            do throws(StoreError) { id = try services.control.newProbeID() } catch {
                throw APIError(error)
            }
            let probe = wish.definition(id: id, by: request.principal.name, now: services.now())
            try check(probe, services)
            do throws(StoreError) { try services.control.addProbe(probe) } catch {
                throw APIError(error)
            }
            note("probe added", probe, by: request, services)
            wake([probe], services)
            var json = JSONWriter()
            ProbeStatus(probe, services).write(to: &json)
            return HTTPResponse(status: 201, json: json)
        }
    }

    /// Tells what would become of a probe, and keeps nothing.
    private static func tryOut(
        _ wish: ProbeWish, _ request: APIRequest, _ services: Services
    ) throws(APIError) -> HTTPResponse {
        let probe = wish.definition(id: "", by: request.principal.name, now: services.now())
        let trial = ProbeTrial(probe, in: try matching(probe, services), services.probes)
        if let refusal = trial.refusal { throw APIError(refusal) }
        var json = JSONWriter()
        trial.write(to: &json)
        return HTTPResponse(json: json)
    }

    /// The connected instances that a probe is for, at least one.
    private static func matching(
        _ probe: ProbeDefinition, _ services: Services
    ) throws(APIError) -> [AgentEntry] {
        let agents = services.agents.agents().filter(\.isConnected)
        let matching = agents.filter { ProbeRegistry.isFor(probe, $0.entry) }
        guard !matching.isEmpty else {
            let known = Set(agents.map(\.entry.service)).sorted().joined(separator: ", ")
            let isKnown = agents.contains { $0.entry.service == probe.target.service }
            let what =
                isKnown
                ? "no instance of \(probe.target.service.quotedForMessage) that has this id and these labels"
                : "no connected instance of \(probe.target.service.quotedForMessage)"
            throw APIError(
                .notFound,
                "cannot add a probe: got \(what); want \(known.isEmpty ? "an agent that is connected" : "one of: " + known)"
            )
        }
        return matching.map(\.entry)
    }

    /// Refuses a probe that could be in no instance, with the reason.
    private static func check(_ probe: ProbeDefinition, _ services: Services) throws(APIError) {
        var first: ProbeRefusal?
        for entry in try matching(probe, services) {
            guard let refusal = services.probes.refusal(of: probe, for: entry) else { return }
            first = first ?? refusal
        }
        if let first {
            services.probes.removed(probe.id)
            throw APIError(first)
        }
    }

    private static func remove(_ services: Services) -> Route {
        Route("DELETE", "/api/v1/probes/{id}", .develop) { request throws(APIError) in
            try remove([probe(request, services)], request, services)
        }
    }

    private static func removeSeveral(_ services: Services) -> Route {
        Route("DELETE", "/api/v1/probes", .develop) { request throws(APIError) in
            try remove(chosen(request, services), request, services)
        }
    }

    private static func change(_ services: Services, _ verb: String, to enabled: Bool) -> Route {
        Route("POST", "/api/v1/probes/{id}/\(verb)", .develop, body: .collected(limit: 1024)) {
            request throws(APIError) in
            try set([probe(request, services)], enabled, request, services)
        }
    }

    private static func changeSeveral(
        _ services: Services, _ verb: String, to enabled: Bool
    ) -> Route {
        Route("POST", "/api/v1/probes/\(verb)", .develop, body: .collected(limit: 1024)) {
            request throws(APIError) in
            try set(chosen(request, services), enabled, request, services)
        }
    }

    private static func remove(
        _ probes: [ProbeDefinition], _ request: APIRequest, _ services: Services
    ) throws(APIError) -> HTTPResponse {
        for probe in probes {
            do throws(StoreError) {
                try services.control.removeProbe(
                    probe.id, by: request.principal.name, now: services.now())
            } catch { throw APIError(error) }
            services.probes.removed(probe.id)
            note("probe removed", probe, by: request, services)
        }
        wake(probes, services)
        var json = JSONWriter()
        json.object { json in json.member("ids") { $0.array(probes.map(\.id)) } }
        return HTTPResponse(json: json)
    }

    private static func set(
        _ probes: [ProbeDefinition], _ enabled: Bool, _ request: APIRequest, _ services: Services
    ) throws(APIError) -> HTTPResponse {
        var changed: [ProbeDefinition] = []
        let agents = services.agents.agents()
        for probe in probes {
            // A new revision makes agents try again what they gave up.
            let again = enabled && ProbeStatus(probe, services, agents: agents).canBeTriedAgain
            do throws(StoreError) {
                changed.append(
                    try services.control.setProbe(
                        probe.id, enabled: enabled, again: again, by: request.principal.name,
                        now: services.now()))
            } catch { throw APIError(error) }
            note(enabled ? "probe enabled" : "probe disabled", probe, by: request, services)
        }
        wake(changed, services)
        return answer(changed, services)
    }

    private static func answer(
        _ probes: [ProbeDefinition], _ services: Services
    ) -> HTTPResponse {
        let agents = services.agents.agents()
        var json = JSONWriter()
        json.object { json in
            json.member("probes") { json in
                json.array(probes) { json, probe in
                    ProbeStatus(probe, services, agents: agents).write(to: &json)
                }
            }
        }
        return HTTPResponse(json: json)
    }

    private static func probe(
        _ request: APIRequest, _ services: Services
    ) throws(APIError) -> ProbeDefinition {
        let id = request.parameters.first ?? ""
        guard let probe = services.control.probe(id) else {
            throw APIError(
                .notFound,
                "cannot find a probe: got the id \(id.quotedForMessage); want one that `sonde probes` shows"
            )
        }
        return probe
    }

    /// The probes that a query names: by tag, or all.
    private static func chosen(
        _ request: APIRequest, _ services: Services
    ) throws(APIError) -> [ProbeDefinition] {
        let probes = services.control.probes()
        if let tag = request.query("tag") { return probes.filter { $0.tag == tag } }
        guard request.query("all") == "true" else {
            throw APIError(
                .invalidArgument,
                "cannot choose probes: got neither tag nor all=true; want one of them")
        }
        return probes
    }

    private static func wake(_ probes: [ProbeDefinition], _ services: Services) {
        for service in Set(probes.map(\.target.service)) {
            _ = services.agents.settingsChanged(service: service, instance: nil)
        }
    }

    private static func note(
        _ what: String, _ probe: ProbeDefinition, by request: APIRequest, _ services: Services
    ) {
        services.log.event(
            .info, what,
            [
                "by": request.principal.name, "id": probe.id, "service": probe.target.service,
                "location": probe.location, "reason": probe.reason,
            ])
    }
}

extension APIError {
    /// The error that tells why an instance does not get a probe.
    init(_ refusal: ProbeRefusal) {
        guard case .refused(let error) = refusal else {
            self.init(.unavailable, refusal.message)
            return
        }
        self.init(error)
    }

    /// The error that tells what the compiler refuses, with all that helps to mend it.
    init(_ error: ProbeCompileError) {
        self.init(.invalidArgument, error.message)
        details = { json in
            json.member("reason", error.code.rawValue)
            if let role = error.role { json.member("role", role.rawValue) }
            if let column = error.column { json.member("column", column) }
            if let caret = error.caret { json.member("caret", caret) }
            json.member("suggestions") { $0.array(error.suggestions) }
            json.member("nearestLines") { $0.array(error.nearestLines) }
            json.member("names") { json in
                json.array(error.names) { json, name in
                    json.object { json in
                        json.member("name", name.name)
                        json.member("type", name.type)
                    }
                }
            }
        }
    }
}
