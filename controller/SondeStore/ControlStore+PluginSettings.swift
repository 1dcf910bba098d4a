// SPDX-License-Identifier: Apache-2.0
// Settings that a client's page keeps here, such as those of Grafana's plugin for profiles.

package import SondeModel
internal import Synchronization

/// One setting of a client's page, whose value means nothing to the controller.
package struct PluginSetting: Hashable, Sendable {
    /// The name.
    package var name: String
    /// The value.
    package var value: String
    /// When it was changed, by the client's clock.
    package var modified: Timestamp

    /// A setting from its parts.
    package init(name: String, value: String, modified: Timestamp) {
        self.name = name
        self.value = value
        self.modified = modified
    }
}

extension ControlStore {
    /// The most settings of one tenant.
    package static let maximumPluginSettings = 1000
    /// The most bytes of a setting's name and value.
    package static let maximumPluginSettingBytes = 256 << 10

    static let pluginSettingSchema = """
        CREATE TABLE plugin_setting (
            tenant TEXT NOT NULL,        -- empty: there are no tenants
            name TEXT NOT NULL, value TEXT NOT NULL,
            modified INTEGER NOT NULL,   -- Unix nanoseconds
            PRIMARY KEY (tenant, name)) STRICT, WITHOUT ROWID;
        """

    /// All settings of a tenant, by name.
    package func pluginSettings(of tenant: String) throws(StoreError) -> [PluginSetting] {
        try state.withLock { state throws(StoreError) in
            try Self.pluginSettings(of: tenant, in: state.database)
        }
    }

    private static func pluginSettings(
        of tenant: String, in database: Database
    ) throws(StoreError) -> [PluginSetting] {
        let rows = try database.statement(
            "SELECT name, value, modified FROM plugin_setting WHERE tenant = ? ORDER BY name")
        defer { rows.reset() }
        try rows.bind(tenant, at: 1)
        var settings: [PluginSetting] = []
        while try rows.step() {
            settings.append(
                PluginSetting(
                    name: rows.text(0), value: rows.text(1),
                    modified: Timestamp(unixNanoseconds: rows.int(2))))
        }
        return settings
    }

    /// Sets a setting.
    ///
    /// - Parameters:
    ///   - setting: The setting.
    ///   - tenant: Whose it is.
    ///   - who: Who changes it, for the audit log.
    ///   - now: The present.
    /// - Throws: ``StoreError``; `alreadyExists` when a newer value is there, `tooLarge` or
    ///   `rejected` when it would be too large or one too many.
    package func setPluginSetting(
        _ setting: PluginSetting, of tenant: String, by who: String, now: Timestamp
    ) throws(StoreError) {
        let size = setting.name.utf8.count + setting.value.utf8.count
        guard size <= Self.maximumPluginSettingBytes else {
            throw StoreError(
                .tooLarge,
                "cannot set setting: got \(size) bytes; want at most "
                    + "\(Self.maximumPluginSettingBytes)")
        }
        try state.withLock { state throws(StoreError) in
            try state.database.transaction { () throws(StoreError) in
                try Self.check(setting, of: tenant, in: state.database)
                let upsert = try state.database.statement(
                    "INSERT OR REPLACE INTO plugin_setting (tenant, name, value, modified) "
                        + "VALUES (?, ?, ?, ?)")
                try upsert.bind(tenant, at: 1)
                try upsert.bind(setting.name, at: 2)
                try upsert.bind(setting.value, at: 3)
                try upsert.bind(setting.modified.unixNanoseconds, at: 4)
                try upsert.run()
                try Self.record(
                    "set the plugin's setting \(setting.name)", by: who, at: now,
                    in: state.database)
            }
        }
    }

    /// Refuses a setting that is older than the one that is there, or one too many.
    private static func check(
        _ setting: PluginSetting, of tenant: String, in database: Database
    ) throws(StoreError) {
        let present = try pluginSettings(of: tenant, in: database)
        if let known = present.first(where: { $0.name == setting.name }) {
            guard known.modified <= setting.modified else {
                throw StoreError(
                    .alreadyExists,
                    "cannot set setting \(setting.name): got one of "
                        + "\(setting.modified.unixMilliseconds); want one after that of "
                        + "\(known.modified.unixMilliseconds)")
            }
        } else if present.count >= maximumPluginSettings {
            throw StoreError(
                .rejected,
                "cannot set setting: there are \(present.count) already; want fewer")
        }
    }

    /// Removes a setting; one that is not there is no error.
    ///
    /// - Parameters:
    ///   - name: The setting's name.
    ///   - tenant: Whose it is.
    ///   - who: Who changes it, for the audit log.
    ///   - now: The present.
    /// - Throws: ``StoreError``.
    package func removePluginSetting(
        _ name: String, of tenant: String, by who: String, now: Timestamp
    ) throws(StoreError) {
        try state.withLock { state throws(StoreError) in
            try state.database.transaction { () throws(StoreError) in
                let delete = try state.database.statement(
                    "DELETE FROM plugin_setting WHERE tenant = ? AND name = ?")
                try delete.bind(tenant, at: 1)
                try delete.bind(name, at: 2)
                try delete.run()
                try Self.record(
                    "removed the plugin's setting \(name)", by: who, at: now, in: state.database)
            }
        }
    }
}
