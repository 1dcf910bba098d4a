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
            var accounts = services.tenants.accounts
            if services.hasTenants, !request.principal.permissions.contains(.administer) {
                let own = try services.tenant(of: request).tenants ?? []
                accounts.removeAll { !own.contains($0.name) }
            }
            return HTTPResponse(json: json(services, accounts))
        }
    }

    private static func json(_ services: Services, _ accounts: [TenantAccount]) -> JSONWriter {
        var json = JSONWriter()
        json.object { json in
            json.member("tenancy", services.hasTenants)
            json.member("limits") { write(services.tenants.commonLimits, to: &$0) }
            json.member("set") { write(services.tenants.setValues(of: ""), to: &$0) }
            json.member("tenants") { json in
                json.array(accounts) { json, account in
                    let figures = account.figures
                    json.object { json in
                        json.member("tenant", account.name)
                        json.member("limits") { write(figures.limits, to: &$0) }
                        json.member("set") {
                            write(services.tenants.setValues(of: account.name), to: &$0)
                        }
                        json.member("series", figures.series)
                        json.member("profiles", figures.profiles)
                        json.member("profileBytes", figures.bytes)
                        json.member("refused") { json in
                            json.object { json in
                                let reasons = figures.refused.sorted { $0.key < $1.key }
                                for (reason, count) in reasons { json.member(reason, count) }
                            }
                        }
                    }
                }
            }
        }
        return json
    }

    private static func write(_ limits: TenantLimits, to json: inout JSONWriter) {
        json.object { json in
            for field in TenantLimits.fields {
                json.member(field.name, limits[keyPath: field.path])
            }
        }
    }

    private static func write(_ values: [String: Int], to json: inout JSONWriter) {
        json.object { json in
            for (name, value) in values.sorted(by: { $0.key < $1.key }) { json.member(name, value) }
        }
    }

    /// Sets limits of a tenant, or without one of everybody; `null` takes back what was set.
    private static func change(_ services: Services) -> Route {
        Route(
            "PUT", "/api/v1/limits", .administer,
            body: .collected(limit: services.limits.requestBytes)
        ) { request throws(APIError) in
            let tenant = request.query("tenant") ?? ""
            guard tenant.isEmpty || TenantScope.isName(tenant) else {
                throw APIError(
                    .invalidArgument,
                    "cannot set limits: got the tenant \(tenant.quotedForMessage); want at most 150 letters, digits and !-_.*'()"
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
            return HTTPResponse(json: json(services, accounts))
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
