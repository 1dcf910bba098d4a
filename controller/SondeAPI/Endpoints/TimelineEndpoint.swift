// SPDX-License-Identifier: Apache-2.0
// GET /api/v1/timeline: the sum of values in each step of time.

internal import SondeModel
internal import SondeQuery
internal import SondeStore

/// `GET /api/v1/timeline`.
enum TimelineEndpoint {
    static func route(_ services: Services) -> Route {
        Route("GET", "/api/v1/timeline", .read) { request throws(APIError) in
            let query = try ProfileQuery(request, services)
            let step: Int64
            do throws(QueryError) {
                step = try TimelineStep.parse(request.query("step"), for: query.range)
            } catch { throw APIError(error) }
            // Steps that begin at a multiple of their length: each ends just before the next.
            let steps = TimelineSteps(
                lengthNanoseconds: step, origin: Timestamp(unixNanoseconds: -1))
            let points = try ProfileQuery.reading { () throws(StoreError) in
                try services.profiles.timeline(query.selection, steps: steps)
            }
            if let problem = query.selector.problem { throw APIError(problem) }
            var json = JSONWriter()
            json.object { json in
                json.member("unit", query.type.sampleUnit)
                json.member("stepMs", step / 1_000_000)
                json.member("points") { json in
                    json.array(points) { json, point in
                        let begin = point.time.advanced(byNanoseconds: 1 - step)
                        json.array([begin.unixMilliseconds, point.value])
                    }
                }
            }
            return HTTPResponse(json: json)
        }
    }
}
