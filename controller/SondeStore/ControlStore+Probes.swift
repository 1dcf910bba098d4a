// SPDX-License-Identifier: Apache-2.0
// Adding, changing and removing probes, so that a restarted controller forgets none.

package import SondeModel
internal import Synchronization

extension ControlStore {
    /// The most probes that there may be.
    package static let maximumProbes = 10_000

    static let probeSchema = """
        CREATE TABLE probe (
            id TEXT PRIMARY KEY, revision INTEGER NOT NULL, kind TEXT NOT NULL,
            location TEXT NOT NULL, template TEXT NOT NULL, condition TEXT NOT NULL,
            service TEXT NOT NULL, instance TEXT NOT NULL,
            labels BLOB NOT NULL,        -- name and value by turns, each ended by a zero
            level TEXT NOT NULL, tag TEXT NOT NULL, reason TEXT NOT NULL,
            expires INTEGER NOT NULL,    -- Unix nanoseconds, as is created
            hits INTEGER NOT NULL, rate INTEGER NOT NULL, enabled INTEGER NOT NULL,
            created INTEGER NOT NULL, created_by TEXT NOT NULL) STRICT;
        """

    /// An id that no probe has: `p-` and eight characters of Crockford's base 32.
    package func newProbeID() throws(StoreError) -> String {
        let alphabet = Array("0123456789abcdefghjkmnpqrstvwxyz")
        while true {
            let bytes = try Secret.random(8)
            let id = "p-" + String(bytes.map { alphabet[Int($0) % 32] })
            if state.withLock({ $0.probes[id] == nil }) { return id }
        }
    }

    /// Keeps a probe.
    ///
    /// - Throws: ``StoreError``; `alreadyExists` when its id is taken, `rejected` when there are too
    ///   many.
    package func addProbe(_ probe: ProbeDefinition) throws(StoreError) {
        try state.withLock { state throws(StoreError) in
            guard state.probes.count < Self.maximumProbes else {
                throw StoreError(
                    .rejected,
                    "cannot add a probe: got \(state.probes.count) already; "
                        + "want fewer than \(Self.maximumProbes)")
            }
            guard state.probes[probe.id] == nil else {
                throw StoreError(
                    .alreadyExists,
                    "cannot add a probe: got the id \(probe.id) twice; want a new one")
            }
            try state.database.transaction { () throws(StoreError) in
                try Self.write(probe, in: state.database)
                try Self.record(
                    Self.words("added", probe), by: probe.createdBy, at: probe.created,
                    in: state.database)
            }
            state.probes[probe.id] = probe
        }
    }

    /// All probes, the oldest first; those whose time is over, too, until they are removed.
    package func probes() -> [ProbeDefinition] {
        state.withLock { state in
            state.probes.values.sorted {
                ($0.created.unixNanoseconds, $0.id) < ($1.created.unixNanoseconds, $1.id)
            }
        }
    }

    /// The probe of an id.
    package func probe(_ id: String) -> ProbeDefinition? { state.withLock { $0.probes[id] } }

    /// Enables or disables a probe.
    ///
    /// - Parameters:
    ///   - id: The probe.
    ///   - enabled: Whether it shall be in the code.
    ///   - again: Whether it gets a new revision also when it is so already, so that agents try again.
    ///   - who: Who wants it, for the audit log.
    ///   - now: The present.
    /// - Returns: The probe as it is now; its revision grew when something changed.
    /// - Throws: ``StoreError``; `notFound` when there is none of this id.
    package func setProbe(
        _ id: String, enabled: Bool, again: Bool = false, by who: String, now: Timestamp
    ) throws(StoreError) -> ProbeDefinition {
        try state.withLock { state throws(StoreError) in
            guard var probe = state.probes[id] else { throw Self.unknownProbe(id, "change") }
            guard again || probe.isEnabled != enabled else { return probe }
            probe.isEnabled = enabled
            probe.revision += 1
            try state.database.transaction { () throws(StoreError) in
                try Self.write(probe, in: state.database)
                try Self.record(
                    Self.words(enabled ? "enabled" : "disabled", probe), by: who, at: now,
                    in: state.database)
            }
            state.probes[id] = probe
            return probe
        }
    }

