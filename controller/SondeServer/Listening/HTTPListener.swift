// SPDX-License-Identifier: Apache-2.0
// The HTTP listener: libmicrohttpd's threads move bytes, our workers answer.

internal import CMicroHTTPD
internal import Foundation
internal import SondeAPI
internal import Synchronization

/// What an ``HTTPListener`` goes by.
struct ListenerSettings: Sendable {
    /// The certificate chain and its key, both PEM; `nil` for plain HTTP.
    var tls: (certificate: [UInt8], key: [UInt8])?
    /// Threads that move bytes.
    var ioThreads = 2
    /// Threads that answer readers, and as many again for what agents send.
    var workerThreads = 4
    /// Requests that may wait for a thread.
    var queueLimit = 1024
    /// The most open connections.
    var maximumConnections = 4096
    /// The most bytes of a request's head.
    var maximumHeadBytes = 32 << 10
    /// The most bytes of bodies in memory at one time, of all requests together.
    var maximumBodyBytesInMemory = 512 << 20
    /// How long a client may take.
    var patience = ConnectionTable.Patience(
        head: .seconds(60), transfer: .seconds(60), bytesPerSecond: 16 << 10)
}

/// Listens for HTTP requests and has a ``Router`` answer them.
///
/// libmicrohttpd's threads read and write; a request whose body is there suspends its connection
/// and goes to a worker, so a slow answer holds up nobody else on the same thread. Requests that
/// agents send have workers of their own: a heavy query must not hold up ingest, nor the reverse.
final class HTTPListener: @unchecked Sendable {
    // Safety: everything below is constant after `start`, or locks for itself.
    let router: Router
    let settings: ListenerSettings
    let metrics: ControllerMetrics
    let log: Log
    let state: ListenerState
    let readers: WorkerPool
    let ingesters: WorkerPool
    private var daemon: OpaquePointer?
    private let logger: UnsafeMutablePointer<sonde_mhd_logger>
    private let lastMessage = Mutex("")

    /// A listener that does not listen yet.
    ///
    /// - Parameters:
    ///   - router: Answers the requests.
    ///   - settings: What the listener goes by.
    ///   - state: Where it says what it is at.
    ///   - metrics: Where it counts.
    ///   - log: The controller's own log.
    init(
        router: Router, settings: ListenerSettings, state: ListenerState,
        metrics: ControllerMetrics, log: Log
    ) {
        self.router = router
        self.settings = settings
        self.metrics = metrics
        self.log = log
        self.state = state
        readers = WorkerPool(
            name: "read", threads: settings.workerThreads, queueLimit: settings.queueLimit)
        ingesters = WorkerPool(
            name: "ingest", threads: settings.workerThreads, queueLimit: settings.queueLimit)
        logger = .allocate(capacity: 1)
    }

    deinit { logger.deallocate() }

    /// Begins to serve on a socket, which from now on is the listener's.
    ///
    /// - Throws: ``ServerError`` when the certificate is not accepted.
    func start(on socket: Int32) throws(ServerError) {
        // Safety: the daemon's callbacks get `self` unretained; `stop` ends the daemon before the
        // owner lets go of the listener.
        let context = Unmanaged.passUnretained(self).toOpaque()
        logger.initialize(
            to: sonde_mhd_logger(
                take: { context, text in
                    guard let context, let text else { return }
                    HTTPListener.from(context).takeMessage(String(cString: text))
                }, context: context))
        var flags =
            MHD_USE_EPOLL_INTERNAL_THREAD.rawValue
            | MHD_ALLOW_SUSPEND_RESUME.rawValue | MHD_ALLOW_UPGRADE.rawValue
            | MHD_USE_ERROR_LOG.rawValue
        if settings.tls != nil { flags |= MHD_USE_TLS.rawValue }
        var options = self.options(socket: socket, context: context)
        daemon = withTLS(&options) { options in
            sonde_mhd_start(flags, context, handleRequest, logger, &options)
        }
        guard daemon != nil else {
            close(socket)
            let reason = lastMessage.withLock { $0 }
            throw ServerError(
                settings.tls == nil ? .cannotListen : .badCertificate,
                "cannot start the HTTP server: \(reason)")
        }
    }

