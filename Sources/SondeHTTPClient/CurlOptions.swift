// SPDX-License-Identifier: Apache-2.0
// Which options of libcurl an exchange needs, and the functions that it calls back.

internal import CCurl
internal import Glibc

/// Sets libcurl's options on one handle and remembers whether all were accepted.
final class CurlOptions {
    private let easy: UnsafeMutableRawPointer
    /// Whether libcurl accepted every option so far.
    private(set) var isComplete = true

    init(_ easy: UnsafeMutableRawPointer) { self.easy = easy }

    /// Sets everything that an exchange needs.
    ///
    /// The caller keeps `exchange` alive until the transfer is over, and then frees the list that
    /// is returned.
    func apply(
        _ exchange: CurlExchange, url: String, _ configuration: HTTPClientConfiguration,
        _ address: ServerAddress
    ) -> UnsafeMutablePointer<curl_slist>? {
        set(CURLOPT_URL, url)
        set(CURLOPT_PROTOCOLS_STR, "http,https")
        set(CURLOPT_FOLLOWLOCATION, 0)
        set(CURLOPT_NOSIGNAL, 1)
        // A resolver thread that hangs must not hold up the end of the process.
        set(CURLOPT_QUICK_EXIT, 1)
        set(CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1)
        set(CURLOPT_HTTP09_ALLOWED, 0)
        set(CURLOPT_USERAGENT, configuration.userAgent)
        set(CURLOPT_ACCEPT_ENCODING, "gzip")
        set(CURLOPT_CUSTOMREQUEST, exchange.request.method)
        if address.isLoopback { set(CURLOPT_PROXY, "") }
        if let file = configuration.certificateAuthorityFile {
            set(CURLOPT_CAINFO, file)
            set(CURLOPT_CAPATH, nil)
        }
        setFunctions(exchange)
        setBody(exchange)
        setLimits(exchange)
        let headers = headerList(exchange.request, configuration)
        note(sonde_curl_set_pointer(easy, CURLOPT_HTTPHEADER, headers))
        return headers
    }

    private func setFunctions(_ exchange: CurlExchange) {
        let context = Unmanaged.passUnretained(exchange).toOpaque()
        note(sonde_curl_set_data_function(easy, CURLOPT_WRITEFUNCTION, takeBody))
        note(sonde_curl_set_pointer(easy, CURLOPT_WRITEDATA, context))
        note(sonde_curl_set_data_function(easy, CURLOPT_HEADERFUNCTION, takeHeader))
        note(sonde_curl_set_pointer(easy, CURLOPT_HEADERDATA, context))
        note(sonde_curl_set_data_function(easy, CURLOPT_READFUNCTION, giveUpload))
        note(sonde_curl_set_pointer(easy, CURLOPT_READDATA, context))
        note(sonde_curl_set_seek_function(easy, seekUpload))
        note(sonde_curl_set_pointer(easy, CURLOPT_SEEKDATA, context))
        note(sonde_curl_set_socket_function(easy, openSocket))
    }

    private func setBody(_ exchange: CurlExchange) {
        if let upload = exchange.upload {
            set(CURLOPT_UPLOAD, 1)
            set(CURLOPT_INFILESIZE_LARGE, offset: upload.byteCount)
            if upload.bytesPerSecond > 0 {
                set(CURLOPT_MAX_SEND_SPEED_LARGE, offset: upload.bytesPerSecond)
            }
        } else if !exchange.request.body.isEmpty {
            set(CURLOPT_POST, 1)
            set(CURLOPT_POSTFIELDSIZE_LARGE, offset: Int64(exchange.request.body.count))
            exchange.request.body.withUnsafeBytes { body in
                // Safety: libcurl only reads, and copies, so the pointer need not outlive the call.
                let bytes = UnsafeMutableRawPointer(mutating: body.baseAddress)
                note(sonde_curl_set_pointer(easy, CURLOPT_COPYPOSTFIELDS, bytes))
            }
        } else if exchange.request.method == "HEAD" {
            set(CURLOPT_NOBODY, 1)
        } else if exchange.request.method != "GET" {
            set(CURLOPT_POST, 1)
            set(CURLOPT_POSTFIELDSIZE, 0)
        }
    }

