// SPDX-License-Identifier: Apache-2.0
// One connection to a SQLite database, with errors that say what was being done and to which file.

internal import CSQLite
internal import Glibc

/// One connection to one database file.
///
/// Used by one thread at a time.
///
/// Safety of `@unchecked Sendable`: whoever owns a connection hands it from thread to thread under
/// a lock of its own; SQLite itself is told so (`SQLITE_OPEN_NOMUTEX`).
final class Database: @unchecked Sendable {
    /// How a file's content is identified.
    struct Format {
        /// SQLite's `application_id`: what kind of file this is.
        var applicationID: Int32
        /// SQLite's `user_version`: which schema it has.
        var version: Int32
        /// The statements that create the schema.
        var schema: String
        /// What a person calls such a file.
        var name: String
        /// The statements that make a schema of version `i + 1` one of version `i + 2`.
        var upgrades: [String] = []
    }

    /// What a connection may do.
    enum Access { case read, write }

    let path: String
    private let handle: OpaquePointer
    private var statements: [String: Statement] = [:]

    /// Opens a database and, when it is empty and to be written, creates its schema.
    ///
    /// A write is flushed to the disk before it is acknowledged (`synchronous=FULL`), so that it
    /// survives the loss of power too: one flush of the log for each transaction.
    ///
    /// - Throws: ``StoreError``: `corrupt` when the file is damaged, of another kind, or of a
    ///   schema this program does not know.
    init(_ path: String, _ access: Access, _ format: Format) throws(StoreError) {
        self.path = path
        var opened: OpaquePointer?
        let flags =
            SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE
            | (access == .write
                ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READWRITE)
        let status = sqlite3_open_v2(path, &opened, flags, nil)
        guard status == SQLITE_OK, let opened else {
            let error = Self.failure(status, opened, path, "open")
            sqlite3_close_v2(opened)
            throw error
        }
        handle = opened
        // Only another process could hold a lock: a person's sqlite3 shell, for a moment.
        sqlite3_busy_timeout(handle, 5_000)
        try execute(
            """
            PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;
            PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON; PRAGMA cache_size=-4096;
            PRAGMA journal_size_limit=16777216; PRAGMA temp_store=MEMORY;
            """)
        if access == .read { try execute("PRAGMA query_only=ON") }
        try adopt(format, access)
    }

    /// Opens a database of whatever kind, to read it as it is.
    init(reading path: String) throws(StoreError) {
        self.path = path
        var opened: OpaquePointer?
        let status = sqlite3_open_v2(
            path, &opened, SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE | SQLITE_OPEN_READWRITE, nil)
        guard status == SQLITE_OK, let opened else {
            let error = Self.failure(status, opened, path, "open")
            sqlite3_close_v2(opened)
            throw error
        }
        handle = opened
        sqlite3_busy_timeout(handle, 5_000)
    }

    /// Whether this is a database of an earlier version of a format.
    func isOld(_ format: Format) throws(StoreError) -> Bool {
        let version = try number("PRAGMA user_version")
        let id = try number("PRAGMA application_id")
        return id == Int64(format.applicationID)
            && (1..<Int64(format.version)).contains(version)
    }

    deinit {
        statements.removeAll()  // they have to end before their connection
        sqlite3_close_v2(handle)
    }

    /// Runs statements that answer nothing.
    func execute(_ sql: String) throws(StoreError) {
        let status = sqlite3_exec(handle, sql, nil, nil, nil)
        guard status == SQLITE_OK else { throw failure(status) }
    }

    /// A statement, compiled once for each connection; reset and without bindings.
    func statement(_ sql: String) throws(StoreError) -> Statement {
        if let statement = statements[sql] {
            statement.reset()
            return statement
        }
        var prepared: OpaquePointer?
        let status = sqlite3_prepare_v3(
            handle, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &prepared, nil)
        guard status == SQLITE_OK, let prepared else { throw failure(status) }
        let statement = Statement(prepared, of: self)
        statements[sql] = statement
        return statement
    }

