// SPDX-License-Identifier: Apache-2.0
// What a request to Loki's query API asks for: from the query and from a form in the body.

internal import SondeModel
internal import SondeQuery
internal import SondeStore

/// The parameters of one request, however they were sent.
struct LokiParameters {
    private let items: [RequestTarget.Item]
    private let now: Timestamp

    /// The parameters of a request.
    ///
    /// - Throws: ``APIError`` when the body is no form.
    init(_ request: APIRequest, now: Timestamp) throws(APIError) {
        self.now = now
        guard !request.body.isEmpty else {
            items = request.target.query
            return
        }
        guard request.head.mediaType == "application/x-www-form-urlencoded" else {
            throw APIError(
                .invalidArgument,
                "cannot read the request: got the content type "
                    + "\(request.head.mediaType.quotedForMessage); "
                    + "want application/x-www-form-urlencoded")
        }
        let form = "/?" + String(decoding: request.body, as: UTF8.self)
        items = try RequestTarget(parsing: form).query + request.target.query
    }

    /// The first value of a name; `nil` when there is none or it is empty.
    func value(_ name: String) -> String? {
        items.first { $0.name == name && !$0.value.isEmpty }?.value
    }

    /// All values of a name.
    func values(_ name: String) -> [String] {
        items.filter { $0.name == name && !$0.value.isEmpty }.map(\.value)
    }

    /// The query, which has to be there.
    func query() throws(APIError) -> LogQuery {
        do throws(QueryError) { return try LogQuery(value("query") ?? "") } catch {
            throw APIError(error)
        }
    }

    /// The query, which has to be one that counts lines.
    func metricQuery() throws(APIError) -> LogMetricQuery {
        do throws(QueryError) { return try LogMetricQuery(value("query") ?? "") } catch {
            throw APIError(error)
        }
    }

    /// The times of a metric query over a range: from its start to its end, by `step`.
    ///
    /// - Throws: ``APIError`` when the step cannot be read, or there are too many.
    func steps() throws(APIError) -> LogMetricSteps {
        guard let range = try range() else {
            throw APIError(
                .invalidArgument, "end timestamp must not be before or equal to start time")
        }
        let until = range.until.advanced(byNanoseconds: 1)
        let length = Double(until.unixNanoseconds) - Double(range.from.unixNanoseconds)
        var seconds = max(1, (length / 1e9 / 250).rounded(.down))
        if let text = value("step") {
            guard let given = LogQuery.seconds(ofDuration: text), given >= 0.001, given < 1e9
            else {
                throw APIError(
                    .invalidArgument,
                    "cannot read step: got \(text.quotedForMessage); want seconds, or a duration "
                        + "such as 15s")
            }
            seconds = given
        }
        guard
            let steps = LogMetricSteps(
                from: range.from, until: until, step: Int64((seconds * 1e9).rounded()))
        else {
            throw APIError(
                .invalidArgument,
                "exceeded maximum resolution of 11,000 points per time series. Try increasing the "
                    + "value of the step parameter")
        }
        return steps
    }

    /// The range of time: `start` and `end`, or `since` before `end`.
    ///
    /// - Parameter length: How many seconds before its end the range begins, unless said.
    /// - Returns: The range without the end itself; `nil` when that leaves nothing.
    /// - Throws: ``APIError`` when a time cannot be read, or the end lies before the start.
    func range(defaultSeconds length: Int64 = 3600) throws(APIError) -> TimeRange? {
        let end = try value("end").map { text throws(APIError) in
            try LokiTime.parse(text, name: "end")
        }
        // Now, and all that a client with a faster clock may have sent.
        let last = end ?? now
        var start = last.advanced(byNanoseconds: -length * 1_000_000_000)
        if let text = value("since") {
            guard let seconds = LogQuery.seconds(ofDuration: text), seconds >= 0 else {
                throw APIError(
                    .invalidArgument,
                    "cannot read since: got \(text.quotedForMessage); want a duration such as 5m")
            }
            start = last.advanced(byNanoseconds: -Int64(min(seconds, 9e9) * 1e9))
        }
        if let text = value("start") { start = try LokiTime.parse(text, name: "start") }
        guard start <= last else {
            throw APIError(
                .invalidArgument, "end timestamp must not be before or equal to start time")
        }
        return TimeRange(from: start, until: last.advanced(byNanoseconds: -1))
    }