    private func setLimits(_ exchange: CurlExchange) {
        let seconds = exchange.request.timeoutSeconds
        let milliseconds = seconds.isFinite ? Int(max(1, min(seconds * 1000, 86_400_000))) : 0
        set(CURLOPT_CONNECTTIMEOUT_MS, milliseconds == 0 ? 10_000 : min(milliseconds, 10_000))
        if exchange.upload == nil, exchange.pieces == nil {
            set(CURLOPT_TIMEOUT_MS, milliseconds)
        } else {
            set(CURLOPT_LOW_SPEED_LIMIT, 1)
            set(CURLOPT_LOW_SPEED_TIME, max(1, milliseconds / 1000))
        }
    }

    private func headerList(
        _ request: HTTPClientRequest, _ configuration: HTTPClientConfiguration
    ) -> UnsafeMutablePointer<curl_slist>? {
        var lines: [String] = []
        if let token = configuration.token, !token.isEmpty {
            lines.append("Authorization: Bearer \(token)")
        }
        if let tenant = configuration.tenant, !tenant.isEmpty {
            lines.append("X-Scope-OrgID: \(tenant)")
        }
        lines += request.headers.map { "\($0.name): \($0.value)" }
        // Without these libcurl adds its own: a wait for 100 Continue, and a form's content type.
        lines.append("Expect:")
        if !request.headers.contains(where: { $0.name.lowercased() == "content-type" }) {
            lines.append("Content-Type:")
        }
        var list: UnsafeMutablePointer<curl_slist>?
        for line in lines {
            // A line break inside a value would begin another header field.
            guard line.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }),
                let longer = curl_slist_append(list, line)
            else {
                isComplete = false
                continue
            }
            list = longer
        }
        return list
    }

    private func set(_ option: CURLoption, _ value: Int) {
        note(sonde_curl_set_long(easy, option, value))
    }

    private func set(_ option: CURLoption, offset: Int64) {
        note(sonde_curl_set_offset(easy, option, curl_off_t(offset)))
    }

    private func set(_ option: CURLoption, _ value: String?) {
        note(sonde_curl_set_string(easy, option, value))
    }

    private func note(_ code: CURLcode) {
        if code != CURLE_OK { isComplete = false }
    }
}

/// The exchange behind the pointer that libcurl gives back.
///
/// Safety: the pointer is the one that `setFunctions` made, and `CurlConnection.perform` keeps the
/// exchange alive while libcurl may call.
private func exchange(_ context: UnsafeMutableRawPointer?) -> CurlExchange? {
    context.map { Unmanaged<CurlExchange>.fromOpaque($0).takeUnretainedValue() }
}

private let takeBody: sonde_curl_data_function = { data, size, count, context in
    let length = size * count
    // Safety: libcurl gives `size * count` readable bytes for the time of this call.
    let piece = UnsafeRawBufferPointer(start: data, count: length)
    return exchange(context)?.receive(body: piece) == true ? length : 0
}

private let takeHeader: sonde_curl_data_function = { data, size, count, context in
    let length = size * count
    // Safety: as in `takeBody`.
    let line = UnsafeRawBufferPointer(start: data, count: length)
    return exchange(context)?.receive(headerLine: line) == true ? length : 0
}

private let giveUpload: sonde_curl_data_function = { data, size, count, context in
    // Safety: libcurl gives `size * count` writable bytes for the time of this call.
    let room = UnsafeMutableRawBufferPointer(start: data, count: size * count)
    return exchange(context)?.readUpload(into: room) ?? Int(CURL_READFUNC_ABORT)
}

private let seekUpload: sonde_curl_seek_function = { context, offset, origin in
    guard origin == SEEK_SET, exchange(context)?.seekUpload(to: Int64(offset)) == true else {
        return CURL_SEEKFUNC_FAIL
    }
    return CURL_SEEKFUNC_OK
}

private let openSocket: sonde_curl_socket_function = { _, _, address in
    guard let address else { return -1 }
    let kind = address.pointee.socktype | Int32(SOCK_CLOEXEC.rawValue)
    return HighDescriptor.moved(
        socket(address.pointee.family, kind, address.pointee.protocol))
}