    /// Runs statements as one transaction: all of it is stored when this returns, or nothing.
    func transaction<Result>(
        _ body: () throws(StoreError) -> Result
    ) throws(StoreError) -> Result {
        try execute("BEGIN IMMEDIATE")
        do throws(StoreError) {
            let result = try body()
            try execute("COMMIT")
            return result
        } catch {
            // A full disk may have ended the transaction already.
            if sqlite3_get_autocommit(handle) == 0 {
                for statement in statements.values { statement.reset() }
                try? execute("ROLLBACK")
            }
            throw error
        }
    }

    /// Reads everything in `body` from one state of the database, whatever is written meanwhile.
    func snapshot<Result>(_ body: () throws(StoreError) -> Result) throws(StoreError) -> Result {
        try execute("BEGIN")
        defer {
            for statement in statements.values { statement.reset() }
            try? execute("COMMIT")
        }
        return try body()
    }

    /// The row id of the last insert.
    var lastRowID: Int64 { sqlite3_last_insert_rowid(handle) }

    /// How many rows the last statement changed.
    var changes: Int { Int(sqlite3_changes64(handle)) }

    /// The only number that a statement answers.
    func number(_ sql: String) throws(StoreError) -> Int64 {
        let statement = try statement(sql)
        defer { statement.reset() }
        return try statement.step() ? statement.int(0) : 0
    }

    /// What a status of SQLite means for the caller.
    func failure(_ status: Int32) -> StoreError {
        Self.failure(status, handle, path, "use")
    }

    private func adopt(_ format: Format, _ access: Access) throws(StoreError) {
        let id = try number("PRAGMA application_id")
        let version = try number("PRAGMA user_version")
        if id == 0, version == 0, access == .write,
            try number("SELECT count(*) FROM sqlite_schema") == 0
        {
            try transaction { () throws(StoreError) in
                try execute(format.schema)
                try execute("PRAGMA application_id=\(format.applicationID)")
                try execute("PRAGMA user_version=\(format.version)")
            }
            return
        }
        guard id == Int64(format.applicationID) else {
            throw StoreError(
                .corrupt,
                "cannot open \(path): got a SQLite file of another kind; "
                    + "want \(format.name)")
        }
        try upgrade(from: version, to: format, access)
    }

    private func upgrade(
        from version: Int64, to format: Format, _ access: Access
    ) throws(StoreError) {
        guard version != Int64(format.version) else { return }
        guard access == .write, (1..<Int64(format.version)).contains(version),
            format.upgrades.count == format.version - 1
        else {
            throw StoreError(
                .corrupt,
                "cannot open \(path): got schema version \(version); "
                    + "want \(format.version)")
        }
        try transaction { () throws(StoreError) in
            // Another connection may have done it meanwhile.
            guard try number("PRAGMA user_version") == version else { return }
            for step in format.upgrades[Int(version - 1)...] { try execute(step) }
            try execute("PRAGMA user_version=\(format.version)")
        }
    }

    private static func failure(
        _ status: Int32, _ handle: OpaquePointer?, _ path: String, _ verb: String
    ) -> StoreError {
        // SQLite notes the system's error, but not for a commit; a call that succeeds leaves errno as
        // it is, so the failed write's is still there.
        let reasons = [errno, handle.map { sqlite3_system_errno($0) } ?? 0]
        let text = handle.map { String(cString: sqlite3_errmsg($0)) } ?? "no memory"
        switch status & 0xFF {
        case SQLITE_FULL:
            return StoreError(.diskFull, "cannot write \(path): the disk is full; want room")
        case SQLITE_IOERR where reasons.contains { [ENOSPC, EFBIG, EDQUOT].contains($0) }:
            return StoreError(.diskFull, "cannot write \(path): the disk is full; want room")
        case SQLITE_CORRUPT, SQLITE_NOTADB:
            return StoreError(
                .corrupt,
                "cannot read \(path): the database is damaged (\(text)); "
                    + "want it restored or moved away")
        case SQLITE_CANTOPEN, SQLITE_READONLY, SQLITE_PERM, SQLITE_AUTH:
            return StoreError(
                .cannotOpen,
                "cannot \(verb) \(path): got \"\(text)\"; want a file that user \(getuid()) may "
                    + "write to")
        default:
            return StoreError(
                .inputOutput,
                "cannot \(verb) \(path): got \"\(text)\" (SQLite \(status)); want success")
        }
    }
}
