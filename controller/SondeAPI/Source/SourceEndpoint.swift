// SPDX-License-Identifier: Apache-2.0
// GET /api/v1/source: a source file with the cost of each line, and where a probe can be set.

internal import SondeModel
internal import SondeQuery
internal import SondeStore
internal import SondeSymbols

/// `GET /api/v1/source`.
enum SourceEndpoint {
    static func route(_ services: Services) -> Route {
        Route("GET", "/api/v1/source", .read) { request throws(APIError) in
            guard let service = request.query("service"), let file = request.query("file") else {
                throw APIError(
                    .invalidArgument,
                    "cannot show source: got no \(request.query("service") == nil ? "service" : "file"); want both"
                )
            }
            var query = try ProfileQuery(request, services)
            if request.query("selector") == nil { query.selector = Selector(service: service) }
            let merged = try query.merged()
            let survey = try SourceSurvey(file, of: service, merged.stacks, services)
            return HTTPResponse(json: answer(survey, query, merged, service, services))
        }
    }

    /// Agents send a profile of each type every ten seconds.
    private static let profileSeconds = 10.0

    private static func answer(
        _ survey: SourceSurvey, _ query: ProfileQuery, _ merged: MergedStacks, _ service: String,
        _ services: Services
    ) -> JSONWriter {
        let costs = LineCosts(merged.stacks, survey.locations)
        let found = SourceText.find(
            survey.file,
            survey.builds.map {
                .init(buildID: $0.buildID, digests: survey.digests[$0.buildID] ?? [])
            },
            services)
        let version = services.agents.agents().lazy.map(\.entry)
            .first { $0.service == service && !$0.version.isEmpty }?.version
        var json = JSONWriter()
        json.object { json in
            json.member("service", service)
            json.member("file", survey.file)
            json.member("type", query.type.description)
            json.member("unit", query.type.sampleUnit)
            json.member("profiles", merged.profileCount)
            json.member("total", costs.total)
            json.member("inFile", costs.inFile)
            json.member("ofFunctions", costs.ofFunctions)
            json.member("withoutLine", costs.withoutLine)
            json.member("ofOthers", costs.ofOthers)
            json.member("builds") { json in
                json.array(survey.builds) { json, build in
                    json.object { json in
                        json.member("buildID", build.buildID.description)
                        json.member("image", build.name)
                    }
                }
            }
            if let found {
                json.member("text", String(decoding: found.bytes, as: UTF8.self))
                json.member("source") { found.write(to: &$0) }
            }
            let link = services.sources.link(
                to: survey.file, found: found?.path, version: version ?? "")
            if let link { json.member("link", link) }
            json.member("lines") { json in
                let seconds = Double(merged.profileCount) * profileSeconds
                let isTime = query.type.sampleUnit == "nanoseconds"
                let lines = Set(costs.lines.keys).union(survey.code.keys).sorted()
                json.array(lines) { json, line in
                    write(
                        line, costs.lines[line] ?? .init(), survey.code[line] ?? .init(),
                        seconds: isTime ? seconds : 0, to: &json)
                }
            }
            json.member("notes") { $0.array(notes(survey, found, services)) }
        }
        return json
    }

    private static func write(
        _ line: UInt32, _ cost: LineCosts.Cost, _ code: LineCode, seconds: Double,
        to json: inout JSONWriter
    ) {
        json.object { json in
            json.member("line", line)
            json.member("self", cost.selfValue)
            json.member("total", cost.total)
            json.member("code", code.isStatement)
            let forecast = HitForecast(
                ownNanoseconds: cost.selfValue, seconds: seconds, codeBytes: code.bytes,
                copies: code.runs)
            if let forecast {
                json.member("hitsPerSecond", forecast.hitsPerSecond)
                json.member("probeShare", forecast.share)
            }
        }
    }

    private static func notes(
        _ survey: SourceSurvey, _ found: SourceText?, _ services: Services
    ) -> [String] {
        var notes: [String] = []
        if survey.builds.count > 1 {
            notes.append(
                "\(survey.builds.count) builds are added up here; where the file differs between them, so do its lines"
            )
        }
        guard let found else {
            notes.append(
                "no folder of source.roots and no bundle (sonde source push) has this file; what is shown comes from the line table"
            )
            return notes
        }
        if let note = found.note { notes.append(note) }
        let last = survey.code.keys.max() ?? 0
        let lines = found.bytes.count { $0 == UInt8(ascii: "\n") } + 1
        if Int(last) > lines {
            notes.append(
                "the file has \(lines) lines and the program has code on line \(last): the text is not that of this build"
            )
        }
        return notes
    }
}
