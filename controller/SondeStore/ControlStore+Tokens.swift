// SPDX-License-Identifier: Apache-2.0
// Creating, listing, revoking and checking tokens.

package import SondeModel
internal import Synchronization

extension ControlStore {
    /// Creates a token.
    ///
    /// - Parameters:
    ///   - name: What people call it: 1...100 characters.
    ///   - role: What its bearer may do.
    ///   - expires: When it stops working, or `nil` for never.
    ///   - who: Who creates it, for the audit log.
    ///   - now: The present.
    /// - Returns: The token with its text, which is not stored and cannot be had again.
    /// - Throws: ``StoreError``; `rejected` when the name is empty or too long, or when there are
    ///   too many tokens.
    package func createToken(
        name: String, role: Role, expires: Timestamp?, by who: String, now: Timestamp
    ) throws(StoreError) -> NewToken {
        guard (1...100).contains(name.count) else {
            throw StoreError(
                .rejected,
                "cannot create token: got a name of \(name.count) characters; want 1 to 100")
        }
        let id = Secret.hex(try Secret.random(6))
        let secret = Secret.hex(try Secret.random(24))
        let digest = try Secret.digest(secret)
        let token = Token(id: id, name: name, role: role, created: now, expires: expires)
        try state.withLock { state throws(StoreError) in
            guard state.tokens.count < Self.maximumTokens else {
                throw StoreError(
                    .rejected,
                    "cannot create token: got \(state.tokens.count) already; "
                        + "want fewer than \(Self.maximumTokens)")
            }
            try state.database.transaction { () throws(StoreError) in
                let insert = try state.database.statement(
                    "INSERT INTO token (id, name, role, digest, created, expires) "
                        + "VALUES (?, ?, ?, ?, ?, ?)")
                try insert.bind(id, at: 1)
                try insert.bind(name, at: 2)
                try insert.bind(role.rawValue, at: 3)
                try insert.bind(digest, at: 4)
                try insert.bind(now.unixNanoseconds, at: 5)
                try insert.bind(expires?.unixNanoseconds, at: 6)
                try insert.run()
                try Self.record(
                    "created token \(id) (\(name)), role \(role.rawValue)", by: who, at: now,
                    in: state.database)
            }
            state.tokens[id] = StoredToken(token: token, digest: digest)
        }
        return NewToken(token: token, text: "sonde_\(id)_\(secret)")
    }

    /// All tokens, the oldest first; expired ones too.
    package func tokens() -> [Token] {
        state.withLock { state in
            state.tokens.values.map(\.token).sorted {
                ($0.created.unixNanoseconds, $0.id) < ($1.created.unixNanoseconds, $1.id)
            }
        }
    }

    /// Ends a token at once.
    ///
    /// - Throws: ``StoreError``; `notFound` when there is none of this id.
    package func revokeToken(id: String, by who: String, now: Timestamp) throws(StoreError) {
        try state.withLock { state throws(StoreError) in
            guard let stored = state.tokens[id] else {
                throw StoreError(
                    .notFound,
                    "cannot revoke token: got the id \"\(id.prefix(40))\"; "
                        + "want one that `sonde token list` shows")
            }
            try state.database.transaction { () throws(StoreError) in
                let delete = try state.database.statement("DELETE FROM token WHERE id = ?")
                try delete.bind(id, at: 1)
                try delete.run()
                try Self.record(
                    "revoked token \(id) (\(stored.token.name))", by: who, at: now,
                    in: state.database)
            }
            state.tokens[id] = nil
        }
    }

    /// The token that a bearer's text stands for, or `nil` when it is unknown, wrong, or expired.
    ///
    /// Notes the use. The secret is compared in a time that does not depend on it.
    package func authenticate(_ text: String, now: Timestamp) -> Token? {
        let parts = text.split(separator: "_", omittingEmptySubsequences: false)
        guard text.utf8.count <= 200, parts.count == 3, parts[0] == "sonde",
            let digest = try? Secret.digest(String(parts[2]))
        else { return nil }
        let id = String(parts[1])
        return state.withLock { state in
            guard let stored = state.tokens[id], Secret.areEqual(stored.digest, digest)
            else { return nil }
            if let expires = stored.token.expires, expires <= now { return nil }
            noteUse(of: id, at: now, in: &state)
            return stored.token
        }
    }

    private func noteUse(of id: String, at now: Timestamp, in state: inout State) {
        let soon = state.tokens[id]?.token.lastUsed?.advanced(
            byNanoseconds: Self.lastUsedGranularitySeconds * 1_000_000_000)
        if let soon, now < soon { return }
        state.tokens[id]?.token.lastUsed = now
        // Failing to write down a use must not keep its bearer out.
        guard
            let update = try? state.database.statement(
                "UPDATE token SET last_used = ? WHERE id = ?")
        else { return }
        try? update.bind(now.unixNanoseconds, at: 1)
        try? update.bind(id, at: 2)
        try? update.run()
    }

    static func loadTokens(into state: inout State) throws(StoreError) {
        let rows = try state.database.statement(
            "SELECT id, name, role, digest, created, expires, last_used FROM token")
        defer { rows.reset() }
        while try rows.step() {
            guard let role = Role(rawValue: rows.text(2)) else {
                throw StoreError(
                    .corrupt,
                    "cannot read \(state.database.path): got the role "
                        + "\"\(rows.text(2))\"; want a known one")
            }
            let token = Token(
                id: rows.text(0), name: rows.text(1), role: role,
                created: Timestamp(unixNanoseconds: rows.int(4)),
                expires: rows.optionalInt(5).map(Timestamp.init(unixNanoseconds:)),
                lastUsed: rows.optionalInt(6).map(Timestamp.init(unixNanoseconds:)))
            state.tokens[token.id] = StoredToken(token: token, digest: rows.blob(3))
        }
    }
}
