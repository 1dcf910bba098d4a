// SPDX-License-Identifier: Apache-2.0
// GET /api/v1/top: the hottest functions.

internal import SondeModel
internal import SondeQuery
internal import SondeStore

/// `GET /api/v1/top`.
enum TopEndpoint {
    static func route(_ services: Services) -> Route {
        Route("GET", "/api/v1/top", .read) { request throws(APIError) in
            let query = try ProfileQuery(request, services)
            let limit = try request.integer("limit", default: 100, in: 1...TopTable.largestLimit)
            let merged = try query.merged()
            let table = TopTable(merged.stacks.symbolized(by: services.symbols), limit: limit)
            var json = JSONWriter()
            json.object { json in
                json.member("type", query.type.description)
                json.member("unit", query.type.sampleUnit)
                json.member("total", table.total)
                json.member("profiles", merged.profileCount)
                json.member("functions") { json in
                    json.array(table.functions) { json, function in write(function, to: &json) }
                }
                json.member("notes") { $0.array(services.symbolNotes(merged.stacks)) }
            }
            return HTTPResponse(json: json)
        }
    }

    private static func write(_ function: TopTable.Function, to json: inout JSONWriter) {
        json.object { json in
            json.member("name", function.frame.name)
            json.member("file", function.frame.file)
            json.member("line", function.frame.startLine)
            json.member("module", function.frame.module)
            json.member("kind", function.frame.kind.rawValue)
            json.member("self", function.selfValue)
            json.member("total", function.total)
        }
    }
}
