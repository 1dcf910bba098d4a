// SPDX-License-Identifier: Apache-2.0
// What people decided: tokens, settings, probes and the log of who changed what.

package import SondeModel
internal import Synchronization

/// Keeps tokens, settings, probes and the audit log.
///
/// Every change is on disk, together with its entry in the audit log, when the call returns.
/// All calls may come from any thread at the same time.
package final class ControlStore: Sendable {
    /// How exactly a token's last use is kept: a write for each use would cost more than it tells.
    package static let lastUsedGranularitySeconds: Int64 = 300
    /// The most tokens that there may be.
    package static let maximumTokens = 10_000
    /// The most entries of the audit log that are kept.
    package static let maximumAuditEntries = 100_000

    struct State: Sendable {
        let database: Database
        /// All tokens with their digests, by id: few, and asked for with each request.
        var tokens: [String: StoredToken] = [:]
        /// All settings: few, and asked for with each poll.
        var settings: [SettingsScope: CPUSettings] = [:]
        /// All probes that are not removed: few, and asked for with each poll.
        var probes: [String: ProbeDefinition] = [:]
    }

    struct StoredToken {
        var token: Token
        var digest: [UInt8]
    }

    let state: Mutex<State>
    /// Kept, because its lock ends with it.
    private let dataFolder: DataFolder

    static let format = Database.Format(
        applicationID: 0x536F_4374,  // "SoCt"
        version: 5,
        schema: """
            CREATE TABLE token (
                id TEXT PRIMARY KEY, name TEXT NOT NULL, role TEXT NOT NULL,
                digest BLOB NOT NULL,        -- SHA-256 of the secret
                created INTEGER NOT NULL,    -- this and the next two: Unix nanoseconds
                expires INTEGER, last_used INTEGER) STRICT;
            CREATE TABLE setting (
                service TEXT NOT NULL,       -- empty: any
                instance TEXT NOT NULL,      -- empty: any
                enabled INTEGER NOT NULL, hertz REAL NOT NULL,
                changed INTEGER NOT NULL,
                PRIMARY KEY (service, instance)) STRICT, WITHOUT ROWID;
            CREATE TABLE audit (
                id INTEGER PRIMARY KEY, time INTEGER NOT NULL, who TEXT NOT NULL,
                what TEXT NOT NULL) STRICT;

            """ + probeSchema + limitSchema + pluginSettingSchema
                + adHocProfileSchema,
        name: "the control database of Sonde",
        upgrades: [probeSchema, limitSchema, pluginSettingSchema, adHocProfileSchema])

    /// Opens the control database of a data folder, and creates it when it is not there.
    package init(_ folder: DataFolder) throws(StoreError) {
        let database = try Database(folder.path("control.db"), .write, Self.format)
        var state = State(database: database)
        try Self.loadTokens(into: &state)
        try Self.loadSettings(into: &state)
        try Self.loadProbes(into: &state)
        self.state = Mutex(state)
        dataFolder = folder
    }

    /// Writes an entry of the audit log, for a change that is stored elsewhere.
    package func record(_ what: String, by who: String, at time: Timestamp) throws(StoreError) {
        try state.withLock { state throws(StoreError) in
            try state.database.transaction { () throws(StoreError) in
                try Self.record(what, by: who, at: time, in: state.database)
            }
        }
    }

    /// The latest entries of the audit log, the newest first.
    package func auditLog(limit: Int = 100) throws(StoreError) -> [AuditEntry] {
        try state.withLock { state throws(StoreError) in
            let rows = try state.database.statement(
                "SELECT time, who, what FROM audit ORDER BY id DESC LIMIT ?")
            defer { rows.reset() }
            try rows.bind(Int64(limit), at: 1)
            var entries: [AuditEntry] = []
            while try rows.step() {
                entries.append(
                    AuditEntry(
                        time: Timestamp(unixNanoseconds: rows.int(0)), who: rows.text(1),
                        what: rows.text(2)))
            }
            return entries
        }
    }

    /// The latest changes of probes, the newest first.
    ///
    /// - Parameters:
    ///   - probe: The id of the probe; `nil` for all.
    ///   - service: The service that the probes are for; `nil` for all.
    ///   - limit: The most entries.
    /// - Throws: ``StoreError`` when the database cannot be read.
    /// - Returns: Their entries of the audit log.
    package func probeHistory(
        of probe: String? = nil, service: String? = nil, limit: Int = 100
    ) throws(StoreError) -> [AuditEntry] {
        try state.withLock { state throws(StoreError) in
            // `words` of a change: "added probe p-1 at Cart.swift:4 of shop", ": ..." when added.
            let rows = try state.database.statement(
                "SELECT time, who, what FROM audit WHERE what LIKE '% probe p-%' "
                    + "AND (?1 = '' OR instr(what, ' probe ' || ?1 || ' at ') > 0) "
                    + "AND (?2 = '' OR instr(what || ':', ' of ' || ?2 || ':') > 0) "
                    + "ORDER BY id DESC LIMIT ?3")
            defer { rows.reset() }
            try rows.bind(probe ?? "", at: 1)
            try rows.bind(service ?? "", at: 2)
            try rows.bind(Int64(limit), at: 3)
            var entries: [AuditEntry] = []
            while try rows.step() {
                entries.append(
                    AuditEntry(
                        time: Timestamp(unixNanoseconds: rows.int(0)), who: rows.text(1),
                        what: rows.text(2)))
            }
            return entries
        }
    }

    static func record(
        _ what: String, by who: String, at time: Timestamp, in database: Database
    ) throws(StoreError) {
        let insert = try database.statement("INSERT INTO audit (time, who, what) VALUES (?, ?, ?)")
        try insert.bind(time.unixNanoseconds, at: 1)
        try insert.bind(who, at: 2)
        try insert.bind(what, at: 3)
        try insert.run()
        let trim = try database.statement("DELETE FROM audit WHERE id <= ?")
        try trim.bind(database.lastRowID - Int64(maximumAuditEntries), at: 1)
        try trim.run()
    }
}

/// One entry of the audit log.
package struct AuditEntry: Hashable, Sendable {
    /// When it happened.
    package var time: Timestamp
    /// Who did it: a token's name and id, or `loopback`.
    package var who: String
    /// What was changed, in words.
    package var what: String
}
