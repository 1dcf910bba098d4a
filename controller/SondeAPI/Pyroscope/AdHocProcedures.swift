// SPDX-License-Identifier: Apache-2.0
// AdHocProfileService: single profiles that people upload, look at and compare.

internal import SondeModel
internal import SondeQuery
internal import SondeStore
internal import SondeWire

/// `adhocprofiles.v1.AdHocProfileService`.
enum AdHocProcedures {
    static func routes(_ services: Services) -> [Route] {
        let service = "adhocprofiles.v1.AdHocProfileService/"
        // The file comes in base64, which is a third longer.
        let limit = ControlStore.maximumAdHocBytes / 3 * 4 + 65_536
        return [
            ConnectProcedure.route(
                service + "Upload", services, upload, permission: .develop, limit: limit),
            ConnectProcedure.route(service + "Get", services, get),
            ConnectProcedure.route(service + "List", services, list),
            ConnectProcedure.route(service + "Diff", services, diff),
        ]
    }

    private static func upload(
        _ request: AdHocUploadRequest, _ call: ConnectCall, _ services: Services
    ) throws(APIError) -> AdHocGetResponse {
        let file: [UInt8]
        do throws(JSONError) {
            var reader = JSONReader(Array("\"\(request.profile)\"".utf8))
            file = try reader.base64()
            try reader.end()
        } catch {
            throw APIError(.invalidArgument, "cannot read profile: got no base64; want base64")
        }
        // Only what can be shown is kept.
        let all = try AdHocStacks.read(file, services.symbols)
        let tenant = try SettingsProcedures.tenant(call, services)
        let name = request.name.isEmpty ? "profile" : String(request.name.prefix(500))
        let kept = try APIError.ofStore { () throws(StoreError) in
            try services.control.keepAdHocProfile(
                name, file, of: tenant, by: call.request.principal.name, now: services.now())
        }
        return try response(kept, all, type: nil, request.maxNodes)
    }

    private static func get(
        _ request: AdHocGetRequest, _ call: ConnectCall, _ services: Services
    ) throws(APIError) -> AdHocGetResponse {
        let (kept, all) = try stored(request.id, call, services)
        return try response(kept, all, type: request.profileType, request.maxNodes)
    }

    private static func list(
        _ request: EmptyMessage, _ call: ConnectCall, _ services: Services
    ) throws(APIError) -> AdHocListResponse {
        let tenant = try SettingsProcedures.tenant(call, services)
        var response = AdHocListResponse()
        response.profiles = try APIError.ofStore { () throws(StoreError) in
            try services.control.adHocProfiles(of: tenant)
        }.map { profile in
            var entry = AdHocEntry()
            entry.id = profile.id
            entry.name = profile.name
            entry.uploadedAt = profile.uploaded.unixMilliseconds
            return entry
        }
        return response
    }

    private static func diff(
        _ request: AdHocDiffRequest, _ call: ConnectCall, _ services: Services
    ) throws(APIError) -> AdHocDiffResponse {
        let left = try stored(request.leftId, call, services).all
        let right = try stored(request.rightId, call, services).all
        let names = left.map(\.name).filter { name in right.contains { $0.name == name } }
        guard let first = names.first else {
            throw APIError(
                .invalidArgument,
                "cannot compare: got profiles of \(left.map(\.name)) and \(right.map(\.name)); "
                    + "want one type in both")
        }
        let wanted = request.profileType.flatMap { $0.isEmpty ? nil : $0 } ?? first
        let limit = try PyroscopeQuery.maximumNodes(request.maxNodes)
        let sides = (try choose(wanted, in: left), try choose(wanted, in: right))
        let pair = StackPair(left: sides.0.stacks.byName(), right: sides.1.stacks.byName())
        var document = FlamebearerDocument(
            levels: FlameLevels(FlameGraphDiff(pair, maximumNodes: limit)), type: sides.0.type)
        document.isDiff = true
        var response = AdHocDiffResponse()
        response.profileTypes = names
        response.flamebearerProfile = String(decoding: document.json.bytes, as: UTF8.self)
        return response
    }

    private static func response(
        _ kept: AdHocProfile, _ all: [AdHocStacks], type: String?, _ maxNodes: Int64?
    ) throws(APIError) -> AdHocGetResponse {
        let limit = try PyroscopeQuery.maximumNodes(maxNodes)
        let wanted = type.flatMap { $0.isEmpty ? nil : $0 } ?? all.first?.name ?? ""
        let chosen = try choose(wanted, in: all)
        let graph = FlameGraph(chosen.stacks.byName(), maximumNodes: limit)
        let document = FlamebearerDocument(levels: FlameLevels(graph), type: chosen.type)
        var response = AdHocGetResponse()
        response.id = kept.id
        response.name = kept.name
        response.uploadedAt = kept.uploaded.unixMilliseconds
        response.profileType = chosen.name
        response.profileTypes = all.map(\.name)
        response.flamebearerProfile = String(decoding: document.json.bytes, as: UTF8.self)
        return response
    }

    private static func choose(
        _ name: String, in all: [AdHocStacks]
    ) throws(APIError) -> AdHocStacks {
        guard let chosen = all.first(where: { $0.name == name }) else {
            throw APIError(
                .invalidArgument,
                "cannot show profile: got the type \(name.quotedForMessage); "
                    + "want one of \(all.map(\.name))")
        }
        return chosen
    }

    private static func stored(
        _ id: String, _ call: ConnectCall, _ services: Services
    ) throws(APIError) -> (kept: AdHocProfile, all: [AdHocStacks]) {
        let tenant = try SettingsProcedures.tenant(call, services)
        let found = try APIError.ofStore { () throws(StoreError) in
            try services.control.adHocProfile(id, of: tenant)
        }
        guard let found else {
            throw APIError(
                .notFound,
                "cannot find profile \(id.quotedForMessage): it was not uploaded, or is gone")
        }
        return (found.profile, try AdHocStacks.read(found.file, services.symbols))
    }
}
