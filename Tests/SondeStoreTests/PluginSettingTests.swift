// SPDX-License-Identifier: Apache-2.0
// Settings of clients' pages are kept for each tenant.

import SondeModel
import SondeStore
import Testing

@Suite struct PluginSettingTests {
    private let scratch = ScratchFolder()
    private let now = Afternoon.begin

    @Test func settingsOutliveTheController() throws {
        try set("maxNodes", "1", at: 1, in: open())
        try set("maxNodes", "2", at: 2, in: open())
        try set("theme", "dark", at: 1, in: open())
        let settings = try open().pluginSettings(of: "")
        #expect(settings.map(\.name) == ["maxNodes", "theme"])
        #expect(settings.map(\.value) == ["2", "dark"])
        #expect(try open().auditLog().map(\.what).contains("set the plugin's setting theme"))
    }

    @Test func anOlderValueDoesNotReplaceANewerOne() throws {
        let store = try open()
        try set("a", "new", at: 5, in: store)
        #expect { try set("a", "old", at: 4, in: store) } throws: { error in
            (error as? StoreError)?.code == .alreadyExists
        }
        #expect(try store.pluginSettings(of: "").map(\.value) == ["new"])
    }

    @Test func tenantsHaveSettingsOfTheirOwn() throws {
        let store = try open()
        try set("a", "1", at: 1, of: "x", in: store)
        #expect(try store.pluginSettings(of: "y").isEmpty)
        try store.removePluginSetting("a", of: "y", by: "me", now: now)
        #expect(try store.pluginSettings(of: "x").count == 1)
        try store.removePluginSetting("a", of: "x", by: "me", now: now)
        #expect(try store.pluginSettings(of: "x").isEmpty)
    }

    @Test func whatIsTooLargeIsRefused() throws {
        let store = try open()
        let large = String(repeating: "x", count: ControlStore.maximumPluginSettingBytes)
        #expect { try set("a", large, at: 1, in: store) } throws: { error in
            (error as? StoreError)?.code == .tooLarge
        }
    }

    private func open() throws -> ControlStore { try ControlStore(DataFolder(scratch.path)) }

    private func set(
        _ name: String, _ value: String, at time: Int64, of tenant: String = "",
        in store: ControlStore
    ) throws {
        let modified = Timestamp(unixMilliseconds: time)
        try store.setPluginSetting(
            PluginSetting(name: name, value: value, modified: modified), of: tenant, by: "me",
            now: now)
    }
}
