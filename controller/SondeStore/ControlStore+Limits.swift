// SPDX-License-Identifier: Apache-2.0
// Limits of tenants that were set at run time, so that a restarted controller forgets none.

package import SondeModel
internal import Synchronization

extension ControlStore {
    /// The most tenants that limits may be set for.
    package static let maximumLimitedTenants = 10_000

    static let limitSchema = """
        CREATE TABLE tenant_limit (
            tenant TEXT NOT NULL,        -- empty: everybody
            name TEXT NOT NULL, value INTEGER NOT NULL,
            PRIMARY KEY (tenant, name)) STRICT, WITHOUT ROWID;
        """

    /// All limits that were set: by tenant, the empty name for everybody, and by the limit's name.
    package func tenantLimits() throws(StoreError) -> [String: [String: Int]] {
        try state.withLock { state throws(StoreError) in
            try Self.tenantLimits(in: state.database)
        }
    }

    /// Sets all limits of one tenant; what is not among them is taken back.
    ///
    /// - Parameters:
    ///   - values: The values by the limits' names.
    ///   - tenant: The tenant, or an empty name for everybody.
    ///   - who: Who changes it, for the audit log.
    ///   - now: The present.
    /// - Throws: ``StoreError``; `rejected` when there are too many tenants with limits.
    package func setTenantLimits(
        _ values: [String: Int], for tenant: String, by who: String, now: Timestamp
    ) throws(StoreError) {
        try state.withLock { state throws(StoreError) in
            let present = try Self.tenantLimits(in: state.database)
            guard present[tenant] != nil || present.count < Self.maximumLimitedTenants else {
                throw StoreError(
                    .rejected,
                    "cannot set limits: got \(present.count) tenants with limits already; "
                        + "want fewer than \(Self.maximumLimitedTenants)")
            }
            try state.database.transaction { () throws(StoreError) in
                let delete = try state.database.statement(
                    "DELETE FROM tenant_limit WHERE tenant = ?")
                try delete.bind(tenant, at: 1)
                try delete.run()
                for (name, value) in values {
                    let insert = try state.database.statement(
                        "INSERT INTO tenant_limit (tenant, name, value) VALUES (?, ?, ?)")
                    try insert.bind(tenant, at: 1)
                    try insert.bind(name, at: 2)
                    try insert.bind(Int64(value), at: 3)
                    try insert.run()
                }
                let list = values.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
                let whom = tenant.isEmpty ? "everybody" : "tenant \(tenant)"
                try Self.record(
                    "set limits of \(whom): "
                        + (list.isEmpty ? "none" : list.joined(separator: ", ")),
                    by: who, at: now, in: state.database)
            }
        }
    }

    private static func tenantLimits(
        in database: Database
    ) throws(StoreError) -> [String: [String: Int]] {
        let rows = try database.statement("SELECT tenant, name, value FROM tenant_limit")
        defer { rows.reset() }
        var limits: [String: [String: Int]] = [:]
        while try rows.step() {
            limits[rows.text(0), default: [:]][rows.text(1)] = Int(rows.int(2))
        }
        return limits
    }
}
