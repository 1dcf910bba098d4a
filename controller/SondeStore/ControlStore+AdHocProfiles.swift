// SPDX-License-Identifier: Apache-2.0
// Single profiles that people upload to look at, beside the series that programs send.

package import SondeModel
internal import Synchronization

/// One profile that somebody uploaded to look at.
package struct AdHocProfile: Hashable, Sendable {
    /// The id that the store gave it.
    package var id: String
    /// The file's name.
    package var name: String
    /// When it was uploaded.
    package var uploaded: Timestamp

    /// A profile's entry from its parts.
    package init(id: String, name: String, uploaded: Timestamp) {
        self.id = id
        self.name = name
        self.uploaded = uploaded
    }
}

extension ControlStore {
    /// The most uploaded profiles of a tenant that are kept; beyond that the oldest go.
    package static let maximumAdHocProfiles = 100
    /// The most bytes of an uploaded profile.
    package static let maximumAdHocBytes = 16 << 20

    static let adHocProfileSchema = """
        CREATE TABLE adhoc_profile (
            number INTEGER PRIMARY KEY,
            id TEXT NOT NULL UNIQUE,
            tenant TEXT NOT NULL,        -- empty: there are no tenants
            name TEXT NOT NULL,
            uploaded INTEGER NOT NULL,   -- Unix nanoseconds
            file BLOB NOT NULL) STRICT;
        """

    /// The uploaded profiles of a tenant, the newest first.
    package func adHocProfiles(of tenant: String) throws(StoreError) -> [AdHocProfile] {
        try state.withLock { state throws(StoreError) in
            let rows = try state.database.statement(
                "SELECT id, name, uploaded FROM adhoc_profile WHERE tenant = ? "
                    + "ORDER BY number DESC")
            defer { rows.reset() }
            try rows.bind(tenant, at: 1)
            var profiles: [AdHocProfile] = []
            while try rows.step() {
                profiles.append(
                    AdHocProfile(
                        id: rows.text(0), name: rows.text(1),
                        uploaded: Timestamp(unixNanoseconds: rows.int(2))))
            }
            return profiles
        }
    }

    /// An uploaded profile and its file; `nil` when the tenant has none of this id.
    package func adHocProfile(
        _ id: String, of tenant: String
    ) throws(StoreError) -> (profile: AdHocProfile, file: [UInt8])? {
        try state.withLock { state throws(StoreError) in
            let rows = try state.database.statement(
                "SELECT name, uploaded, file FROM adhoc_profile WHERE id = ? AND tenant = ?")
            defer { rows.reset() }
            try rows.bind(id, at: 1)
            try rows.bind(tenant, at: 2)
            guard try rows.step() else { return nil }
            let profile = AdHocProfile(
                id: id, name: rows.text(0), uploaded: Timestamp(unixNanoseconds: rows.int(1)))
            return (profile, rows.blob(2))
        }
    }

    /// Keeps an uploaded profile.
    ///
    /// - Parameters:
    ///   - name: The file's name.
    ///   - file: The file.
    ///   - tenant: Whose it is.
    ///   - who: Who uploaded it, for the audit log.
    ///   - now: The present.
    /// - Returns: Its entry.
    /// - Throws: ``StoreError``; `tooLarge` when it has too many bytes.
    package func keepAdHocProfile(
        _ name: String, _ file: [UInt8], of tenant: String, by who: String, now: Timestamp
    ) throws(StoreError) -> AdHocProfile {
        guard file.count <= Self.maximumAdHocBytes else {
            throw StoreError(
                .tooLarge,
                "cannot keep profile: got \(file.count) bytes; want at most "
                    + "\(Self.maximumAdHocBytes)")
        }
        let id = ProfileID(high: .random(in: 1 ... .max), low: .random(in: 1 ... .max))
        let profile = AdHocProfile(id: id.description, name: name, uploaded: now)
        try state.withLock { state throws(StoreError) in
            try state.database.transaction { () throws(StoreError) in
                let insert = try state.database.statement(
                    "INSERT INTO adhoc_profile (id, tenant, name, uploaded, file) "
                        + "VALUES (?, ?, ?, ?, ?)")
                try insert.bind(profile.id, at: 1)
                try insert.bind(tenant, at: 2)
                try insert.bind(name, at: 3)
                try insert.bind(now.unixNanoseconds, at: 4)
                try insert.bind(file, at: 5)
                try insert.run()
                let trim = try state.database.statement(
                    "DELETE FROM adhoc_profile WHERE tenant = ?1 AND number <= (SELECT number "
                        + "FROM adhoc_profile WHERE tenant = ?1 ORDER BY number DESC "
                        + "LIMIT 1 OFFSET ?2)")
                try trim.bind(tenant, at: 1)
                try trim.bind(Int64(Self.maximumAdHocProfiles), at: 2)
                try trim.run()
                try Self.record(
                    "uploaded the profile \(name)", by: who, at: now, in: state.database)
            }
        }
        return profile
    }
}
