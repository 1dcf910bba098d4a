// SPDX-License-Identifier: Apache-2.0
// One compiled SQL statement: parameters in, rows out.

internal import CSQLite

/// One compiled statement.
///
/// Used by one thread at a time, like its connection.
final class Statement {
    private let handle: OpaquePointer
    private unowned let database: Database

    init(_ handle: OpaquePointer, of database: Database) {
        self.handle = handle
        self.database = database
    }

    deinit { sqlite3_finalize(handle) }

    /// Ends the statement's rows and forgets its bindings.
    func reset() {
        sqlite3_reset(handle)
        sqlite3_clear_bindings(handle)
    }

    /// Binds a number to the parameter at `index`, the first of which is 1.
    func bind(_ value: Int64, at index: Int32) throws(StoreError) {
        try check(sqlite3_bind_int64(handle, index, value))
    }

    /// Binds a number, or NULL.
    func bind(_ value: Int64?, at index: Int32) throws(StoreError) {
        if let value {
            try bind(value, at: index)
        } else {
            try check(sqlite3_bind_null(handle, index))
        }
    }

    /// Binds a floating point number.
    func bind(_ value: Double, at index: Int32) throws(StoreError) {
        try check(sqlite3_bind_double(handle, index, value))
    }

    /// Binds text, which may hold zeros.
    func bind(_ value: String, at index: Int32) throws(StoreError) {
        var value = value
        let status = value.withUTF8 { bytes in
            // Safety: SQLite copies the bytes before it returns.
            bytes.withMemoryRebound(to: CChar.self) { bytes in
                sonde_sqlite_bind_text(handle, index, bytes.baseAddress, UInt64(bytes.count))
            }
        }
        try check(status)
    }

    /// Binds bytes.
    func bind(_ value: [UInt8], at index: Int32) throws(StoreError) {
        let status = value.withUnsafeBytes { bytes in
            // Safety: SQLite copies the bytes before it returns.
            bytes.isEmpty
                ? sqlite3_bind_zeroblob(handle, index, 0)
                : sonde_sqlite_bind_blob(handle, index, bytes.baseAddress, UInt64(bytes.count))
        }
        try check(status)
    }

    /// Goes to the next row; `false` when there is none.
    func step() throws(StoreError) -> Bool {
        switch sqlite3_step(handle) {
        case SQLITE_ROW: return true
        case SQLITE_DONE: return false
        case let status:
            let error = database.failure(status)
            sqlite3_reset(handle)
            throw error
        }
    }

    /// Runs a statement that answers no rows, and resets it.
    func run() throws(StoreError) {
        while try step() {}
        reset()
    }

    /// The number in a column of the row, the first of which is 0.
    func int(_ column: Int32) -> Int64 { sqlite3_column_int64(handle, column) }

    /// The floating point number in a column.
    func double(_ column: Int32) -> Double { sqlite3_column_double(handle, column) }

    /// The number in a column, or `nil` when it is NULL.
    func optionalInt(_ column: Int32) -> Int64? {
        sqlite3_column_type(handle, column) == SQLITE_NULL ? nil : int(column)
    }

    /// The text in a column; empty when it is NULL.
    func text(_ column: Int32) -> String {
        withBytes(column) { String(decoding: $0, as: UTF8.self) }
    }

    /// The bytes in a column; empty when it is NULL.
    func blob(_ column: Int32) -> [UInt8] { withBytes(column) { Array($0) } }

    /// Reads a column's bytes where they are.
    func withBytes<Result, Failure: Error>(
        _ column: Int32, _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        // Safety: the address is valid until the next step, reset or conversion of this column,
        // none of which `body` can reach. The order of the two calls is the one SQLite asks for.
        let address = sqlite3_column_blob(handle, column)
        let count = Int(sqlite3_column_bytes(handle, column))
        return try body(UnsafeRawBufferPointer(start: address, count: address == nil ? 0 : count))
    }

    private func check(_ status: Int32) throws(StoreError) {
        guard status == SQLITE_OK else { throw database.failure(status) }
    }
}
