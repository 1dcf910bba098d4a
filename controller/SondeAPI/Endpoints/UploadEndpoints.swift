// SPDX-License-Identifier: Apache-2.0
// PUT of ELF files, by agents and by people, and GET /api/v1/debuginfo.

internal import SondeModel
internal import SondeStore

/// `PUT /sonde.control.v1.ControlService/UploadImage/<build id>`, `PUT` and `GET /api/v1/debuginfo`.
enum UploadEndpoints {
    static func uploadImage(_ services: Services) -> Route {
        upload(services, "/sonde.control.v1.ControlService/UploadImage/{buildID}", .ingest)
    }

    static func putDebugInfo(_ services: Services) -> Route {
        upload(services, "/api/v1/debuginfo/{buildID}", .develop)
    }

    static func listDebugInfo(_ services: Services) -> Route {
        Route("GET", "/api/v1/debuginfo", .read) { _ throws(APIError) in
            let files = services.images.store.list()
            var json = JSONWriter()
            json.object { json in
                json.member("images") { json in
                    json.array(files) { json, file in
                        let facts = services.images.facts(file.buildID)
                        json.object { json in
                            json.member("buildID", file.buildID.description)
                            json.member("name", file.name)
                            json.member("sizeBytes", file.bytes)
                            json.member("hasDebugInfo", facts?.hasDebugInfo ?? false)
                            json.member("hasSymbols", facts?.hasSymbols ?? false)
                            json.member("receivedMs", file.received.unixMilliseconds)
                        }
                    }
                }
            }
            return HTTPResponse(json: json)
        }
    }

    private static func upload(
        _ services: Services, _ path: String, _ permission: Permission
    ) -> Route {
        let open: @Sendable (APIRequest) throws(APIError) -> any BodySink = {
            request throws(APIError) in
            let buildID = try buildID(request)
            let length = request.head.header("content-length").flatMap { Int64($0) }
            let name = request.query("name") ?? services.agents.imageName(buildID) ?? "image"
            let sink = try services.images.begin(buildID, name: name, bytes: length)
            services.agents.uploadBegan(buildID)
            return sink
        }
        return Route(
            "PUT", path, permission, body: .streamed(limit: services.limits.imageBytes, open: open)
        ) { request throws(APIError) in
            try finish(request, services)
        }
    }

    private static func finish(
        _ request: APIRequest, _ services: Services
    ) throws(APIError) -> HTTPResponse {
        let buildID = try buildID(request)
        guard let sink = request.sink as? ImageSink else {
            throw APIError(.internalError, "BUG: an upload has no place to go")
        }
        let facts: ImageFacts
        do throws(APIError) {
            facts = try services.images.finish(sink)
        } catch {
            services.metrics.images.add(1, error.code.rawValue)
            // The file is what it is: asking another agent for it would only repeat this.
            if error.code == .invalidArgument { services.agents.imageRefused(buildID) }
            services.log.event(
                .warn, "image refused", ["buildID": buildID, "reason": error.message])
            throw error
        }
        services.probes.imageArrived(buildID)
        services.agents.imageArrived(buildID)
        services.metrics.images.add(1, "stored")
        services.log.event(
            .info, "image stored",
            [
                "by": request.principal.name, "buildID": buildID,
                "debugInfo": facts.hasDebugInfo, "symbols": facts.hasSymbols,
            ])
        var json = JSONWriter()
        json.object { json in
            json.member("buildID", buildID.description)
            json.member("hasDebugInfo", facts.hasDebugInfo)
            json.member("hasSymbols", facts.hasSymbols)
        }
        return HTTPResponse(json: json)
    }

    /// The build id in a request's path.
    static func buildID(_ request: APIRequest) throws(APIError) -> BuildID {
        let text = request.parameters.first ?? ""
        guard let buildID = BuildID(hex: text) else {
            throw APIError(
                .invalidArgument,
                "cannot read the build id: got \(text.quotedForMessage); want 2...128 hexadecimal digits"
            )
        }
        return buildID
    }
}
