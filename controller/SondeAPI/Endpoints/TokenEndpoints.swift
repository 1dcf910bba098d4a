// SPDX-License-Identifier: Apache-2.0
// GET, POST and DELETE /api/v1/tokens: who may do what.

internal import SondeModel
internal import SondeStore
internal import SondeWire

/// `GET`, `POST` and `DELETE /api/v1/tokens`.
enum TokenEndpoints {
    static func list(_ services: Services) -> Route {
        Route("GET", "/api/v1/tokens", .administer) { _ throws(APIError) in
            HTTPResponse(json: TokenJSON.list(services.control.tokens()))
        }
    }

    static func create(_ services: Services) -> Route {
        Route(
            "POST", "/api/v1/tokens", .administer,
            body: .collected(limit: services.limits.requestBytes)
        ) { request throws(APIError) in
            let wish = try readWish(request)
            let created: NewToken
            do throws(StoreError) {
                created = try services.control.createToken(
                    name: wish.name, role: wish.role, expires: wish.expires,
                    by: request.principal.name, now: services.now())
            } catch { throw APIError(error) }
            services.log.event(
                .info, "token created",
                [
                    "by": request.principal.name, "id": created.token.id,
                    "name": created.token.name, "role": created.token.role.rawValue,
                ])
            return HTTPResponse(json: TokenJSON.created(created))
        }
    }

    static func revoke(_ services: Services) -> Route {
        Route("DELETE", "/api/v1/tokens/{id}", .administer) { request throws(APIError) in
            let id = request.parameters.first ?? ""
            do throws(StoreError) {
                try services.control.revokeToken(
                    id: id, by: request.principal.name, now: services.now())
            } catch { throw APIError(error) }
            services.log.event(.info, "token revoked", ["by": request.principal.name, "id": id])
            var json = JSONWriter()
            json.object { $0.member("id", id) }
            return HTTPResponse(json: json)
        }
    }

    private struct Wish {
        var name = ""
        var role = Role.viewer
        var expires: Timestamp?
    }

    private static func readWish(_ request: APIRequest) throws(APIError) -> Wish {
        var wish = Wish()
        var roleText: String?
        var reader = JSONReader(request.body)
        do throws(JSONError) {
            try reader.object { reader, name throws(JSONError) in
                switch name {
                case "name": wish.name = try reader.string()
                case "role": roleText = try reader.string()
                case "expiresMs":
                    guard !reader.null() else { return }
                    wish.expires = Timestamp(unixMilliseconds: try reader.int64())
                default: try reader.skip()
                }
            }
            try reader.end()
        } catch { throw APIError(.invalidArgument, error.description) }
        guard let role = roleText.flatMap({ Role(rawValue: $0) }) else {
            throw APIError(
                .invalidArgument,
                "cannot create token: got the role \((roleText ?? "").quotedForMessage); want \(Role.allCases.map(\.rawValue).joined(separator: ", "))"
            )
        }
        wish.role = role
        return wish
    }
}