    /// The most lines of the answer.
    func limit(atMost most: Int) throws(APIError) -> Int {
        guard let text = value("limit") else { return min(100, most) }
        guard let limit = Int(text), limit > 0 else {
            throw APIError(
                .invalidArgument,
                "cannot read limit: got \(text.quotedForMessage); want a number above 0")
        }
        guard limit <= most else {
            throw APIError(
                .invalidArgument,
                "max entries limit per query exceeded, limit > max_entries_limit_per_query "
                    + "(\(limit) > \(most))")
        }
        return limit
    }

    /// Whether the newest lines come first.
    func newestFirst() throws(APIError) -> Bool {
        switch value("direction")?.lowercased() ?? "backward" {
        case "backward": return true
        case "forward": return false
        case let other:
            throw APIError(
                .invalidArgument,
                "cannot read direction: got \(other.quotedForMessage); want backward or forward")
        }
    }
}

/// Reads points in time as Loki's clients write them.
enum LokiTime {
    /// Reads a point in time.
    ///
    /// - Parameters:
    ///   - text: Unix nanoseconds; seconds, when there are at most ten digits or a dot; or RFC 3339.
    ///   - name: What the parameter is called.
    /// - Returns: The point.
    /// - Throws: ``APIError`` when it is none.
    static func parse(_ text: String, name: String) throws(APIError) -> Timestamp {
        if let number = Int64(text) {
            guard text.utf8.count <= 10 else { return Timestamp(unixNanoseconds: number) }
            return Timestamp(unixMilliseconds: number * 1000)
        }
        if text.contains("."), let seconds = Double(text), abs(seconds) < 9e9 {
            return Timestamp(unixMilliseconds: Int64((seconds * 1000).rounded()))
        }
        if let time = rfc3339(text) { return time }
        throw APIError(
            .invalidArgument,
            "cannot read \(name): got \(text.quotedForMessage); want Unix nanoseconds, seconds, "
                + "or 2026-01-31T09:30:00Z")
    }

    /// `2026-01-31T09:30:00.123456789+02:00`.
    private static func rfc3339(_ text: String) -> Timestamp? {
        let bytes = Array(text.utf8)
        guard bytes.count >= 20, bytes.count <= 40, bytes[10] | 0x20 == UInt8(ascii: "t"),
            let day = UTCDay(name: String(decoding: bytes[..<10], as: UTF8.self)),
            bytes[13] == UInt8(ascii: ":"), bytes[16] == UInt8(ascii: ":"),
            let hour = number(bytes[11..<13], below: 24),
            let minute = number(bytes[14..<16], below: 60),
            let second = number(bytes[17..<19], below: 61)
        else { return nil }
        var rest = bytes[19...]
        var nanoseconds: Int64 = 0
        if rest.first == UInt8(ascii: ".") {
            let digits = rest.dropFirst().prefix { (48...57).contains($0) }
            guard !digits.isEmpty, digits.count <= 9 else { return nil }
            let padded = digits + Array(repeating: 48, count: 9 - digits.count)
            guard let value = number(padded, below: .max) else { return nil }
            nanoseconds = value
            rest = rest.dropFirst(digits.count + 1)
        }
        guard let offset = offset(rest) else { return nil }
        let seconds = day.number * 86_400 + hour * 3600 + minute * 60 + second - offset
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, carry) = product.addingReportingOverflow(nanoseconds)
        return overflow || carry ? nil : Timestamp(unixNanoseconds: sum)
    }

    /// The seconds that a zone is ahead of UTC.
    private static func offset(_ zone: ArraySlice<UInt8>) -> Int64? {
        let bytes = Array(zone)
        if bytes.count == 1, bytes[0] | 0x20 == UInt8(ascii: "z") { return 0 }
        guard bytes.count == 6, bytes[3] == UInt8(ascii: ":"),
            let hours = number(bytes[1..<3], below: 24),
            let minutes = number(bytes[4..<6], below: 60)
        else { return nil }
        switch bytes[0] {
        case UInt8(ascii: "+"): return hours * 3600 + minutes * 60
        case UInt8(ascii: "-"): return -(hours * 3600 + minutes * 60)
        default: return nil
        }
    }

    private static func number(_ digits: ArraySlice<UInt8>, below limit: Int64) -> Int64? {
        guard digits.allSatisfy({ (48...57).contains($0) }),
            let value = Int64(String(decoding: digits, as: UTF8.self)), value < limit
        else { return nil }
        return value
    }
}
