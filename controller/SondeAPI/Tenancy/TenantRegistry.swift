// SPDX-License-Identifier: Apache-2.0
// All tenants: their limits out of defaults, configuration and what was set at run time.

internal import Synchronization

/// Knows each tenant's limits and what it sent.
///
/// What was set at run time for a tenant wins over what the configuration says of it, that over
/// what was set at run time for everybody, and that over the configuration's defaults.
package final class TenantRegistry: Sendable {
    /// The most tenants that are counted by themselves.
    package static let maximumTenants = 10_000

    private struct State {
        var configured: [String: [String: Int]]
        /// Set at run time; the empty name stands for everybody.
        var set: [String: [String: Int]] = [:]
        var accounts: [String: TenantAccount] = [:]
    }

    private let defaults: TenantLimits
    private let state: Mutex<State>

    /// A registry of tenants that have not sent anything yet.
    ///
    /// - Parameters:
    ///   - defaults: The configuration's limits for everybody.
    ///   - configured: The configuration's limits for single tenants, by name.
    ///   - set: What was set at run time: by tenant, the empty name for everybody.
    package init(
        defaults: TenantLimits, configured: [String: [String: Int]] = [:],
        set: [String: [String: Int]] = [:]
    ) {
        self.defaults = defaults
        state = Mutex(State(configured: configured, set: set))
    }

    /// What a tenant sent and may send; `nil` when there are too many tenants already.
    package func account(of tenant: String) -> TenantAccount? {
        state.withLock { state in
            if let account = state.accounts[tenant] { return account }
            guard state.accounts.count < Self.maximumTenants else { return nil }
            let account = TenantAccount(tenant, limits(of: tenant, state))
            state.accounts[tenant] = account
            return account
        }
    }

    /// What a tenant sent and may send, without being remembered for having been asked about.
    func known(_ tenant: String) -> TenantAccount {
        state.withLock { state in
            state.accounts[tenant] ?? TenantAccount(tenant, limits(of: tenant, state))
        }
    }

    /// The limits of a tenant that has none of its own.
    package var commonLimits: TenantLimits { state.withLock { limits(of: "", $0) } }

    /// What was set at run time for a tenant, or with an empty name for everybody.
    package func setValues(of tenant: String) -> [String: Int] {
        state.withLock { $0.set[tenant] ?? [:] }
    }

    /// Has new limits count from now on.
    ///
    /// - Parameters:
    ///   - values: All that is set at run time for the tenant.
    ///   - tenant: The tenant, or an empty name for everybody.
    package func set(_ values: [String: Int], for tenant: String) {
        state.withLock { state in
            state.set[tenant] = values.isEmpty ? nil : values
            for (name, account) in state.accounts { account.set(limits(of: name, state)) }
        }
    }

    /// All tenants that sent anything or have limits of their own, by name.
    package var accounts: [TenantAccount] {
        let named = state.withLock { Set($0.configured.keys).union($0.set.keys) }
        for name in named where !name.isEmpty { _ = account(of: name) }
        return state.withLock { $0.accounts.values.sorted { $0.name < $1.name } }
    }

    private func limits(of tenant: String, _ state: State) -> TenantLimits {
        let common = defaults.overridden(by: state.set[""] ?? [:])
        guard !tenant.isEmpty else { return common }
        return common.overridden(by: state.configured[tenant] ?? [:])
            .overridden(by: state.set[tenant] ?? [:])
    }
}
