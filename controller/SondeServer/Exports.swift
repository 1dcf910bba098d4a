// SPDX-License-Identifier: Apache-2.0
// What is forwarded to other servers: opens the queues, and starts and stops the senders.

internal import SondeAPI
internal import SondeExport
internal import SondeHTTPClient
internal import SondeModel
internal import SondeStore

/// The senders to other servers; each is there when the configuration names its server.
struct Exports: Sendable {
    private let loki: LokiExport?
    private let pyroscope: PyroscopeExport?

    /// Opens the queues of a data folder.
    ///
    /// - Throws: ``ServerError`` when an address is none or a queue cannot be opened.
    init(
        _ configuration: ServerConfiguration, _ folder: DataFolder, _ log: Log
    ) throws(ServerError) {
        if let settings = configuration.lokiExport {
            try Self.check(settings.target, "log lines", "loki")
            let spool = try Self.spool(folder, "loki", configuration.lokiSpoolBytes)
            loki = try Self.made { () throws(HTTPClientError) in
                try LokiExport(settings, spool: spool) { words in
                    log.event(.warn, "forwarding to Loki", ["reason": words])
                }
            }
        } else {
            loki = nil
        }
        if let target = configuration.pyroscopeExport {
            try Self.check(target, "profiles", "pyroscope")
            let spool = try Self.spool(folder, "pyroscope", configuration.pyroscopeSpoolBytes)
            pyroscope = try Self.made { () throws(HTTPClientError) in
                try PyroscopeExport(target, spool: spool, hasTenants: configuration.hasTenants) {
                    words in log.event(.warn, "forwarding profiles", ["reason": words])
                }
            }
        } else {
            pyroscope = nil
        }
    }

    /// Has services hand over what they store.
    func join(_ services: inout Services) {
        if let loki {
            services.forward = { streams throws(StoreError) in
                try loki.append(streams, now: .now)
            }
        }
        if let pyroscope {
            services.forwardProfiles = { series, tenant throws(StoreError) in
                try pyroscope.append(series, tenant: tenant, now: .now)
            }
        }
        services.forwardFigures = { [loki, pyroscope] in
            (loki?.figures.metrics("loki", "lines", "Log lines") ?? [])
                + (pyroscope?.figures.metrics("pyroscope", "profiles", "Profiles") ?? [])
        }
    }

    /// Begins to send.
    func start() {
        loki?.start()
        pyroscope?.start()
    }

    /// Stops sending; what waits stays in the queues.
    func stop() {
        loki?.stop()
        pyroscope?.stop()
    }

    private static func check(
        _ target: ExportTarget, _ what: String, _ key: String
    ) throws(ServerError) {
        guard target.url.hasPrefix("http://") || target.url.hasPrefix("https://") else {
            throw ServerError(
                .badConfiguration,
                "cannot forward \(what): got export.\(key).url: \"\(target.url)\"; want http://HOST:PORT or https://HOST:PORT"
            )
        }
    }

    private static func spool(
        _ folder: DataFolder, _ name: String, _ bytes: Int
    ) throws(ServerError) -> ExportSpool {
        do throws(StoreError) {
            return try ExportSpool(folder, name: name, maximumBytes: Int64(bytes))
        } catch { throw ServerError(.dataFolder, error.message) }
    }

    private static func made<Export>(
        _ make: () throws(HTTPClientError) -> Export
    ) throws(ServerError) -> Export {
        do throws(HTTPClientError) { return try make() } catch {
            throw ServerError(.badConfiguration, error.message)
        }
    }
}
