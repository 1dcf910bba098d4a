// SPDX-License-Identifier: Apache-2.0
// POST /ingest: profiles as Pyroscope's SDKs send them, in any of their formats.

internal import SondeFormats
internal import SondeModel
internal import SondeWire

/// `POST /ingest`, also as `/pyroscope/ingest`.
///
/// What the answer 200, always with an empty body, was given for is on disk. What cannot be read is
/// 422; the rest is as `/push.v1.PusherService/Push`.
enum IngestEndpoint {
    static func routes(_ services: Services) -> [Route] {
        ["/ingest", "/pyroscope/ingest"].map { path in
            Route("POST", path, .ingest, body: .collected(limit: services.limits.pushBytes)) {
                request throws(APIError) in
                var intake = try ProfileIntake(services, for: request)
                let parameters: IngestParameters
                do throws(APIError) {
                    parameters = try IngestParameters(request, now: services.now())
                } catch {
                    intake.count(Refusal(reason: "bad_labels", message: error.message))
                    throw error
                }
                // Spans of clients of old, whose profiles Pyroscope drops without a word, too.
                if parameters.name["profile_id"] == nil, !request.body.isEmpty {
                    intake.attempt { intake throws(Refusal) in
                        try IngestReader(request, parameters).read(into: &intake)
                    }
                }
                try intake.store(as: .unprocessable)
                return HTTPResponse(status: 200)
            }
        }
    }
}

/// Reads the body of one request.
struct IngestReader {
    private let head: RequestHead
    private let body: [UInt8]
    private let parameters: IngestParameters

    init(_ request: APIRequest, _ parameters: IngestParameters) {
        head = request.head
        body = request.body
        self.parameters = parameters
    }

    private var isMultipart: Bool { head.mediaType == "multipart/form-data" }

    /// Reads the body, and hands what is in it to an intake.
    func read(into intake: inout ProfileIntake) throws(Refusal) {
        switch parameters.body {
        // Several senders say a format and send a form all the same.
        case .pprof where !isMultipart: try pprof(body, into: &intake)
        case .multipart, .pprof: try multipart(into: &intake)
        case .jfr: try jfr(into: &intake)
        default: try named(into: &intake)
        }
    }

    /// Reads a format whose stacks are names.
    private func named(into intake: inout ProfileIntake) throws(Refusal) {
        let bytes = try intake.expanded(body)
        let limits = Self.limits(intake)
        let profiles = NamedProfiles(parameters)
        if parameters.body == .speedscope {
            let list = try Self.reading { () throws(FormatError) in
                try SpeedscopeDocument.read(bytes, limits: limits)
            }
            return try profiles.keep(list, bytes: bytes.count, in: &intake)
        }
        let stacks = try Self.reading { () throws(FormatError) in
            switch parameters.body {
            case .trie: try PyroscopeTrie.read(bytes, limits: limits)
            case .tree: try PyroscopeTree.read(bytes, limits: limits)
            case .lines: try FoldedStacks.readLines(bytes, limits: limits)
            default: try FoldedStacks.read(bytes, limits: limits)
            }
        }
        try profiles.keep(stacks, bytes: bytes.count, in: &intake)
    }

    /// Reads a recording: alone, or in a form with the labels that it refers to.
    private func jfr(into intake: inout ProfileIntake) throws(Refusal) {
        var recording = body
        var labels: [UInt8] = []
        if isMultipart {
            let form = try form()
            guard let part = form["jfr"] else { throw Self.lacks("jfr", form) }
            recording = Array(part)
            labels = form["labels"].map { Array($0) } ?? []
        }
        guard !recording.isEmpty else { return }
        let bytes = try intake.expanded(recording)
        let explanation = try intake.expanded(labels)
        let limits = Self.limits(intake)
        let period = JFRProfiles.samplePeriod(parameters)
        let (profiles, snapshot) = try Self.reading { () throws(FormatError) in
            (
                try JFRRecording.read(bytes, samplePeriodNanoseconds: period, limits: limits),
                try LabelsSnapshot.decode(explanation, limits: limits)
            )
        }
        try JFRProfiles(parameters, labels: snapshot).keep(
            profiles, bytes: bytes.count, in: &intake)
    }

    private static func limits(_ intake: ProfileIntake) -> FormatLimits {
        var limits = FormatLimits()
        limits.bytes = intake.limits.profileBytes
        limits.stackDepth = intake.limits.stackDepth
        return limits
    }

    private static func lacks(_ part: String, _ form: MultipartForm) -> Refusal {
        let names = form.parts.map(\.name).joined(separator: ", ").quotedForMessage
        return Refusal(
            reason: "malformed",
            message: "cannot read the form: got the parts \(names); want one that is called \(part)"
        )
    }

    static func reading<Content>(
        _ body: () throws(FormatError) -> Content
    ) throws(Refusal) -> Content {
        do throws(FormatError) { return try body() } catch { throw Refusal(error) }
    }

    private func form() throws(Refusal) -> MultipartForm {
        do throws(MultipartError) {
            return try MultipartForm(body, contentType: head.header("content-type") ?? "")
        } catch {
            throw Refusal(reason: "malformed", message: error.description)
        }
    }

    private func multipart(into intake: inout ProfileIntake) throws(Refusal) {
        let form = try form()
        if let base = form["prev_profile"], !base.isEmpty {
            throw Refusal(
                reason: "unsupported",
                message:
                    "cannot read a profile that is the difference to another one: got the part prev_profile; want a client that sends differences itself"
            )
        }
        guard let profile = form["profile"] else { throw Self.lacks("profile", form) }
        try pprof(Array(profile), displayNames: displayNames(form), into: &intake)
    }

    private func displayNames(_ form: MultipartForm) throws(Refusal) -> [String: String]? {
        guard let bytes = form["sample_type_config"], !bytes.isEmpty else { return nil }
        var names: [String: String] = [:]
        var reader = JSONReader(Array(bytes))
        do throws(JSONError) {
            try reader.object { reader, type throws(JSONError) in
                guard !reader.null() else { return }
                guard names.count < 1000 else { throw reader.unexpected("at most 1000 types") }
                names[type] = ""
                try reader.object { reader, name throws(JSONError) in
                    guard name == "display-name", !reader.null() else { return try reader.skip() }
                    names[type] = try reader.string()
                }
            }
            try reader.end()
        } catch {
            throw Refusal(
                reason: "malformed", message: "sample_type_config: \(error.description)")
        }
        return names
    }

    private func pprof(
        _ sent: [UInt8], displayNames: [String: String]? = nil, into intake: inout ProfileIntake
    ) throws(Refusal) {
        guard !sent.isEmpty else { return }
        let raw = try intake.expanded(sent)
        let isDotnet = PprofRepairs.isDotnet(spy: parameters.spy, displayNames: displayNames)
        var document = try intake.document(raw, isChecked: !isDotnet)
        var isChanged = false
        if isDotnet {
            isChanged = PprofRepairs.dotnet(&document)
            do throws(PprofError) { try document.check() } catch { throw Refusal(error) }
        }
        isChanged = PprofRepairs.time(&document, parameters) || isChanged
        isChanged = PprofRepairs.names(&document, spy: parameters.spy) || isChanged
        let metric = PprofNaming.name(document.sampleTypes, displayNames: displayNames)
        let labels = try intake.checked(
            parameters.labels(
                metric: metric.isEmpty ? "process_cpu" : metric,
                service: parameters.name.application, application: nil))
        try intake.keep(document, labels, bytes: raw.count, original: isChanged ? nil : sent)
    }
}