    /// Ends everything: no new connections, waiting polls answered, running requests finished.
    ///
    /// - Returns: Whether all of it came to its end in time.
    func stop(within seconds: Double) -> Bool {
        guard let daemon else { return true }
        let deadline = Date(timeIntervalSinceNow: seconds)
        state.isDraining.store(true, ordering: .sequentiallyConsistent)
        let socket = MHD_quiesce_daemon(daemon)
        // Only shut down, not closed: the library's threads still take the descriptor out of their
        // epoll sets, and end the process when it is no longer theirs (seen in 0.9.75).
        if socket >= 0 { shutdown(socket, Int32(SHUT_RDWR)) }
        state.longPolls.end()
        state.lineStreams.end()
        state.webSockets.stop(by: max(deadline, Date(timeIntervalSinceNow: 2)))
        while state.exchanges.load(ordering: .sequentiallyConsistent) > 0, Date() < deadline {
            Thread.sleep(forTimeInterval: 0.005)
        }
        // Idle workers need a moment to end even when a dawdling client took all the time.
        let end = max(deadline, Date(timeIntervalSinceNow: 1))
        let isIdle = readers.stop(by: end)
        guard ingesters.stop(by: end), state.streamWorkers.stop(by: end), isIdle else {
            // A worker may still resume a connection: the daemon must outlive it.
            return false
        }
        state.longPolls.end()
        let isComplete = state.exchanges.load(ordering: .sequentiallyConsistent) == 0
        MHD_stop_daemon(daemon)
        if socket >= 0 { close(socket) }
        self.daemon = nil
        return isComplete
    }

    /// Does what is due from time to time: about once a second.
    func tick() {
        state.longPolls.expire()
        state.lineStreams.tick()
        for (reason, count) in state.connections.cutOff() {
            metrics.closed.add(UInt64(count), reason)
        }
    }

    static func from(_ context: UnsafeMutableRawPointer) -> HTTPListener {
        // Safety: only ever called with the context that `start` passed.
        Unmanaged<HTTPListener>.fromOpaque(context).takeUnretainedValue()
    }

    private func takeMessage(_ text: String) {
        lastMessage.withLock { $0 = text }
        log.event(.debug, "http library", ["text": text])
    }

    private func options(socket: Int32, context: UnsafeMutableRawPointer) -> [MHD_OptionItem] {
        func number(_ option: MHD_OPTION, _ value: Int) -> MHD_OptionItem {
            MHD_OptionItem(option: option, value: value, ptr_value: nil)
        }
        func callback<Function>(_ option: MHD_OPTION, _ function: Function) -> MHD_OptionItem {
            // Safety: the option's definition says that `value` holds this function's address.
            MHD_OptionItem(
                option: option, value: unsafeBitCast(function, to: Int.self), ptr_value: context)
        }
        let began:
            @convention(c) (
                UnsafeMutableRawPointer?, UnsafePointer<CChar>?, OpaquePointer?
            ) -> UnsafeMutableRawPointer? = beginExchange
        let completed:
            @convention(c) (
                UnsafeMutableRawPointer?, OpaquePointer?,
                UnsafeMutablePointer<UnsafeMutableRawPointer?>?, MHD_RequestTerminationCode
            ) -> Void = endExchange
        let connection:
            @convention(c) (
                UnsafeMutableRawPointer?, OpaquePointer?,
                UnsafeMutablePointer<UnsafeMutableRawPointer?>?, MHD_ConnectionNotificationCode
            ) -> Void = connectionChanged
        return [
            number(.LISTEN_SOCKET, Int(socket)),
            number(.THREAD_POOL_SIZE, max(2, settings.ioThreads)),
            number(.CONNECTION_LIMIT, settings.maximumConnections),
            // The library keeps a request's head and a piece of its body in this.
            number(.CONNECTION_MEMORY_LIMIT, settings.maximumHeadBytes * 2),
            number(.STRICT_FOR_CLIENT, 1),
            callback(.URI_LOG_CALLBACK, began),
            callback(.NOTIFY_COMPLETED, completed),
            callback(.NOTIFY_CONNECTION, connection),
        ]
    }

    private func withTLS(
        _ options: inout [MHD_OptionItem], _ body: (inout [MHD_OptionItem]) -> OpaquePointer?
    ) -> OpaquePointer? {
        func end() {
            options.append(MHD_OptionItem(option: .END, value: 0, ptr_value: nil))
        }
        guard let tls = settings.tls else {
            end()
            return body(&options)
        }
        var certificate = tls.certificate + [0]
        var key = tls.key + [0]
        return certificate.withUnsafeMutableBytes { certificate in
            key.withUnsafeMutableBytes { key in
                // Safety: the library copies both texts, which end with a zero, while it starts.
                options.append(
                    MHD_OptionItem(
                        option: .HTTPS_MEM_CERT, value: 0,
                        ptr_value: certificate.baseAddress))
                options.append(
                    MHD_OptionItem(
                        option: .HTTPS_MEM_KEY, value: 0, ptr_value: key.baseAddress))
                end()
                return body(&options)
            }
        }
    }
}
