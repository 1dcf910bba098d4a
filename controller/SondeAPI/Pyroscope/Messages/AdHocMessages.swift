// SPDX-License-Identifier: Apache-2.0
// What AdHocProfileService asks and answers.
// Source of the field numbers: grafana/pyroscope, api/adhocprofiles/v1.

/// A profile to look at.
struct AdHocUploadRequest: ConnectMessage {
    var name = ""
    /// The file in base64.
    var profile = ""
    var maxNodes: Int64?

    mutating func fields<V: FieldVisitor & ~Copyable>(_ visitor: inout V) throws(V.Failure) {
        try visitor.field(1, "name", &name)
        try visitor.field(2, "profile", &profile)
        try visitor.field(3, "max_nodes", &maxNodes)
    }
}

/// Asks for an uploaded profile.
struct AdHocGetRequest: ConnectMessage {
    var id = ""
    var profileType: String?
    var maxNodes: Int64?

    mutating func fields<V: FieldVisitor & ~Copyable>(_ visitor: inout V) throws(V.Failure) {
        try visitor.field(1, "id", &id)
        try visitor.field(2, "profile_type", &profileType)
        try visitor.field(3, "max_nodes", &maxNodes)
    }
}

/// An uploaded profile.
struct AdHocGetResponse: ConnectMessage {
    var id = ""
    var name = ""
    var uploadedAt: Int64 = 0
    var profileType = ""
    var profileTypes: [String] = []
    /// A flamebearer document in JSON.
    var flamebearerProfile = ""

    mutating func fields<V: FieldVisitor & ~Copyable>(_ visitor: inout V) throws(V.Failure) {
        try visitor.field(1, "id", &id)
        try visitor.field(2, "name", &name)
        try visitor.field(3, "uploaded_at", &uploadedAt)
        try visitor.field(4, "profile_type", &profileType)
        try visitor.field(5, "profile_types", &profileTypes)
        try visitor.field(6, "flamebearer_profile", &flamebearerProfile)
    }
}

/// The uploaded profiles.
struct AdHocListResponse: ConnectMessage {
    var profiles: [AdHocEntry] = []

    mutating func fields<V: FieldVisitor & ~Copyable>(_ visitor: inout V) throws(V.Failure) {
        try visitor.field(1, "profiles", &profiles)
    }
}

/// One uploaded profile.
struct AdHocEntry: ConnectMessage {
    var id = ""
    var name = ""
    var uploadedAt: Int64 = 0

    mutating func fields<V: FieldVisitor & ~Copyable>(_ visitor: inout V) throws(V.Failure) {
        try visitor.field(1, "id", &id)
        try visitor.field(2, "name", &name)
        try visitor.field(3, "uploaded_at", &uploadedAt)
    }
}

/// Asks how two uploaded profiles differ.
struct AdHocDiffRequest: ConnectMessage {
    var leftId = ""
    var rightId = ""
    var profileType: String?
    var maxNodes: Int64?

    mutating func fields<V: FieldVisitor & ~Copyable>(_ visitor: inout V) throws(V.Failure) {
        try visitor.field(1, "left_id", &leftId)
        try visitor.field(2, "right_id", &rightId)
        try visitor.field(3, "profile_type", &profileType)
        try visitor.field(4, "max_nodes", &maxNodes)
    }
}

/// How two uploaded profiles differ.
struct AdHocDiffResponse: ConnectMessage {
    var profileTypes: [String] = []
    var flamebearerProfile = ""

    mutating func fields<V: FieldVisitor & ~Copyable>(_ visitor: inout V) throws(V.Failure) {
        try visitor.field(1, "profile_types", &profileTypes)
        try visitor.field(2, "flamebearer_profile", &flamebearerProfile)
    }
}
