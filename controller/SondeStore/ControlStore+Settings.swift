// SPDX-License-Identifier: Apache-2.0
// What agents should do, as people set it for a service or for one instance.

package import SondeModel
internal import Synchronization

/// How CPU time should be sampled.
package struct CPUSettings: Hashable, Sendable {
    /// Whether at all.
    package var enabled: Bool
    /// Samples per second of CPU time, 1...1000.
    package var hertz: Double

    /// Settings from their parts.
    package init(enabled: Bool, hertz: Double) {
        self.enabled = enabled
        self.hertz = hertz
    }
}

/// Whom a setting is for: a service, an instance, or an instance of a service.
package struct SettingsScope: Hashable, Sendable {
    /// The service, or empty for any.
    package let service: String
    /// The instance, or empty for any.
    package let instance: String

    /// A scope, or `nil` when it would be everyone: neither service nor instance.
    package init?(service: String?, instance: String?) {
        self.service = service ?? ""
        self.instance = instance ?? ""
        if self.service.isEmpty, self.instance.isEmpty { return nil }
    }
}

extension ControlStore {
    /// The most settings that there may be.
    package static let maximumSettings = 10_000

    /// What an instance should do, or `nil` when nobody set anything: then its own configuration
    /// counts.
    ///
    /// What was set for the instance wins over what was set for its service.
    package func cpuSettings(service: String, instance: String) -> CPUSettings? {
        state.withLock { state in
            for (service, instance) in [(service, instance), ("", instance), (service, "")] {
                if let scope = SettingsScope(service: service, instance: instance),
                    let settings = state.settings[scope]
                {
                    return settings
                }
            }
            return nil
        }
    }

    /// Sets what the instances of a scope should do, those that come later included.
    ///
    /// - Parameters:
    ///   - settings: What they should do; `nil` takes back what was set for this scope.
    ///   - scope: Whom it is for.
    ///   - who: Who changes it, for the audit log.
    ///   - now: The present.
    /// - Throws: ``StoreError``; `rejected` when the rate is not 1...1000, or when there are too
    ///   many settings.
    package func setCPU(
        _ settings: CPUSettings?, for scope: SettingsScope, by who: String, now: Timestamp
    ) throws(StoreError) {
        if let settings, !(1...1000).contains(settings.hertz) {
            throw StoreError(
                .rejected, "cannot set sampling rate: got \(settings.hertz) Hz; want 1 to 1000")
        }
        try state.withLock { state throws(StoreError) in
            guard
                settings == nil || state.settings[scope] != nil
                    || state.settings.count < Self.maximumSettings
            else {
                throw StoreError(
                    .rejected,
                    "cannot set sampling rate: got \(state.settings.count) settings already; "
                        + "want fewer than \(Self.maximumSettings)")
            }
            try state.database.transaction { () throws(StoreError) in
                try Self.write(settings, for: scope, now: now, in: state.database)
                try Self.record(
                    Self.words(settings, scope), by: who, at: now, in: state.database)
            }
            state.settings[scope] = settings
        }
    }

    private static func write(
        _ settings: CPUSettings?, for scope: SettingsScope, now: Timestamp, in database: Database
    ) throws(StoreError) {
        guard let settings else {
            let delete = try database.statement(
                "DELETE FROM setting WHERE service = ? AND instance = ?")
            try delete.bind(scope.service, at: 1)
            try delete.bind(scope.instance, at: 2)
            return try delete.run()
        }
        let upsert = try database.statement(
            "INSERT OR REPLACE INTO setting (service, instance, enabled, hertz, changed) "
                + "VALUES (?, ?, ?, ?, ?)")
        try upsert.bind(scope.service, at: 1)
        try upsert.bind(scope.instance, at: 2)
        try upsert.bind(settings.enabled ? 1 : 0 as Int64, at: 3)
        try upsert.bind(settings.hertz, at: 4)
        try upsert.bind(now.unixNanoseconds, at: 5)
        try upsert.run()
    }

    private static func words(_ settings: CPUSettings?, _ scope: SettingsScope) -> String {
        var whom: [String] = []
        if !scope.service.isEmpty { whom.append("service \(scope.service)") }
        if !scope.instance.isEmpty { whom.append("instance \(scope.instance)") }
        let what =
            settings.map { $0.enabled ? "CPU sampling at \($0.hertz) Hz" : "no CPU sampling" }
            ?? "CPU sampling as the agent's own configuration says"
        return "set \(what) for \(whom.joined(separator: ", "))"
    }

    static func loadSettings(into state: inout State) throws(StoreError) {
        // An instance's name dies with its process, so what was set for it long ago is for nobody.
        try state.database.execute(
            "DELETE FROM setting WHERE instance != '' "
                + "AND changed < (unixepoch() - 31 * 86400) * 1000000000")
        let rows = try state.database.statement(
            "SELECT service, instance, enabled, hertz FROM setting")
        defer { rows.reset() }
        while try rows.step() {
            guard let scope = SettingsScope(service: rows.text(0), instance: rows.text(1))
            else { continue }
            state.settings[scope] = CPUSettings(enabled: rows.int(2) != 0, hertz: rows.double(3))
        }
    }
}
