// SPDX-License-Identifier: Apache-2.0
// GET /api/v1/services and /api/v1/series: what there is to look at.

internal import SondeModel
internal import SondeQuery
internal import SondeStore

/// `GET /api/v1/services` and `GET /api/v1/series`.
enum SeriesEndpoints {
    static func services(_ services: Services) -> Route {
        Route("GET", "/api/v1/services", .read) { request throws(APIError) in
            let range = try ProfileQuery.range(request, services)
            let series = try ProfileReading(request, services).series(in: range)
            var types: [String: Set<ProfileType>] = [:]
            for one in series {
                types[one.labels[LabelName.service] ?? "unknown_service", default: []].insert(
                    one.type)
            }
            var agents: [String: Int] = [:]
            for (entry, isConnected) in services.agents.agents() where isConnected {
                agents[entry.service, default: 0] += 1
            }
            let names = Set(types.keys).union(agents.keys).sorted()
            var json = JSONWriter()
            json.object { json in
                json.member("services") { json in
                    json.array(names) { json, name in
                        json.object { json in
                            json.member("name", name)
                            json.member("profileTypes") { write(types[name] ?? [], to: &$0) }
                            json.member("agents", agents[name] ?? 0)
                        }
                    }
                }
            }
            return HTTPResponse(json: json)
        }
    }

    static func series(_ services: Services) -> Route {
        Route("GET", "/api/v1/series", .read) { request throws(APIError) in
            let range = try ProfileQuery.range(request, services)
            let selector = try ProfileQuery.selector(request)
            let series = try ProfileReading(request, services).series(in: range, [selector])
            let sorted = series.map { ($0, sortKey($0)) }.sorted { $0.1 < $1.1 }.map(\.0)
            var json = JSONWriter()
            json.object { json in
                json.member("series") { json in
                    json.array(sorted) { json, one in
                        json.object { json in
                            json.member("type", one.type.description)
                            json.member("labels") { json in
                                json.object { json in
                                    for label in one.labels.labels {
                                        json.member(label.name, label.value)
                                    }
                                }
                            }
                        }
                    }
                }
            }
            return HTTPResponse(json: json)
        }
    }

    private static func sortKey(_ series: ProfileSeries) -> String {
        series.type.description
            + series.labels.labels.map { "\u{0}\($0.name)\u{0}\($0.value)" }.joined()
    }

    private static func write(_ types: Set<ProfileType>, to json: inout JSONWriter) {
        // CPU time first: it is what a reader most likely wants.
        let sorted = types.sorted { left, right in
            (left != .cpu ? 1 : 0, left.description) < (right != .cpu ? 1 : 0, right.description)
        }
        json.array(sorted) { json, type in
            json.object { json in
                json.member("id", type.description)
                json.member("name", ProfileTypeName.short(type))
                json.member("unit", type.sampleUnit)
            }
        }
    }
}
