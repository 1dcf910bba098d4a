// SPDX-License-Identifier: Apache-2.0
// Probes outlive the controller, and who changed them is on record.

import SondeModel
import Synchronization
import Testing

@testable import SondeStore

@Suite struct ProbeStoreTests {
    private let now = Timestamp(unixNanoseconds: 1_700_000_000_000_000_000)

    private func probe(_ id: String) -> ProbeDefinition {
        var probe = ProbeDefinition(
            id: id, location: "Settlement.swift:88", template: "settle {bet.id}",
            target: .init(
                service: "bookmaker", instance: "5f",
                labels: [Label(name: "zone", value: "a\nb"), Label(name: "x", value: "y")]),
            bounds: .init(
                expires: now.advanced(byNanoseconds: 60_000_000_000), hits: 7, linesPerSecond: 3))
        probe.condition = "bet.stake > 100"
        probe.level = "warn"
        probe.tag = "night"
        probe.reason = "stakes look wrong"
        probe.created = now
        probe.createdBy = "alice (1)"
        return probe
    }

    @Test func aProbeIsTheSameAfterARestart() throws {
        let scratch = ScratchFolder()
        do {
            let store = try ControlStore(DataFolder(scratch.path))
            try store.addProbe(probe("p-1"))
            _ = try store.setProbe("p-1", enabled: false, by: "bob", now: now)
        }
        let store = try ControlStore(DataFolder(scratch.path))
        var expected = probe("p-1")
        expected.isEnabled = false
        expected.revision = 2
        #expect(store.probes() == [expected])
        let log = try store.auditLog().map { "\($0.who): \($0.what)" }
        #expect(log.first == "bob: disabled probe p-1 at Settlement.swift:88 of bookmaker")
        #expect(log.last?.contains("because: stakes look wrong") == true)
    }

    @Test func aRemovedProbeStaysRemoved() throws {
        let scratch = ScratchFolder()
        do {
            let store = try ControlStore(DataFolder(scratch.path))
            try store.addProbe(probe("p-1"))
            try store.addProbe(probe("p-2"))
            try store.removeProbe("p-1", by: "bob", now: now)
        }
        let store = try ControlStore(DataFolder(scratch.path))
        #expect(store.probes().map(\.id) == ["p-2"])
        let error = #expect(throws: StoreError.self) {
            try store.removeProbe("p-1", by: "bob", now: now)
        }
        #expect(error?.code == .notFound)
        #expect(error?.message.contains("sonde probes") == true)
    }

    @Test func enablingWhatIsEnabledChangesNothing() throws {
        let scratch = ScratchFolder()
        let store = try ControlStore(DataFolder(scratch.path))
        try store.addProbe(probe("p-1"))
        let same = try store.setProbe("p-1", enabled: true, by: "bob", now: now)
        #expect(same.revision == 1)
        #expect(try store.auditLog().count == 1)
        let again = try store.setProbe("p-1", enabled: true, again: true, by: "bob", now: now)
        #expect(again.revision == 2 && again.isEnabled)
        #expect(try store.auditLog().count == 2)
    }

    @Test func idsAreNew() throws {
        let scratch = ScratchFolder()
        let store = try ControlStore(DataFolder(scratch.path))
        let ids = try (0..<100).map { _ in try store.newProbeID() }
        #expect(Set(ids).count == 100)
        #expect(ids.allSatisfy { $0.count == 10 && $0.hasPrefix("p-") })
    }

    @Test func aDatabaseOfTheFirstVersionIsUpgraded() throws {
        let scratch = ScratchFolder()
        do {
            let store = try ControlStore(DataFolder(scratch.path))
            _ = try store.createToken(
                name: "a", role: .viewer, expires: nil, by: "x", now: now)
            try store.state.withLock { state throws(StoreError) in
                try state.database.execute(
                    "DROP TABLE probe; DROP TABLE tenant_limit; DROP TABLE plugin_setting; "
                        + "DROP TABLE adhoc_profile; PRAGMA user_version=1")
            }
        }
        let store = try ControlStore(DataFolder(scratch.path))
        #expect(store.tokens().count == 1)
        try store.addProbe(probe("p-1"))
        #expect(store.probes().count == 1)
    }
}
