// SPDX-License-Identifier: Apache-2.0
// Limits as answers show them: those of everybody, and those of tenants with what they sent.

/// The limits of everybody and of some tenants.
struct LimitsDocument {
    private let services: Services
    private let accounts: [TenantAccount]

    /// The limits of everybody and of these tenants.
    init(_ services: Services, _ accounts: [TenantAccount]) {
        self.services = services
        self.accounts = accounts
    }

    /// Writes the document.
    func write(to json: inout JSONWriter) {
        let tenants = services.tenants
        json.object { json in
            json.member("tenancy", services.hasTenants)
            json.member("limits") { Self.write(tenants.commonLimits, to: &$0) }
            json.member("set") { Self.write(tenants.setValues(of: ""), to: &$0) }
            json.member("tenants") { json in
                json.array(accounts) { json, account in write(account, to: &json) }
            }
        }
    }

    /// The document as an answer.
    var response: HTTPResponse {
        var json = JSONWriter()
        write(to: &json)
        return HTTPResponse(json: json)
    }

    private func write(_ account: TenantAccount, to json: inout JSONWriter) {
        let figures = account.figures
        json.object { json in
            json.member("tenant", account.name)
            json.member("limits") { Self.write(figures.limits, to: &$0) }
            json.member("set") { Self.write(services.tenants.setValues(of: account.name), to: &$0) }
            json.member("series", figures.series)
            json.member("profiles", figures.profiles)
            json.member("profileBytes", figures.bytes)
            json.member("refused") { Self.write(figures.refused, to: &$0) }
        }
    }

    private static func write(_ limits: TenantLimits, to json: inout JSONWriter) {
        json.object { json in
            for field in TenantLimits.fields {
                json.member(field.name, limits[keyPath: field.path])
            }
        }
    }

    private static func write(_ values: [String: some FixedWidthInteger], to json: inout JSONWriter)
    {
        json.object { json in
            for (name, value) in values.sorted(by: { $0.key < $1.key }) {
                json.member(name, value)
            }
        }
    }
}
