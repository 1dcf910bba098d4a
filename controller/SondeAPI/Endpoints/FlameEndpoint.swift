// SPDX-License-Identifier: Apache-2.0
// GET /api/v1/flame: merged stacks, as columns for the page or as a file for other tools.

internal import SondeFormats
internal import SondeModel
internal import SondeQuery
internal import SondeStore
internal import SondeWire

/// `GET /api/v1/flame`.
enum FlameEndpoint {
    static func route(_ services: Services) -> Route {
        Route("GET", "/api/v1/flame", .read) { request throws(APIError) in
            let format = try Self.format(request)
            let query = try ProfileQuery(request, services)
            let limit = try request.integer(
                "maxNodes", default: FlameGraph.defaultMaximumNodes,
                in: 1...FlameGraph.largestMaximumNodes)
            let merged = try query.merged()
            let frames = merged.stacks.symbolized(by: services.symbols)
            switch format {
            case .json:
                return json(
                    FlameGraph(frames, maximumNodes: limit), query, merged,
                    notes: services.symbolNotes(merged.stacks))
            case .text: return try text(frames, query, request)
            case .folded: return HTTPResponse(text: FoldedStacks.text(frames))
            case .pprof: return try pprof(merged.stacks, query, services)
            case .speedscope:
                return download(
                    "speedscope.json", "application/json",
                    SpeedscopeDocument.json(frames, type: query.type, name: title(query, request)))
            case .svg: return svg(frames, query, request)
            }
        }
    }

    private enum Format: String, CaseIterable {
        case json, text, folded, pprof, speedscope, svg
    }

    private static func format(_ request: APIRequest) throws(APIError) -> Format {
        guard let text = request.query("format") else { return .json }
        guard let format = Format(rawValue: text) else {
            throw APIError(
                .invalidArgument,
                "cannot read format: got \(text.quotedForMessage); want \(Format.allCases.map(\.rawValue).joined(separator: ", "))"
            )
        }
        return format
    }

    private static func title(_ query: ProfileQuery, _ request: APIRequest) -> String {
        let selector = request.query("selector") ?? "everything"
        return "\(selector) · \(ProfileTypeName.short(query.type))"
    }

    private static func text(
        _ frames: FrameTree, _ query: ProfileQuery, _ request: APIRequest
    ) throws(APIError) -> HTTPResponse {
        var writer = TextFlame()
        writer.width = try request.integer("width", default: writer.width, in: 40...100_000)
        if let share = request.query("minShare") {
            guard let value = Double(share), (0...1).contains(value) else {
                throw APIError(
                    .invalidArgument,
                    "cannot read minShare: got \(share.quotedForMessage); want 0...1")
            }
            writer.minimumShare = value
        }
        return HTTPResponse(text: writer.text(frames, unit: query.type.sampleUnit))
    }

    private static func pprof(
        _ stacks: LocationTree, _ query: ProfileQuery, _ services: Services
    ) throws(APIError) -> HTTPResponse {
        let (length, overflow) = query.range.until.unixNanoseconds.subtractingReportingOverflow(
            query.range.from.unixNanoseconds)
        let document = PprofDocument(
            stacks,
            PprofDocument.Description(
                type: query.type, start: query.range.from,
                durationNanoseconds: overflow ? 0 : length),
            names: CallLines(stacks, services).calls)
        do throws(GzipError) {
            var response = HTTPResponse(
                contentType: "application/octet-stream",
                body: try Gzip.compress(document.encode(), level: 3))
            response.set("Content-Disposition", "attachment; filename=\"profile.pb.gz\"")
            return response
        } catch {
            throw APIError(.internalError, error.description)
        }
    }

    private static func svg(
        _ frames: FrameTree, _ query: ProfileQuery, _ request: APIRequest
    ) -> HTTPResponse {
        let drawing = FlameGraphSVG(title: title(query, request), unit: query.type.sampleUnit)
        var response = HTTPResponse(
            contentType: "image/svg+xml", body: Array(drawing.document(frames).utf8))
        // The drawing has a style of its own and no scripts; opened by itself it can do nothing.
        response.set(
            "Content-Security-Policy",
            "default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'none'")
        return response
    }

    private static func download(_ name: String, _ type: String, _ text: String) -> HTTPResponse {
        var response = HTTPResponse(contentType: type, body: Array(text.utf8))
        response.set("Content-Disposition", "attachment; filename=\"profile.\(name)\"")
        return response
    }

    private static func json(
        _ graph: FlameGraph, _ query: ProfileQuery, _ merged: MergedStacks, notes: [String]
    ) -> HTTPResponse {
        var json = JSONWriter()
        json.object { json in
            json.member("type", query.type.description)
            json.member("unit", query.type.sampleUnit)
            json.member("from", query.range.from.unixMilliseconds)
            json.member("until", query.range.until.unixMilliseconds)
            json.member("profiles", merged.profileCount)
            json.member("total", graph.total)
            json.member("unresolved", graph.unresolved)
            json.member("truncated", graph.isTruncated)
            FrameColumns(graph.frames).write(to: &json)
            json.member("nodes") { json in
                json.object { json in
                    json.member("parent") { $0.array(graph.parents) }
                    json.member("frame") { $0.array(graph.frameIndices) }
                    json.member("self") { $0.array(graph.selfValues) }
                    json.member("total") { $0.array(graph.totals) }
                }
            }
            json.member("notes") { $0.array(notes) }
        }
        return HTTPResponse(json: json)
    }
}
