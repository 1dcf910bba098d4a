// SPDX-License-Identifier: Apache-2.0
// What the small services beside the querier ask and answer.
// Source of the field numbers: grafana/pyroscope, api/settings/v1, api/capabilities/v1, api/version/v1.

/// One setting.
struct SettingMessage: ConnectMessage {
    var name = ""
    var value = ""
    /// Unix milliseconds.
    var modifiedAt: Int64 = 0

    mutating func fields<V: FieldVisitor & ~Copyable>(_ visitor: inout V) throws(V.Failure) {
        try visitor.field(1, "name", &name)
        try visitor.field(2, "value", &value)
        try visitor.field(3, "modifiedAt", &modifiedAt)
    }
}

/// All settings.
struct SettingsResponse: ConnectMessage {
    var settings: [SettingMessage] = []

    mutating func fields<V: FieldVisitor & ~Copyable>(_ visitor: inout V) throws(V.Failure) {
        try visitor.field(1, "settings", &settings)
    }
}

/// A setting to set, or that was set.
struct SettingEnvelope: ConnectMessage {
    var setting: SettingMessage?

    mutating func fields<V: FieldVisitor & ~Copyable>(_ visitor: inout V) throws(V.Failure) {
        try visitor.field(1, "setting", &setting)
    }
}

/// Which setting is deleted.
struct SettingName: ConnectMessage {
    var name = ""

    mutating func fields<V: FieldVisitor & ~Copyable>(_ visitor: inout V) throws(V.Failure) {
        try visitor.field(1, "name", &name)
    }
}

/// What the server can do.
struct FeatureFlagsResponse: ConnectMessage {
    var featureFlags: [FeatureFlag] = []

    mutating func fields<V: FieldVisitor & ~Copyable>(_ visitor: inout V) throws(V.Failure) {
        try visitor.field(1, "feature_flags", &featureFlags)
    }
}

/// One thing that the server can do or not.
struct FeatureFlag: ConnectMessage {
    var name = ""
    var enabled = false
    var description: String?
    var documentationURL: String?

    mutating func fields<V: FieldVisitor & ~Copyable>(_ visitor: inout V) throws(V.Failure) {
        try visitor.field(1, "name", &name)
        try visitor.field(2, "enabled", &enabled)
        try visitor.field(3, "description", &description)
        try visitor.field(4, "documentation_url", &documentationURL)
    }
}

/// The version of the querier's interface.
struct VersionResponse: ConnectMessage {
    var querierAPI: UInt64 = 0

    mutating func fields<V: FieldVisitor & ~Copyable>(_ visitor: inout V) throws(V.Failure) {
        try visitor.field(1, "QuerierAPI", &querierAPI)
    }
}