    /// Removes a probe; the audit log keeps that it was there.
    ///
    /// - Throws: ``StoreError``; `notFound` when there is none of this id.
    package func removeProbe(_ id: String, by who: String, now: Timestamp) throws(StoreError) {
        try state.withLock { state throws(StoreError) in
            guard let probe = state.probes[id] else { throw Self.unknownProbe(id, "remove") }
            try state.database.transaction { () throws(StoreError) in
                let delete = try state.database.statement("DELETE FROM probe WHERE id = ?")
                try delete.bind(id, at: 1)
                try delete.run()
                try Self.record(
                    Self.words("removed", probe), by: who, at: now, in: state.database)
            }
            state.probes[id] = nil
        }
    }

    private static func unknownProbe(_ id: String, _ verb: String) -> StoreError {
        StoreError(
            .notFound,
            "cannot \(verb) a probe: got the id \"\(id.prefix(40))\"; "
                + "want one that `sonde probes` shows")
    }

    private static func words(_ verb: String, _ probe: ProbeDefinition) -> String {
        var text = "\(verb) probe \(probe.id) at \(probe.location) of \(probe.target.service)"
        if verb == "added" {
            text += ": \"\(probe.template)\""
            if !probe.condition.isEmpty { text += " if \(probe.condition)" }
            if !probe.reason.isEmpty { text += ", because: \(probe.reason)" }
        }
        return text
    }

    private static func write(
        _ probe: ProbeDefinition, in database: Database
    ) throws(StoreError) {
        let upsert = try database.statement(
            "INSERT OR REPLACE INTO probe (id, kind, location, template, condition, service, "
                + "instance, level, tag, reason, created_by, revision, expires, hits, rate, "
                + "enabled, created, labels) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        )
        let labels = probe.target.labels.map { "\($0.name)\0\($0.value)\0" }.joined()
        let texts = [
            probe.id, probe.kind.rawValue, probe.location, probe.template, probe.condition,
            probe.target.service, probe.target.instance, probe.level, probe.tag, probe.reason,
            probe.createdBy,
        ]
        for (index, text) in texts.enumerated() { try upsert.bind(text, at: Int32(index + 1)) }
        let numbers = [
            Int64(clamping: probe.revision), probe.bounds.expires.unixNanoseconds,
            Int64(clamping: probe.bounds.hits), Int64(clamping: probe.bounds.linesPerSecond),
            probe.isEnabled ? 1 : 0, probe.created.unixNanoseconds,
        ]
        for (index, number) in numbers.enumerated() {
            try upsert.bind(number, at: Int32(texts.count + index + 1))
        }
        try upsert.bind(Array(labels.utf8), at: Int32(texts.count + numbers.count + 1))
        try upsert.run()
    }

    static func loadProbes(into state: inout State) throws(StoreError) {
        let rows = try state.database.statement(
            "SELECT id, kind, location, template, condition, service, instance, labels, level, tag, "
                + "reason, created_by, revision, expires, hits, rate, enabled, created FROM probe")
        defer { rows.reset() }
        while try rows.step() {
            guard let kind = ProbeDefinition.Kind(rawValue: rows.text(1)) else {
                throw StoreError(
                    .corrupt,
                    "cannot read \(state.database.path): got the probe kind "
                        + "\"\(rows.text(1))\"; want a known one")
            }
            let parts = rows.blob(7).split(separator: 0, omittingEmptySubsequences: false)
                .map { String(decoding: $0, as: UTF8.self) }
            let labels = stride(from: 0, to: parts.count - 1, by: 2).map {
                Label(name: parts[$0], value: parts[$0 + 1])
            }
            var probe = ProbeDefinition(
                id: rows.text(0), location: rows.text(2), template: rows.text(3),
                target: .init(service: rows.text(5), instance: rows.text(6), labels: labels),
                bounds: .init(
                    expires: Timestamp(unixNanoseconds: rows.int(13)),
                    hits: UInt64(clamping: rows.int(14)),
                    linesPerSecond: UInt64(clamping: rows.int(15))))
            probe.kind = kind
            probe.condition = rows.text(4)
            probe.level = rows.text(8)
            probe.tag = rows.text(9)
            probe.reason = rows.text(10)
            probe.createdBy = rows.text(11)
            probe.revision = UInt64(clamping: rows.int(12))
            probe.isEnabled = rows.int(16) != 0
            probe.created = Timestamp(unixNanoseconds: rows.int(17))
            state.probes[probe.id] = probe
        }
    }
}
