// SPDX-License-Identifier: Apache-2.0
// The keys of a configuration file that say what tenants may send.

internal import SondeAPI
internal import SondeModel

extension ConfigurationKey {
    /// What a tenant may send; the same names below `tenants.NAME` are for one of them.
    static let tenantKeys: [ConfigurationKey] =
        [
            ConfigurationKey(name: "tenancy", want: "true or false") { value, configuration in
                guard let flag = value.flag else { return false }
                configuration.hasTenants = flag
                return true
            }
        ]
        + TenantLimits.fields.map { field in
            ConfigurationKey(name: "limits.\(field.name)", want: want(field)) {
                value, configuration in
                guard let number = Self.number(value, field) else { return false }
                configuration.limits.tenant[field.name] = number
                return true
            }
        }

    /// The key of a limit of one tenant; `nil` when the name is none.
    static func ofTenant(_ name: String) -> Self? {
        let prefix = "tenants."
        guard name.hasPrefix(prefix), let dot = name.lastIndex(of: "."),
            dot > name.index(name.startIndex, offsetBy: prefix.count - 1),
            let field = TenantLimits.fields.first(where: {
                $0.name == name[name.index(after: dot)...]
            })
        else { return nil }
        let tenant = String(name[..<dot].dropFirst(prefix.count))
        guard TenantName.isValid(tenant) else { return nil }
        return ConfigurationKey(name: name, want: want(field)) { value, configuration in
            guard let number = Self.number(value, field) else { return false }
            configuration.tenantLimits[tenant, default: [:]][field.name] = number
            return true
        }
    }

    private static func want(_ field: TenantLimits.Field) -> String {
        field.isBytes
            ? "bytes, such as 67108864 or 64MiB"
            : "\(field.range.lowerBound)...\(field.range.upperBound)"
    }

    private static func number(_ value: YAMLValue, _ field: TenantLimits.Field) -> Int? {
        guard field.isBytes else { return value.integer(in: field.range) }
        return value.bytes.flatMap { field.range.contains($0) ? $0 : nil }
    }
}
