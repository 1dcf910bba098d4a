// SPDX-License-Identifier: Apache-2.0
// A blocking HTTP/1.1 client for one server, over libcurl.

internal import CCurl
internal import Glibc
internal import SondeLock

/// Sends requests to one server and waits for the answers.
///
/// Every call blocks its thread. Any number of threads may call at once; connections are kept and
/// used again. The client installs no signal handler and changes no signal mask, follows no
/// redirect, and talks to a loopback address directly, whatever proxy the environment names.
/// Its descriptors are closed on `exec` and numbered above those that programs use themselves.
package final class HTTPClient: Sendable {
    private let configuration: HTTPClientConfiguration
    private let address: ServerAddress
    private let idle = Locked<[CurlConnection]>([])
    private let cancellation: Cancellation

    /// Connections that are kept while nobody uses them.
    private static let maximumIdleConnections = 4

    /// A client for one server.
    ///
    /// - Parameter configuration: Where the server is and how to talk to it.
    /// - Throws: ``HTTPClientError`` with `badAddress` when the address or the certificate file
    ///   cannot be used. Nothing is sent yet.
    package init(_ configuration: HTTPClientConfiguration) throws(HTTPClientError) {
        guard CurlLibrary.isReady else {
            throw HTTPClientError(.broken, "cannot use libcurl: it does not start; want it to")
        }
        self.configuration = configuration
        address = try ServerAddress(configuration.baseURL)
        if let file = configuration.certificateAuthorityFile, access(file, R_OK) != 0 {
            throw HTTPClientError(
                .badAddress,
                "cannot read the certificate file \(file): got \"\(describe(errno: errno))\"; "
                    + "want a PEM file")
        }
        cancellation = Cancellation()
    }

    /// Sends a request and waits for the whole answer, whatever its status.
    ///
    /// - Parameters:
    ///   - request: What to send.
    ///   - interruptions: What ``interruptionCount`` was when the request was put together: an
    ///     interruption after that ends the exchange, also one that came before it began.
    /// - Returns: The answer; a status of 400 and above is an answer too.
    /// - Throws: ``HTTPClientError`` when there is no complete answer.
    package func send(
        _ request: HTTPClientRequest, interruptions: UInt64? = nil
    ) throws(HTTPClientError) -> HTTPClientResponse {
        try perform(
            CurlExchange(
                request, upload: nil, limit: configuration.maxResponseBytes,
                interruptions: interruptions))
    }

    /// Sends a request and hands over the pieces of a successful answer's body as they come.
    ///
    /// - Parameters:
    ///   - request: What to send. Its time limit ends the exchange when nothing comes for so long.
    ///   - take: Gets each piece; the exchange ends when it answers `false`.
    /// - Returns: The answer, without a body when that was handed over.
    /// - Throws: ``HTTPClientError`` when the answer did not come to its end.
    package func stream(
        _ request: HTTPClientRequest, _ take: @escaping ([UInt8]) -> Bool
    ) throws(HTTPClientError) -> HTTPClientResponse {
        try perform(
            CurlExchange(
                request, upload: nil, limit: configuration.maxResponseBytes, pieces: take))
    }

    /// Sends a file as the body of a request, reading it piece by piece.
    ///
    /// - Parameters:
    ///   - path: The file. What is in it when the call begins is sent.
    ///   - request: The rest of the request; its own body is not used. Its time limit ends the
    ///     exchange when it gets no further for so long, however long the whole takes.
    ///   - bytesPerSecond: How fast to send at most; 0 for no limit.
    /// - Returns: The answer; a status of 400 and above is an answer too.
    /// - Throws: ``HTTPClientError`` when the file cannot be read or there is no complete answer.
    package func upload(
        file path: String, _ request: HTTPClientRequest, bytesPerSecond: Int = 0
    ) throws(HTTPClientError) -> HTTPClientResponse {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY)
        guard descriptor >= 0 else {
            throw HTTPClientError(
                .unreadableFile,
                "cannot read \(path): got \"\(describe(errno: errno))\"; want a file")
        }
        defer { close(descriptor) }
        return try upload(
            descriptor: descriptor, name: path, request, bytesPerSecond: bytesPerSecond)
    }

    /// Sends an open file as the body of a request, reading it piece by piece from its start.
    ///
    /// - Parameters:
    ///   - descriptor: The file, open for reading; its position is not used and not moved.
    ///   - name: What errors call the file.
    ///   - request: As in ``upload(file:_:bytesPerSecond:)``.
    ///   - bytesPerSecond: How fast to send at most; 0 for no limit.
    /// - Returns: The answer; a status of 400 and above is an answer too.
    /// - Throws: ``HTTPClientError`` when the file cannot be read or there is no complete answer.
    package func upload(
        descriptor: Int32, name: String, _ request: HTTPClientRequest, bytesPerSecond: Int = 0
    ) throws(HTTPClientError) -> HTTPClientResponse {
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw HTTPClientError(
                .unreadableFile, "cannot read \(name): got no regular file; want one")
        }
        let upload = FileUpload(
            descriptor: descriptor, byteCount: Int64(status.st_size),
            bytesPerSecond: Int64(bytesPerSecond))
        return try perform(
            CurlExchange(request, upload: upload, limit: configuration.maxResponseBytes))
    }

    /// Ends every exchange that is under way with the error `cancelled`, and every later one.
    package func cancel() {
        cancellation.cancel()
    }

    /// Ends the exchange that is under way with the error `interrupted`; later ones are not affected.
    ///
    /// For a client that one thread uses: with several, one of them may notice a second later.
    package func interrupt() {
        cancellation.interrupt()
    }

    /// How often ``interrupt()`` was called.
    package var interruptionCount: UInt64 { cancellation.interruptionCount }

    private func perform(_ exchange: CurlExchange) throws(HTTPClientError) -> HTTPClientResponse {
        guard let connection = idle.withLock({ $0.popLast() }) ?? CurlConnection() else {
            throw HTTPClientError(.broken, "cannot use libcurl: no memory; want some")
        }
        let response = try connection.perform(
            exchange, to: address, as: configuration, until: cancellation)
        // A connection whose exchange failed is not kept: the error above has left it behind.
        idle.withLock { connections in
            if connections.count < Self.maximumIdleConnections { connections.append(connection) }
        }
        return response
    }
}

/// libcurl's own start, once in a process.
enum CurlLibrary {
    /// Whether libcurl could be started; the first use starts it.
    static let isReady = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK
}

/// The system's words for an error number.
func describe(errno number: Int32) -> String {
    // Safety: strerror gives a text that lives until this thread's next call (glibc 2.32 and later).
    strerror(number).map { String(cString: $0) } ?? "error \(number)"
}
