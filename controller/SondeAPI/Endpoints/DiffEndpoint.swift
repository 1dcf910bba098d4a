// SPDX-License-Identifier: Apache-2.0
// GET /api/v1/diff: how two selections of profiles differ.

internal import SondeModel
internal import SondeQuery
internal import SondeStore

/// `GET /api/v1/diff`.
enum DiffEndpoint {
    static func route(_ services: Services) -> Route {
        Route("GET", "/api/v1/diff", .read) { request throws(APIError) in
            let reading = try ProfileReading(request, services)
            let left = try ProfileQuery(request, reading, side: "left")
            let right = try ProfileQuery(request, reading, side: "right")
            guard left.type == right.type else {
                throw APIError(
                    .invalidArgument,
                    "cannot compare: got the profile types \(left.type) and \(right.type); "
                        + "want one on both sides")
            }
            let limit = try request.integer(
                "maxNodes", default: FlameGraph.defaultMaximumNodes,
                in: 1...FlameGraph.largestMaximumNodes)
            let merged = (left: try left.merged(), right: try right.merged())
            let pair = StackPair(
                left: merged.left.stacks.symbolized(by: services.symbols),
                right: merged.right.stacks.symbolized(by: services.symbols))
            let graph = FlameGraphDiff(pair, maximumNodes: limit)
            var json = JSONWriter()
            json.object { json in
                json.member("type", left.type.description)
                json.member("unit", left.type.sampleUnit)
                json.member("left") { write(left, merged.left, graph.leftTotal, to: &$0) }
                json.member("right") { write(right, merged.right, graph.rightTotal, to: &$0) }
                json.member("truncated", graph.isTruncated)
                FrameColumns(graph.frames).write(to: &json)
                write(graph, to: &json)
                let notes = Set(services.symbolNotes(merged.left.stacks))
                    .union(services.symbolNotes(merged.right.stacks))
                json.member("notes") { $0.array(notes.sorted()) }
            }
            return HTTPResponse(json: json)
        }
    }

    private static func write(
        _ query: ProfileQuery, _ merged: MergedStacks, _ total: Int64, to json: inout JSONWriter
    ) {
        json.object { json in
            json.member("from", query.range.from.unixMilliseconds)
            json.member("until", query.range.until.unixMilliseconds)
            json.member("profiles", merged.profileCount)
            json.member("total", total)
        }
    }

    private static func write(_ graph: FlameGraphDiff, to json: inout JSONWriter) {
        json.member("nodes") { json in
            json.object { json in
                json.member("parent") { $0.array(graph.parents) }
                json.member("frame") { $0.array(graph.frameIndices) }
                json.member("leftSelf") { $0.array(graph.left.lazy.map(\.own)) }
                json.member("leftTotal") { $0.array(graph.left.lazy.map(\.total)) }
                json.member("rightSelf") { $0.array(graph.right.lazy.map(\.own)) }
                json.member("rightTotal") { $0.array(graph.right.lazy.map(\.total)) }
            }
        }
    }
}
