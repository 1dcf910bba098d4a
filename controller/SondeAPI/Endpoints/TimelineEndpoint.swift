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
            let points = try ProfileQuery.reading { () throws(StoreError) in
                try services.profiles.timeline(
                    query.type, in: query.range, stepNanoseconds: step,
                    where: { query.selector.matches($0, type: query.type) })
            }
            if let problem = query.selector.problem { throw APIError(problem) }
            var json = JSONWriter()
            json.object { json in
                json.member("unit", query.type.sampleUnit)
                json.member("stepMs", step / 1_000_000)
                json.member("points") { json in
                    json.array(points) { json, point in
                        json.array([point.time.unixMilliseconds, point.value])
                    }
                }
            }
            return HTTPResponse(json: json)
        }
    }
}
