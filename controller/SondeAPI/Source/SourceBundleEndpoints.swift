// SPDX-License-Identifier: Apache-2.0
// GET, PUT and DELETE of /api/v1/sources: the source files that were uploaded for a build.

internal import SondeFormats
internal import SondeModel
internal import SondeStore

/// `GET /api/v1/sources`, `PUT` and `DELETE /api/v1/sources/<build id>`.
enum SourceBundleEndpoints {
    static func routes(_ services: Services) -> [Route] {
        [list(services), push(services), remove(services)]
    }

    private static func store(_ services: Services) throws(APIError) -> SourceStore {
        guard let bundles = services.bundles else {
            throw APIError(
                .unavailable,
                "cannot keep sources: this controller keeps none; want one with a store")
        }
        return bundles
    }

    private static func list(_ services: Services) -> Route {
        Route("GET", "/api/v1/sources", .read) { _ throws(APIError) in
            let store = try store(services)
            let (bundles, figures): ([SourceStore.Entry], SourceStore.Figures)
            do throws(StoreError) {
                bundles = try store.list()
                figures = try store.figures()
            } catch { throw APIError(error) }
            var json = JSONWriter()
            json.object { json in
                json.member("bundles") { json in
                    json.array(bundles) { json, bundle in
                        json.object { json in
                            json.member("buildID", bundle.facts.buildID.description)
                            json.member("service", bundle.facts.service)
                            json.member("by", bundle.facts.who)
                            json.member("files", bundle.files)
                            json.member("textBytes", bundle.bytes)
                            json.member("receivedMs", bundle.facts.received.unixMilliseconds)
                            if let built = bundle.facts.built {
                                json.member("builtMs", built &* 1000)
                            }
                        }
                    }
                }
                write(figures, store.limitBytes, to: &json)
            }
            return HTTPResponse(json: json)
        }
    }

    /// Writes the figures as members.
    static func write(
        _ figures: SourceStore.Figures, _ limit: Int64, to json: inout JSONWriter
    ) {
        json.member("bytes", figures.bytes)
        json.member("limitBytes", limit)
        json.member("texts", figures.texts)
        json.member("removed", figures.removed)
    }

    private static func push(_ services: Services) -> Route {
        Route(
            "PUT", "/api/v1/sources/{buildID}", .develop,
            body: .collected(limit: services.limits.sourceBytes)
        ) { request throws(APIError) in
            let buildID = try UploadEndpoints.buildID(request)
            do throws(APIError) {
                let answer = try keep(request, buildID, services)
                services.metrics.sources.add(1, "stored")
                return answer
            } catch {
                services.metrics.sources.add(1, error.code.rawValue)
                services.log.event(
                    .warn, "sources refused",
                    [
                        "by": request.principal.name, "buildID": buildID,
                        "reason": error.message,
                    ])
                throw error
            }
        }
    }

    private static func keep(
        _ request: APIRequest, _ buildID: BuildID, _ services: Services
    ) throws(APIError) -> HTTPResponse {
        let facts = SourceStore.Facts(
            buildID: buildID, service: request.query("service") ?? "",
            who: request.principal.name, received: services.now(), built: try built(request))
        var limits = SourceBundle.Limits()
        limits.fileBytes = SourceFolders.fileLimit
        let bundle: SourceBundle
        do throws(SourceBundleError) {
            bundle = try SourceBundle(tar: request.body, limits: limits) {
                SourceFolders.isSource($0)
            }
        } catch { throw APIError(.invalidArgument, error.description) }
        let store = try store(services)
        let gone: [BuildID]
        do throws(StoreError) {
            gone = try store.keep(bundle, facts)
            try services.control.record(
                "kept \(bundle.files.count) source files of build \(buildID)",
                by: facts.who, at: facts.received)
        } catch { throw APIError(error) }
        services.log.event(
            .info, "sources stored",
            [
                "by": facts.who, "buildID": buildID, "files": bundle.files.count,
                "leftOut": bundle.leftOut, "removed": gone.count,
            ])
        for old in gone {
            services.log.event(.info, "sources removed", ["buildID": old, "reason": "bytes"])
        }
        var json = JSONWriter()
        json.object { json in
            json.member("buildID", buildID.description)
            json.member("files", bundle.files.count)
            json.member("textBytes", bundle.files.reduce(0) { $0 + $1.bytes.count })
            json.member("leftOut", bundle.leftOut)
            json.member("removed") { $0.array(gone.map(\.description)) }
        }
        return HTTPResponse(json: json)
    }

    /// When the program was made, in seconds since 1970.
    private static func built(_ request: APIRequest) throws(APIError) -> Int64? {
        guard let text = request.query("built") else { return nil }
        guard let milliseconds = Int64(text), milliseconds >= 0 else {
            throw APIError(
                .invalidArgument,
                "cannot read built: got \(text.quotedForMessage); want milliseconds since 1970")
        }
        return milliseconds / 1000
    }

    private static func remove(_ services: Services) -> Route {
        Route("DELETE", "/api/v1/sources/{buildID}", .develop) { request throws(APIError) in
            let buildID = try UploadEndpoints.buildID(request)
            let store = try store(services)
            do throws(StoreError) {
                try store.remove(buildID)
                try services.control.record(
                    "removed the source files of build \(buildID)", by: request.principal.name,
                    at: services.now())
            } catch { throw APIError(error) }
            services.log.event(
                .info, "sources removed",
                ["by": request.principal.name, "buildID": buildID, "reason": "by hand"])
            var json = JSONWriter()
            json.object { $0.member("buildID", buildID.description) }
            return HTTPResponse(json: json)
        }
    }
}
