// SPDX-License-Identifier: Apache-2.0
// Profiles as OpenTelemetry's protocol sends them over HTTP.

internal import SondeFormats
internal import SondeModel

/// `POST /v1development/profiles`, also under the name of its gRPC method.
///
/// What the answer 200 was given for is on disk; when some of a request is refused the rest is
/// stored, and the answer is 400 with what was refused and why.
enum OTLPEndpoint {
    private static let paths = [
        "/v1development/profiles",
        "/opentelemetry.proto.collector.profiles.v1development.ProfilesService/Export",
    ]

    static func routes(_ services: Services) -> [Route] {
        paths.map { path in
            Route("POST", path, .ingest, body: .collected(limit: services.limits.pushBytes)) {
                request throws(APIError) in
                let isJSON = try isJSON(request.head)
                var intake = try ProfileIntake(services, for: request)
                intake.attempt { intake throws(Refusal) in
                    try read(request.body, isJSON: isJSON, into: &intake)
                }
                try intake.store()
                return isJSON
                    ? HTTPResponse(contentType: "application/json", body: Array("{}".utf8))
                    : HTTPResponse(contentType: "application/x-protobuf", body: [])
            }
        }
    }

    private static func isJSON(_ head: RequestHead) throws(APIError) -> Bool {
        switch head.mediaType {
        case "application/x-protobuf", "application/protobuf": return false
        case "application/json": return true
        case let other:
            throw APIError(
                .unsupportedMediaType,
                "cannot read the profiles: got the content type \(other.quotedForMessage); want application/x-protobuf or application/json",
                headers: [HTTPHeader("Accept-Post", "application/x-protobuf, application/json")])
        }
    }

    private static func read(
        _ body: [UInt8], isJSON: Bool, into intake: inout ProfileIntake
    ) throws(Refusal) {
        var limits = FormatLimits()
        limits.bytes = intake.limits.pushBytes
        limits.stackDepth = intake.limits.stackDepth
        let profiles = try IngestReader.reading { () throws(FormatError) in
            isJSON
                ? try OTLPProfiles.decode(json: body, limits: limits)
                : try OTLPProfiles.decode(body[...], limits: limits)
        }
        let series = profiles.reduce(0) { $0 + $1.series.count }
        for profile in profiles {
            intake.dropped(sampleLabels: profile.droppedAttributes.count)
            for part in profile.series {
                intake.attempt { intake throws(Refusal) in
                    try keep(part, of: profile, bytes: body.count / series, in: &intake)
                }
            }
        }
    }

    private static func keep(
        _ series: OTLPSeries, of profile: OTLPProfile, bytes: Int, in intake: inout ProfileIntake
    ) throws(Refusal) {
        let (type, factor) = OTLPNaming.type(of: profile)
        let labels = try intake.checked(OTLPNaming.labels(of: series, in: profile, type.name))
        var stored = Profile(
            type: type, labels: labels.setting(LabelName.metric, to: nil),
            start: profile.start ?? intake.received,
            durationNanoseconds: profile.durationNanoseconds > 0
                ? profile.durationNanoseconds : 10_000_000_000,
            period: max(0, profile.period), stacks: series.stacks.multiplied(by: factor))
        stored.spans = series.spans.map {
            SpanStacks(span: $0.span, trace: $0.trace, stacks: $0.stacks.multiplied(by: factor))
        }
        try intake.keep(stored, bytes: bytes)
    }
}

/// What a profile of OpenTelemetry's is called here.
enum OTLPNaming {
    /// The type, and what its values are multiplied by.
    static func type(of profile: OTLPProfile) -> (ProfileType, factor: Int64) {
        let (sample, unit) = (profile.sampleType, profile.sampleUnit)
        if sample == "samples", unit == "count", profile.periodType == "cpu",
            profile.periodUnit == "nanoseconds", profile.period > 0
        {
            return (.cpu, profile.period)
        }
        // Types are parts of an id whose separator is a colon.
        func part(_ text: String) -> String { String(text.map { $0 == ":" ? "_" : $0 }) }
        let period = part(profile.periodType)
        let name =
            sample == "off_cpu" && unit == "nanoseconds"
            ? "off_cpu" : period.isEmpty ? "process_cpu" : period
        return (
            ProfileType(
                name: name, sampleType: sample.isEmpty ? "samples" : part(sample),
                sampleUnit: unit.isEmpty ? "count" : part(unit), periodType: period,
                periodUnit: part(profile.periodUnit)), 1
        )
    }

    /// The labels of a series: the nearest attribute of each name counts.
    static func labels(
        of series: OTLPSeries, in profile: OTLPProfile, _ metric: String
    ) -> [Label] {
        var labels: [Label] = []
        let all =
            series.attributes + profile.attributes + profile.scopeAttributes
            + profile.resourceAttributes
        for label in all where !label.name.isEmpty && !label.name.hasPrefix("__") {
            guard !labels.contains(where: { $0.name == label.name }) else { continue }
            labels.append(label)
        }
        func value(_ name: String) -> String? {
            labels.first { $0.name == name && !$0.value.isEmpty }?.value
        }
        let unknown =
            value("process.executable.name").map { "unknown_service:\($0)" } ?? "unknown_service"
        let service = value("service.name") ?? value(LabelName.service) ?? unknown
        labels.removeAll { $0.name == "service.name" || $0.name == LabelName.service }
        labels.append(Label(name: LabelName.service, value: service))
        labels.append(Label(name: LabelName.metric, value: metric))
        return labels
    }
}

extension StackTree where Key == Location {
    /// The same stacks with each value multiplied; saturates where the range ends.
    func multiplied(by factor: Int64) -> LocationTree {
        guard factor != 1 else { return self }
        let values = selfValues.map { value in
            let (product, overflow) = value.multipliedReportingOverflow(by: factor)
            return overflow ? (value < 0) == (factor < 0) ? .max : .min : product
        }
        return LocationTree(
            parents: parents, keyIndices: keyIndices, selfValues: values, keys: keys) ?? self
    }
}
