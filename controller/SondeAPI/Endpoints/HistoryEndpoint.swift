// SPDX-License-Identifier: Apache-2.0
// GET /api/v1/history: who added, changed and removed probes, and why.

internal import SondeModel
internal import SondeStore

/// `GET /api/v1/history`.
enum HistoryEndpoint {
    static func route(_ services: Services) -> Route {
        Route("GET", "/api/v1/history", .read) { request throws(APIError) in
            let limit = try request.integer("limit", default: 100, in: 1...10_000)
            let entries: [AuditEntry]
            do throws(StoreError) {
                entries = try services.control.probeHistory(
                    of: request.query("probe"), service: request.query("service"), limit: limit)
            } catch { throw APIError(error) }
            var json = JSONWriter()
            json.object { json in
                json.member("entries") { json in
                    json.array(entries) { json, entry in
                        json.object { json in
                            json.member("timeMs", entry.time.unixMilliseconds)
                            json.member("who", entry.who)
                            json.member("what", entry.what)
                        }
                    }
                }
            }
            return HTTPResponse(json: json)
        }
    }
}
