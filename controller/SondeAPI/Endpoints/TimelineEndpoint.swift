// SPDX-License-Identifier: Apache-2.0
// GET /api/v1/timeline: the sum of values in each step of time.

internal import SondeModel
internal import SondeQuery
internal import SondeStore

/// `GET /api/v1/timeline`.
enum TimelineEndpoint {
    /// The most groups that may be asked for.
    static let largestLimit = 1000

    static func route(_ services: Services) -> Route {
        Route("GET", "/api/v1/timeline", .read) { request throws(APIError) in
            let query = try ProfileQuery(request, services)
            let names = request.query("groupBy")?.split(separator: ",").map(String.init) ?? []
            let limit = try request.integer("limit", default: 20, in: 1...largestLimit)
            let step: Int64
            do throws(QueryError) {
                step = try TimelineStep.parse(request.query("step"), for: query.range)
            } catch { throw APIError(error) }
            // Steps that begin at a multiple of their length: each ends just before the next.
            let steps = TimelineSteps(
                lengthNanoseconds: step, origin: Timestamp(unixNanoseconds: -1))
            let type = query.type
            let groups = try query.reading.timeline(
                query.selection, [query.selector], steps: steps
            ) { labels in DerivedLabels.projection(labels, type: type, onto: names) }
            var json = JSONWriter()
            json.object { json in
                json.member("unit", query.type.sampleUnit)
                json.member("stepMs", step / 1_000_000)
                if names.isEmpty {
                    json.member("points") { write(groups[LabelSet()] ?? [], step, to: &$0) }
                } else {
                    json.member("groupCount", groups.count)
                    json.member("groups") { write(groups, step, limit: limit, to: &$0) }
                }
            }
            return HTTPResponse(json: json)
        }
    }

    /// The groups, that of the largest sum first.
    private static func write(
        _ groups: [LabelSet: [TimelinePoint]], _ step: Int64, limit: Int,
        to json: inout JSONWriter
    ) {
        let sorted = groups.map { labels, points in
            SeriesQuestion.Group(labels: labels, points: points)
        }.sorted { ($1.total, $0.labels.sortKey) < ($0.total, $1.labels.sortKey) }
        json.array(sorted.prefix(limit)) { json, group in
            json.object { json in
                json.member("labels") { json in
                    json.object { json in
                        for label in group.labels.labels { json.member(label.name, label.value) }
                    }
                }
                json.member("points") { write(group.points, step, to: &$0) }
            }
        }
    }

    private static func write(
        _ points: [TimelinePoint], _ step: Int64, to json: inout JSONWriter
    ) {
        json.array(points) { json, point in
            let begin = point.time.advanced(byNanoseconds: 1 - step)
            json.array([begin.unixMilliseconds, point.value])
        }
    }
}
