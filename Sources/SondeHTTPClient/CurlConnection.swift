// SPDX-License-Identifier: Apache-2.0
// One libcurl transfer at a time, with a wait that another thread can end.

internal import CCurl
internal import Glibc
internal import SondeLock

/// A libcurl handle with its open connections, which one thread uses at a time.
///
/// @unchecked Sendable: ``HTTPClient`` hands it to one thread and takes it back behind a lock.
final class CurlConnection: @unchecked Sendable {
    private let multi: UnsafeMutableRawPointer
    private let easy: UnsafeMutableRawPointer

    /// A connection that is not open yet, or `nil` when libcurl has no memory.
    init?() {
        guard let multi = curl_multi_init() else { return nil }
        WakePair.closeOnExec(multi)
        guard let easy = curl_easy_init() else {
            curl_multi_cleanup(multi)
            return nil
        }
        self.multi = multi
        self.easy = easy
    }

    deinit {
        curl_easy_cleanup(easy)
        curl_multi_cleanup(multi)
    }

    /// Does one exchange.
    func perform(
        _ exchange: CurlExchange, to address: ServerAddress,
        as configuration: HTTPClientConfiguration, until cancellation: Cancellation
    ) throws(HTTPClientError) -> HTTPClientResponse {
        let url = address.base + exchange.request.target
        let what = "cannot \(exchange.request.method) \(url)"
        guard exchange.request.target.utf8.first == UInt8(ascii: "/") else {
            throw HTTPClientError(
                .badAddress, "\(what): got a target without a slash; want one that begins with /")
        }
        curl_easy_reset(easy)
        let options = CurlOptions(easy)
        let headers = options.apply(exchange, url: url, configuration, address)
        defer { curl_slist_free_all(headers) }
        guard options.isComplete else {
            throw HTTPClientError(.broken, "\(what): libcurl refused an option; want libcurl 7.88")
        }
        // Safety: libcurl calls back only inside of `run`, and `exchange` lives until after it.
        var result = withExtendedLifetime(exchange) { run(exchange, until: cancellation) }
        // Libcurl calls it an error when we want no more.
        if result != nil, exchange.isStopped { result = CURLE_OK }
        switch result {
        case nil where cancellation.isRequested:
            throw HTTPClientError(.cancelled, "\(what): got cancelled; want an answer")
        case nil:
            throw HTTPClientError(.interrupted, "\(what): got interrupted; want an answer")
        case CURLE_OK?:
            let status = sonde_curl_get_long(easy, CURLINFO_RESPONSE_CODE)
            return HTTPClientResponse(
                status: status, headers: exchange.headers, body: exchange.body)
        case let code?:
            throw HTTPClientError(code, what: what, exchange: exchange, systemError: systemError)
        }
    }

    private var systemError: Int32 {
        Int32(truncatingIfNeeded: sonde_curl_get_long(easy, CURLINFO_OS_ERRNO))
    }

    /// Runs the transfer to its end; `nil` when it was cancelled or interrupted.
    private func run(_ exchange: CurlExchange, until cancellation: Cancellation) -> CURLcode? {
        guard curl_multi_add_handle(multi, easy) == CURLM_OK else { return CURLE_OUT_OF_MEMORY }
        defer { curl_multi_remove_handle(multi, easy) }
        var fruitlessWaits = 0
        cancellation.acceptInterruptions()
        let interruptions = exchange.interruptions ?? cancellation.interruptionCount
        while !cancellation.isRequested, cancellation.interruptionCount == interruptions {
            var running: Int32 = 0
            guard curl_multi_perform(multi, &running) == CURLM_OK else {
                return CURLE_RECV_ERROR
            }
            var result = CURLE_OK
            if sonde_curl_take_result(multi, &result) != 0 { return result }
            guard running > 0 else { return CURLE_RECV_ERROR }
            let before = monotonicMilliseconds()
            ForkGate.rest { wait(until: cancellation) }
            // A descriptor that someone closed or took over makes poll return at once, for ever.
            fruitlessWaits = monotonicMilliseconds() == before ? fruitlessWaits + 1 : 0
            if fruitlessWaits > 1000 { ForkGate.rest { _ = usleep(5000) } }
        }
        return nil
    }

    private func wait(until cancellation: Cancellation) {
        guard let descriptor = cancellation.wakeDescriptor else {
            curl_multi_wait(multi, nil, 0, 100, nil)
            return
        }
        var wake = curl_waitfd(fd: descriptor, events: Int16(CURL_WAIT_POLLIN), revents: 0)
        // curl_multi_wait and not curl_multi_poll: the latter reads from a descriptor pair of
        // libcurl's own, which may not be ours any more in a program that closed all descriptors.
        curl_multi_wait(multi, &wake, 1, 1000, nil)
    }

    private func monotonicMilliseconds() -> Int {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC_COARSE, &now)
        return now.tv_sec * 1000 + now.tv_nsec / 1_000_000
    }
}
