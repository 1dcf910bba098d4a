// SPDX-License-Identifier: Apache-2.0
// GET and PUT /api/v1/limits: what tenants may send, what they sent, and changing it at run time.

internal import SondeModel
internal import SondeStore
internal import SondeWire

/// `GET` and `PUT /api/v1/limits`.
enum LimitsEndpoints {
    static func routes(_ services: Services) -> [Route] { [show(services), change(services)] }

    /// The limits of everybody and of each tenant; of other tenants only for admins.
    private static func show(_ services: Services) -> Route {
        Route("GET", "/api/v1/limits", .read) { request throws(APIError) in
            let isAdmin = request.principal.permissions.contains(.administer)
            var accounts = !services.hasTenants || isAdmin ? services.tenants.accounts : []
            // Who is refused without a tenant's name may not know others'.
            if services.hasTenants, !isAdmin || request.head.header("x-scope-orgid") != nil {
                let known = Set(accounts.map(\.name))
                let own = try services.tenant(of: request).tenants ?? []
                accounts += own.subtracting(known).sorted().map(services.tenants.known)
            }
            return LimitsDocument(services, accounts).response
        }
    }

    /// Sets limits of a tenant, or without one of everybody; `null` takes back what was set.
    private static func change(_ services: Services) -> Route {
        Route(
            "PUT", "/api/v1/limits", .administer,
            body: .collected(limit: services.limits.requestBytes)
        ) { request throws(APIError) in
            let tenant = request.query("tenant") ?? ""
            guard tenant.isEmpty || TenantName.isValid(tenant) else {
                throw APIError(
                    .invalidArgument,
                    "cannot set limits: got the tenant \(tenant.quotedForMessage); want \(TenantName.form)"
                )
            }
            var values = services.tenants.setValues(of: tenant)
            for (name, value) in try wish(request.body) {
                values[name] = try checked(value, of: name, services)
            }
            do throws(StoreError) {
                try services.control.setTenantLimits(
                    values, for: tenant, by: request.principal.name, now: services.now())
            } catch { throw APIError(error) }
            services.tenants.set(values, for: tenant)
            services.log.event(
                .info, "limits changed",
                ["by": request.principal.name, "tenant": tenant.isEmpty ? "everybody" : tenant])
            let accounts = services.tenants.accounts.filter { $0.name == tenant }
            return LimitsDocument(services, accounts).response
        }
    }

    private static func checked(
        _ value: Int64?, of name: String, _ services: Services
    ) throws(APIError) -> Int? {
        guard let field = TenantLimits.fields.first(where: { $0.name == name }) else {
            let names = TenantLimits.fields.map(\.name).joined(separator: ", ")
            throw APIError(
                .invalidArgument,
                "cannot set limits: got \(name.quotedForMessage); want one of \(names)")
        }
        guard let value else { return nil }
        // A body is cut off before its tenant is known.
        let most =
            field.name == "push_bytes" ? services.limits.pushBytes : field.range.upperBound
        guard value >= field.range.lowerBound, value <= most else {
            throw APIError(
                .invalidArgument,
                "cannot set limits: got \(name): \(value); want \(field.range.lowerBound)...\(most)"
            )
        }
        return Int(value)
    }

    private static func wish(_ body: [UInt8]) throws(APIError) -> [(String, Int64?)] {
        var wish: [(String, Int64?)] = []
        var reader = JSONReader(body)
        do throws(JSONError) {
            try reader.object { reader, name throws(JSONError) in
                guard wish.count < 1000 else { throw reader.unexpected("at most 1000 limits") }
                wish.append((name, reader.null() ? nil : try reader.int64()))
            }
            try reader.end()
        } catch { throw APIError(.invalidArgument, error.description) }
        return wish
    }
}
