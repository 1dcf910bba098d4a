// SPDX-License-Identifier: Apache-2.0
// The whole controller: opens the stores, wires the endpoints to them, listens, stops.

internal import Dispatch
internal import Foundation
package import SondeAPI
internal import SondeModel
internal import SondeStore
internal import SondeSymbols
internal import Synchronization

/// The controller.
///
///     let server = try ControllerServer(configuration)
///     print("listening on \(try server.start())")
///     server.waitForSignal()
///     server.stop()
///
/// Whatever goes wrong at the start is one ``ServerError``, a sentence that says what to do.
package final class ControllerServer: Sendable {
    private let configuration: ServerConfiguration
    private let log: Log
    private let stores: Stores
    private let services: Services
    private let exports: Exports
    private let maintenance: StoreMaintenance
    private let listener: HTTPListener
    private let access: AccessControl
    private let address: ListenAddress
    /// What answers the requests, also without a socket.
    package let router: Router
    private let ticker = Ticker(name: "tick", every: 0.5)
    private let hasServed = Atomic<Bool>(false)
    private let isStopped = Atomic<Bool>(false)

    /// Opens the data folder and prepares everything but the socket.
    ///
    /// - Parameters:
    ///   - configuration: What the controller goes by.
    ///   - log: The controller's own log; standard error unless given.
    /// - Throws: ``ServerError`` when the configuration is wrong or unsafe, or the data folder or
    ///   the certificate cannot be used.
    package init(_ configuration: ServerConfiguration, log: Log? = nil) throws(ServerError) {
        let log = log ?? Log(level: configuration.logLevel)
        self.configuration = configuration
        self.log = log
        address = try ListenAddress(parsing: configuration.listen)
        let tls = try TLSFiles.read(configuration)
        let isLoopback = try ListeningSocket.isLoopback(address)
        stores = try Stores(configuration, log)
        access = try Self.access(
            configuration, isLoopback: isLoopback, isTLS: tls != nil, stores, log)
        let settings = Self.settings(configuration, tls)
        let state = ListenerState(patience: settings.patience)
        exports = try Exports(configuration, stores.folder, log)
        maintenance = StoreMaintenance(stores.profiles, log)
        services = stores.services(configuration, log, state, exports, maintenance)
        services.agents.onChange { state.longPolls.wake($0) }
        let pages = WebPages()
        router = Router(routes: services.routes, access: access) { target, head in
            pages.response(to: target, acceptsGzip: head.acceptsGzip)
        }
        listener = HTTPListener(
            router: router, settings: settings, state: state, metrics: services.metrics, log: log)
    }

    deinit { stop() }

    /// Begins to serve.
    ///
    /// - Throws: ``ServerError`` when the address cannot be had or the certificate is not accepted.
    /// - Returns: The address, with the port that was taken.
    package func start() throws(ServerError) -> ServerAddress {
        Self.raiseFileLimit()
        let socket = try ListeningSocket(binding: address)
        try listener.start(on: socket.descriptor)
        hasServed.store(true, ordering: .sequentiallyConsistent)
        ticker.start { [listener] in listener.tick() }
        exports.start()
        maintenance.start()
        let served = ServerAddress(
            host: socket.address.host, port: socket.address.port,
            isTLS: listener.settings.tls != nil)
        log.event(
            .info, "listening",
            [
                "url": served.url, "data": configuration.dataFolder,
                "tokens": access.requiresToken ? "required" : "not required",
            ])
        return served
    }

    /// Waits for SIGTERM or SIGINT; a second one then ends the process at once.
    ///
    /// Takes over these two signals of the process.
    package func waitForSignal() {
        let arrived = DispatchSemaphore(value: 0)
        let sources = [SIGTERM, SIGINT].map { number in
            // The source only sees the signal when its default, ending the process, is off.
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number)
            source.setEventHandler { arrived.signal() }
            source.resume()
            return source
        }
        arrived.wait()
        for number in [SIGTERM, SIGINT] { signal(number, SIG_DFL) }
        for source in sources { source.cancel() }
        log.event(.info, "stopping", ["seconds": configuration.stopSeconds])
    }

    /// Finishes running requests, ends long polls, and closes everything.
    ///
    /// Harmless when repeated.
    package func stop() {
        guard !isStopped.exchange(true, ordering: .sequentiallyConsistent) else { return }
        ticker.stop()
        maintenance.stop()
        let isComplete = listener.stop(within: Double(configuration.stopSeconds))
        if hasServed.load(ordering: .sequentiallyConsistent) { exports.stop() }
        // A start that failed is one sentence, which the caller says.
        guard hasServed.load(ordering: .sequentiallyConsistent) else { return }
        log.event(isComplete ? .info : .warn, "stopped", ["complete": isComplete])
    }

    private static func settings(
        _ configuration: ServerConfiguration, _ tls: (certificate: [UInt8], key: [UInt8])?
    ) -> ListenerSettings {
        var settings = ListenerSettings()
        settings.tls = tls
        settings.workerThreads = configuration.workerThreads
        settings.maximumConnections = configuration.maximumConnections
        settings.maximumHeadBytes = configuration.maximumHeadBytes
        settings.patience = ConnectionTable.Patience(
            head: .seconds(configuration.headSeconds),
            transfer: .seconds(configuration.transferSeconds), bytesPerSecond: 16 << 10)
        return settings
    }

    private static func access(
        _ configuration: ServerConfiguration, isLoopback: Bool, isTLS: Bool, _ stores: Stores,
        _ log: Log
    ) throws(ServerError) -> AccessControl {
        let isOpen = isLoopback || configuration.isInsecure
        let requiresToken = configuration.requiresToken ?? !isOpen
        if !isLoopback, !configuration.isInsecure, !requiresToken {
            throw ServerError(
                .badConfiguration,
                "cannot serve \(configuration.listen) to others without tokens; want require_token: true, or --insecure"
            )
        }
        if requiresToken, stores.control.tokens().isEmpty {
            throw ServerError(
                .badConfiguration,
                "cannot serve \(configuration.listen): requests there need tokens, and there are none yet; want `sonde token create --data \(configuration.dataFolder) --role admin --name me` first, a loopback address, or --insecure"
            )
        }
        if !isLoopback, !isTLS {
            log.event(
                .warn, "no TLS: what is sent can be read on the way",
                ["listen": configuration.listen])
        }
        // With a token in each request a foreign page can do nothing; without, names matter.
        var hosts: Set<String> = []
        if isLoopback, !requiresToken {
            hosts = AccessControl.loopbackHosts.union(configuration.allowedHosts)
        }
        return AccessControl(
            requiresToken: requiresToken, allowedHosts: hosts,
            lookup: Services.tokenLookup(stores.control))
    }

    /// Many agents are many connections; the usual soft limit of 1024 files is too low.
    private static func raiseFileLimit() {
        var limits = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limits) == 0 else { return }
        limits.rlim_cur = min(limits.rlim_max, max(limits.rlim_cur, 65_536))
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limits)
    }
}

/// Where the controller listens.
package struct ServerAddress: Hashable, Sendable, CustomStringConvertible {
    /// The host, as it was configured.
    package var host: String
    /// The port that was taken.
    package var port: UInt16
    /// Whether it speaks HTTPS.
    package var isTLS: Bool

    /// What to type into a browser on this machine.
    package var url: String {
        let reachable =
            host.isEmpty || host == "0.0.0.0" ? "127.0.0.1" : host == "::" ? "::1" : host
        let bracketed = reachable.contains(":") ? "[\(reachable)]" : reachable
        return "\(isTLS ? "https" : "http")://\(bracketed):\(port)"
    }

    package var description: String { url }
}
