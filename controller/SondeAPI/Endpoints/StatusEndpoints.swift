// SPDX-License-Identifier: Apache-2.0
// GET /ready, /metrics, /api/v1/status and /api/v1/status/buildinfo: the controller about itself.

internal import SondeModel
internal import SondeStore

/// `GET /ready`, `/metrics`, `/api/v1/status` and `/api/v1/status/buildinfo`.
enum StatusEndpoints {
    static func ready(_ services: Services) -> Route {
        var route = Route("GET", "/ready", nil) { _ throws(APIError) in
            if let reason = services.notReady() { throw APIError(.unavailable, reason) }
            return HTTPResponse(text: "ready\n")
        }
        route.isImmediate = true
        return route
    }

    static func status(_ services: Services) -> Route {
        Route("GET", "/api/v1/status", .read) { request throws(APIError) in
            let statistics = try APIError.ofStore { () throws(StoreError) in
                try services.profiles.statistics()
            }
            let tenants = try Self.tenants(of: request, services)
            var json = JSONWriter()
            json.object { json in
                json.member("version", SondeVersion.current)
                json.member("startedMs", services.started.unixMilliseconds)
                json.member("profiles", statistics.profiles)
                json.member("storeBytes", statistics.bytes)
                json.member("rejected") { json in
                    json.object { json in
                        let reasons = services.metrics.rejectedByReason
                        for (reason, count) in reasons.sorted(by: { $0.key < $1.key }) {
                            json.member(reason, count)
                        }
                    }
                }
                json.member("ingest") { LimitsDocument(services, tenants).write(to: &$0) }
            }
            return HTTPResponse(json: json)
        }
    }

    /// Whose limits the answer tells: the tenants that the request names, or the only one there is.
    private static func tenants(
        of request: APIRequest, _ services: Services
    ) throws(APIError) -> [TenantAccount] {
        // Whoever asks whether the controller is well need not be a tenant.
        guard services.hasTenants, request.head.header("x-scope-orgid") == nil else {
            let named = try services.tenant(of: request).tenants ?? [TenantScope.anonymous]
            return named.sorted().map(services.tenants.known)
        }
        return []
    }

    /// Grafana's data sources ask for this, in the form in which Pyroscope and Prometheus answer.
    static func buildInfo(_ services: Services) -> Route {
        Route("GET", "/api/v1/status/buildinfo", .read) { _ throws(APIError) in
            var json = JSONWriter()
            json.object { json in
                json.member("status", "success")
                json.member("data") { json in
                    json.object { json in
                        json.member("application", "sonde")
                        json.member("version", SondeVersion.current)
                        json.member("revision", "")
                        json.member("branch", "")
                        json.member("goVersion", "")
                    }
                }
            }
            return HTTPResponse(json: json)
        }
    }

    static func metrics(_ services: Services) -> Route {
        Route("GET", "/metrics", .read) { _ throws(APIError) in
            var text = MetricsText()
            text.gauge(
                "sonde_build_info", "A constant 1, labeled by the controller's version.",
                [(labels: [("version", SondeVersion.current)], value: 1)])
            services.metrics.write(to: &text)
            writeState(services, to: &text)
            writeTenants(services, to: &text)
            writeProcess(services, to: &text)
            return HTTPResponse(
                contentType: "text/plain; version=0.0.4; charset=utf-8", body: Array(text.text.utf8)
            )
        }
    }

