// SPDX-License-Identifier: Apache-2.0
// What the query of /ingest says of the profile in the body.

internal import SondeModel

/// What the query of `/ingest` says of the profile in the body.
struct IngestParameters {
    /// What body it is.
    enum Body: Hashable {
        case trie, tree, lines, jfr, pprof, speedscope, multipart, folded
    }

    var name: ApplicationName
    /// When the profile began and ended.
    var from: Timestamp
    var until: Timestamp
    /// Whether the client says so, or they are only the present.
    var hasTimes: Bool
    /// Samples per second.
    var sampleRate: Int
    /// Which client sent it.
    var spy: String
    var body: Body

    /// Reads a request's query.
    ///
    /// - Throws: ``APIError`` `invalidArgument` when there is no name, or none that can be read.
    init(_ request: APIRequest, now: Timestamp) throws(APIError) {
        guard let text = request.query("name") else {
            throw APIError(
                .invalidArgument,
                "cannot store profiles: got no name; want name=app.cpu{label=value}")
        }
        name = try ApplicationName(text)
        from = request.query("from").map { AttimeExpression.time($0, now: now) } ?? now
        until = request.query("until").map { AttimeExpression.time($0, now: now) } ?? now
        hasTimes = request.query("from") != nil
        // As Pyroscope: what is no rate is the usual one.
        sampleRate = request.query("sampleRate").flatMap { UInt32($0) }.map(Int.init) ?? 100
        spy = request.query("spyName") ?? "unknown"
        body = Self.body(request.query("format") ?? "", request.head)
    }

    /// How long the profile lasted, in nanoseconds; 0 when unknown.
    var durationNanoseconds: Int64 {
        let (span, overflow) = until.unixNanoseconds.subtractingReportingOverflow(
            from.unixNanoseconds)
        return overflow ? 0 : max(0, span)
    }

    /// The order of the tests is Pyroscope's.
    private static func body(_ format: String, _ head: RequestHead) -> Body {
        let type = head.mediaType
        if format == "trie" || type == "binary/octet-stream+trie" { return .trie }
        if format == "tree" || type == "binary/octet-stream+tree" { return .tree }
        switch format {
        case "lines": return .lines
        case "jfr": return .jfr
        case "pprof": return .pprof
        case "speedscope": return .speedscope
        default: return type == "multipart/form-data" ? .multipart : .folded
        }
    }

    /// The labels of a series.
    ///
    /// - Parameters:
    ///   - metric: The value of `__name__`.
    ///   - service: The service, where the name's labels say none.
    ///   - application: The value of `app_name` where they do say one; `nil` for none.
    /// - Returns: The labels, without the private ones that a client may not set.
    func labels(metric: String, service: String, application: String?) -> [Label] {
        var labels = name.labels.filter { !$0.name.hasPrefix("__") }
        func add(_ name: String, _ value: String) {
            guard !labels.contains(where: { $0.name == name }) else { return }
            labels.append(Label(name: name, value: value))
        }
        if let application, labels.contains(where: { $0.name == LabelName.service }) {
            add("app_name", application)
        }
        add(LabelName.service, service)
        add("pyroscope_spy", spy)
        add(LabelName.metric, metric)
        return labels
    }
}
