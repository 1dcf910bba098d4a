// SPDX-License-Identifier: Apache-2.0
// Whose profiles a request is about: what `X-Scope-OrgID` means.

package import SondeModel

/// Whose profiles a request is about.
///
/// A series of a tenant carries the private label ``label``, which is added when it is written,
/// asked for when it is read, and shown to nobody. Without tenancy there is no such label.
package struct TenantScope: Hashable, Sendable {
    /// The private label of a tenant's series.
    package static let label = "__tenant__"
    /// What limits and metrics call the one tenant that there is without tenancy.
    package static let anonymous = "anonymous"

    /// The tenants; `nil` when tenancy is off: then everything is everybody's.
    package let tenants: Set<String>?

    /// A scope of these tenants.
    package init(tenants: Set<String>?) { self.tenants = tenants }

    /// Whether a stored series belongs to it.
    package func holds(_ labels: LabelSet) -> Bool {
        guard let tenants else { return true }
        return labels[Self.label].map { tenants.contains($0) } ?? false
    }

    /// A stored series' labels as they are shown.
    package static func visible(_ labels: LabelSet) -> LabelSet {
        labels[label] == nil ? labels : labels.setting(label, to: nil)
    }

    /// The tenants that a header value names, joined by `|`; `nil` when one is none.
    ///
    /// ``SondeModel/TenantName`` says what a name is.
    package static func names(in header: String) -> Set<String>? {
        let names = header.split(separator: "|", omittingEmptySubsequences: false).map {
            String($0.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
        }
        guard names.allSatisfy(TenantName.isValid) else { return nil }
        return Set(names)
    }
}

extension Services {
    /// Whose profiles a request reads.
    ///
    /// - Throws: ``APIError`` `unauthenticated` when tenancy is on and no tenant is named.
    package func tenant(of request: APIRequest) throws(APIError) -> TenantScope {
        guard hasTenants else { return TenantScope(tenants: nil) }
        let header = request.head.header("x-scope-orgid") ?? ""
        guard !header.isEmpty else {
            var error = APIError(
                .unauthenticated,
                "cannot serve without a tenant: got no X-Scope-OrgID; want the tenant's name, for tenancy is on"
            )
            // Whoever reads this knows that it is no token that is missing.
            error.details = { $0.member("missing", "tenant") }
            throw error
        }
        guard let names = TenantScope.names(in: header) else {
            throw APIError(
                .invalidArgument,
                "cannot read X-Scope-OrgID: got \(header.quotedForMessage); want names of \(TenantName.form), joined by |"
            )
        }
        return TenantScope(tenants: names)
    }

    /// The one tenant that a request writes for; `nil` when tenancy is off.
    ///
    /// - Throws: ``APIError`` as ``tenant(of:)``, and when several are named.
    package func writingTenant(of request: APIRequest) throws(APIError) -> String? {
        guard let tenants = try tenant(of: request).tenants else { return nil }
        guard tenants.count == 1, let name = tenants.first else {
            throw APIError(
                .invalidArgument,
                "cannot store profiles: got \(tenants.count) tenants in X-Scope-OrgID; want one")
        }
        return name
    }
}
