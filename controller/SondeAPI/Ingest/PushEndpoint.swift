// SPDX-License-Identifier: Apache-2.0
// POST /push.v1.PusherService/Push: profiles as Pyroscope's clients send them.

internal import SondeModel
internal import SondeStore
internal import SondeWire

/// `POST /push.v1.PusherService/Push`.
///
/// What the answer 200 was given for is on disk. When some of a push is refused, the rest is stored
/// and the answer is an error that names what was refused, as Pyroscope does. A push beyond its
/// limit is an invalid argument there, not 429: clients would send the same again and again.
enum PushEndpoint {
    static func route(_ services: Services) -> Route {
        var route = Route(
            "POST", "/push.v1.PusherService/Push", .ingest,
            body: .collected(limit: services.limits.pushBytes)
        ) { request throws(APIError) in
            var intake = try ProfileIntake(services, for: request)
            let isJSON = try ConnectProcedure.isJSON(request.head)
            let push = try read(request, isJSON: isJSON, services)
            guard push.series.contains(where: { !$0.samples.isEmpty }) else {
                services.metrics.rejected.add(1, "empty")
                throw APIError(
                    .invalidArgument,
                    "cannot store profiles: got no series with samples; want at least one")
            }
            for series in push.series { intake.take(series) }
            try intake.store()
            return isJSON
                ? HTTPResponse(contentType: "application/json", body: Array("{}".utf8))
                : HTTPResponse(contentType: "application/proto", body: [])
        }
        route.tooLargeCode = .invalidArgument
        return route
    }

    private static func read(
        _ request: APIRequest, isJSON: Bool, _ services: Services
    ) throws(APIError) -> PushRequest {
        if isJSON {
            do throws(JSONError) { return try PushRequest(json: request.body) } catch {
                services.metrics.rejected.add(1, "malformed")
                throw APIError(.invalidArgument, error.description)
            }
        }
        do throws(ProtobufError) { return try PushRequest(decoding: request.body[...]) } catch {
            services.metrics.rejected.add(1, "malformed")
            throw APIError(.invalidArgument, error.description)
        }
    }
}

extension PushRequest {
    /// The most series and samples of a push in JSON, as in protobuf.
    private static let elementLimit = 65_536

    /// Reads a push in protobuf's JSON: names in either spelling, `null` is absent, what is unknown
    /// is passed over.
    init(json bytes: [UInt8]) throws(JSONError) {
        self.init()
        var reader = JSONReader(bytes)
        var series: [RawProfileSeries] = []
        try reader.object { reader, name throws(JSONError) in
            guard name == "series", !reader.null() else {
                return try reader.skipUnlessRead(name, "series")
            }
            try reader.array { reader throws(JSONError) in
                try reader.checkCount(series.count, Self.elementLimit, "series")
                series.append(try RawProfileSeries(&reader))
            }
        }
        try reader.end()
        self.series = series
    }
}

extension JSONReader {
    /// Passes over a value, unless it was a `null` under a known name, which is read already.
    fileprivate mutating func skipUnlessRead(_ name: String, _ known: String) throws(JSONError) {
        if name != known { try skip() }
    }

    fileprivate func checkCount(_ count: Int, _ limit: Int, _ what: String) throws(JSONError) {
        guard count < limit else {
            throw JSONError(
                "cannot read JSON: got more than \(limit) \(what); want at most \(limit)")
        }
    }
}

extension RawProfileSeries {
    fileprivate init(_ reader: inout JSONReader) throws(JSONError) {
        self.init()
        var labels: [Label] = []
        var samples: [RawSample] = []
        try reader.object { reader, name throws(JSONError) in
            switch name {
            case "labels" where !reader.null():
                try reader.array { reader throws(JSONError) in
                    try reader.checkCount(labels.count, 65_536, "labels")
                    labels.append(try Label(&reader))
                }
            case "samples" where !reader.null():
                try reader.array { reader throws(JSONError) in
                    try reader.checkCount(samples.count, 65_536, "samples")
                    samples.append(try RawSample(&reader))
                }
            case "labels", "samples": break
            default: try reader.skip()
            }
        }
        self.labels = labels
        self.samples = samples
    }
}

extension Label {
    fileprivate init(_ reader: inout JSONReader) throws(JSONError) {
        var label = Label(name: "", value: "")
        try reader.object { reader, name throws(JSONError) in
            switch name {
            case "name" where !reader.null(): label.name = try reader.string()
            case "value" where !reader.null(): label.value = try reader.string()
            case "name", "value": break
            default: try reader.skip()
            }
        }
        self = label
    }
}

extension RawSample {
    fileprivate init(_ reader: inout JSONReader) throws(JSONError) {
        self.init()
        var sample = RawSample()
        try reader.object { reader, name throws(JSONError) in
            switch name {
            case "rawProfile" where !reader.null(), "raw_profile" where !reader.null():
                sample.rawProfile = try reader.base64()
            case "ID" where !reader.null(): sample.id = try reader.string()
            case "rawProfile", "raw_profile", "ID": break
            default: try reader.skip()
            }
        }
        self = sample
    }
}
