// SPDX-License-Identifier: Apache-2.0
// GET /api/v1/store, POST /api/v1/store/check and /api/v1/store/backup: what is on disk, and its care.

internal import SondeModel
package import SondeStore
internal import SondeWire

/// What can be done to the profile store beside writing and reading.
package struct StoreCare: Sendable {
    /// What it removed by itself.
    package var removals: @Sendable () -> RemovalHistory
    /// Reads everything and says what is damaged.
    package var check: @Sendable () -> StoreCheck
    /// Copies the data folder into a new one.
    package var backUp: @Sendable (String) throws(StoreError) -> Backup

    /// The care of a store that needs none.
    package init() {
        removals = { RemovalHistory() }
        check = { StoreCheck() }
        backUp = { (_) throws(StoreError) in
            throw StoreError(
                .rejected, "cannot back up: this controller keeps nothing; want one with a store")
        }
    }
}

/// `GET /api/v1/store`, `POST /api/v1/store/check` and `POST /api/v1/store/backup`.
enum StoreEndpoints {
    static func routes(_ services: Services) -> [Route] {
        [figures(services), check(services), backUp(services)]
    }

    private static func figures(_ services: Services) -> Route {
        // Of the whole store, whoever's profiles they are: for who looks after it.
        Route("GET", "/api/v1/store", services.hasTenants ? .administer : .read) {
            _ throws(APIError) in
            let figures = try APIError.ofStore { () throws(StoreError) in
                try services.profiles.statistics()
            }
            var json = JSONWriter()
            json.object { json in
                json.member("profiles", figures.profiles)
                json.member("bytes", figures.bytes)
                if let times = figures.times {
                    json.member("oldestMs", times.from.unixMilliseconds)
                    json.member("newestMs", times.until.unixMilliseconds)
                }
                json.member("services") { json in
                    let sorted = figures.services.sorted { $0.key < $1.key }
                    json.array(sorted) { json, service in
                        json.object { json in
                            json.member("name", service.key)
                            json.member("profiles", service.value.profiles)
                            json.member("series", service.value.series)
                            json.member("profileBytes", service.value.bytes)
                            json.member("stackNodes", service.value.nodes)
                            json.member("stackBytes", service.value.stackBytes)
                        }
                    }
                }
                if let bundles = services.bundles, let sources = try? bundles.figures() {
                    json.member("sources") { json in
                        json.object { json in
                            json.member("bundles", sources.bundles)
                            json.member("files", sources.files)
                            json.member("textBytes", sources.textBytes)
                            SourceBundleEndpoints.write(sources, bundles.limitBytes, to: &json)
                        }
                    }
                }
                json.member("removed") { json in
                    write(services.storeCare.removals(), to: &json)
                }
            }
            return HTTPResponse(json: json)
        }
    }

    private static func write(_ history: RemovalHistory, to json: inout JSONWriter) {
        json.array(history.latest) { json, removal in
            json.object { json in
                json.member("timeMs", removal.time.unixMilliseconds)
                json.member("day", removal.day)
                json.member("reason", removal.reason.name)
                if case .rule(let name) = removal.reason { json.member("rule", name) }
                if removal.profiles >= 0 { json.member("profiles", removal.profiles) }
                json.member("bytes", removal.bytes)
            }
        }
    }

    private static func check(_ services: Services) -> Route {
        Route("POST", "/api/v1/store/check", .administer) { request throws(APIError) in
            let found = services.storeCare.check()
            services.log.event(
                found.problems.isEmpty ? .info : .warn, "store checked",
                [
                    "by": request.principal.name, "databases": found.databases,
                    "profiles": found.profiles, "problems": found.problems.count,
                ])
            var json = JSONWriter()
            json.object { json in
                json.member("databases", found.databases)
                json.member("profiles", found.profiles)
                json.member("blocks", found.blocks)
                json.member("problems") { json in json.array(found.problems) }
            }
            return HTTPResponse(json: json)
        }
    }

    private static func backUp(_ services: Services) -> Route {
        Route(
            "POST", "/api/v1/store/backup", .administer,
            body: .collected(limit: services.limits.requestBytes)
        ) { request throws(APIError) in
            let folder = try folder(request)
            let backup = try APIError.ofStore { () throws(StoreError) in
                try services.storeCare.backUp(folder)
            }
            services.log.event(
                .info, "store backed up",
                ["by": request.principal.name, "folder": folder, "bytes": backup.bytes])
            var json = JSONWriter()
            json.object { json in
                json.member("folder", folder)
                json.member("databases", backup.databases)
                json.member("bytes", backup.bytes)
            }
            return HTTPResponse(json: json)
        }
    }

    private static func folder(_ request: APIRequest) throws(APIError) -> String {
        var folder = ""
        var reader = JSONReader(request.body)
        do throws(JSONError) {
            try reader.object { reader, name throws(JSONError) in
                if name == "folder" { folder = try reader.string() } else { try reader.skip() }
            }
            try reader.end()
        } catch { throw APIError(.invalidArgument, error.description) }
        guard !folder.isEmpty else {
            throw APIError(
                .invalidArgument, "cannot back up: got no folder; want {\"folder\": \"/path\"}")
        }
        return folder
    }
}