    private static func writeState(_ services: Services, to text: inout MetricsText) {
        let agents = services.agents.agents()
        let connected = agents.filter(\.isConnected).count
        text.gauge(
            "sonde_agents", "Agents that are remembered, by state.",
            [
                (labels: [("state", "connected")], value: Double(connected)),
                (labels: [("state", "away")], value: Double(agents.count - connected)),
            ])
        writeRemovals(services.storeCare.removals(), to: &text)
        // A store that cannot be asked leaves its figures out; /ready and the log say why.
        if let statistics = try? services.profiles.statistics() {
            text.gauge("sonde_store_bytes", "Bytes of stored profiles.", Double(statistics.bytes))
            text.gauge("sonde_store_profiles", "Stored profiles.", Double(statistics.profiles))
            if let times = statistics.times {
                text.gauge(
                    "sonde_store_oldest_profile_time_seconds",
                    "When the oldest stored profile begins, in seconds since 1970.",
                    Double(times.from.unixMilliseconds) / 1000)
            }
        }
        if let statistics = try? services.logs.statistics() {
            text.gauge("sonde_log_store_bytes", "Bytes of stored logs.", Double(statistics.bytes))
            text.gauge("sonde_log_store_lines", "Stored log lines.", Double(statistics.entries))
        }
        if let bundles = try? services.bundles?.figures() {
            text.gauge(
                "sonde_source_store_bytes", "Bytes of stored source files.", Double(bundles.bytes))
            text.gauge(
                "sonde_source_bundles", "Builds of which there are source files.",
                Double(bundles.bundles))
            text.family(
                "sonde_source_bundles_removed_total", "counter",
                "Bundles of source files that went because there were too many bytes.")
            text.sample("sonde_source_bundles_removed_total", [], "\(bundles.removed)")
        }
        text.gauge(
            "sonde_images", "Build ids of which there is an image.", Double(services.images.count))
        for (name, value) in services.symbolFigures() {
            text.gauge("sonde_symbol_cache_\(name)", "The symbol cache: \(name).", value)
        }
        for (name, help, value) in services.listenerFigures() { text.gauge(name, help, value) }
        for figure in services.forwardFigures() {
            let type = figure.name.hasSuffix("_total") ? "counter" : "gauge"
            text.family(figure.name, type, figure.help)
            for sample in figure.samples {
                text.sample(figure.name, sample.labels, MetricsText.number(sample.value))
            }
        }
    }

    /// Figures of tenants; of more than a hundred, those that sent most.
    private static func writeTenants(_ services: Services, to text: inout MetricsText) {
        let all = services.tenants.accounts.map { ($0.name, $0.figures) }
        let tenants = all.sorted { $0.1.bytes > $1.1.bytes }.prefix(100).sorted { $0.0 < $1.0 }
        text.gauge(
            "sonde_tenant_series", "Series that had a profile in this hour or the one before.",
            tenants.map { (labels: [("tenant", $0)], value: Double($1.series)) })
        text.family(
            "sonde_tenant_profile_bytes_total", "counter",
            "Bytes of profiles that were stored, expanded, by tenant.")
        for (name, figures) in tenants {
            text.sample(
                "sonde_tenant_profile_bytes_total", [("tenant", name)], "\(figures.bytes)")
        }
        text.family(
            "sonde_tenant_refused_profiles_total", "counter",
            "Profiles that were refused, by tenant and reason.")
        for (name, figures) in tenants {
            for (reason, count) in figures.refused.sorted(by: { $0.key < $1.key }) {
                text.sample(
                    "sonde_tenant_refused_profiles_total", [("tenant", name), ("reason", reason)],
                    "\(count)")
            }
        }
        text.gauge(
            "sonde_tenant_limit", "The limits of tenants.",
            tenants.flatMap { name, figures in
                TenantLimits.fields.map { field in
                    (
                        labels: [("tenant", name), ("limit", field.name)],
                        value: Double(figures.limits[keyPath: field.path])
                    )
                }
            })
    }

    private static func writeRemovals(_ history: RemovalHistory, to text: inout MetricsText) {
        for (name, what, values) in [
            ("sonde_store_removed_profiles_total", "Profiles", history.profiles),
            ("sonde_store_removed_bytes_total", "Bytes of profiles", history.bytes),
        ] {
            text.family(name, "counter", "\(what) that retention removed, by reason.")
            for reason in ["age", "bytes", "rule"] {
                text.sample(
                    name, [("reason", reason)], MetricsText.number(Double(values[reason] ?? 0)))
            }
        }
    }

    private static func writeProcess(_ services: Services, to text: inout MetricsText) {
        let process = ProcessStatistics.current()
        text.family("process_cpu_seconds_total", "counter", "CPU time of this process, in seconds.")
        text.sample("process_cpu_seconds_total", [], "\(process.cpuSeconds)")
        text.gauge(
            "process_resident_memory_bytes", "Resident memory, in bytes.",
            Double(process.residentBytes))
        text.gauge(
            "process_virtual_memory_bytes", "Virtual memory, in bytes.",
            Double(process.virtualBytes))
        text.gauge("process_open_fds", "Open file descriptors.", Double(process.openFiles))
        text.gauge(
            "process_max_fds", "The most file descriptors that may be open.",
            Double(process.maximumFiles))
        text.gauge(
            "process_start_time_seconds", "When this process started, in seconds since 1970.",
            Double(services.started.unixMilliseconds) / 1000)
    }
}
