// SPDX-License-Identifier: Apache-2.0
// Profiles as OpenTelemetry's protocol sends them: what its readers make of a request.

package import SondeModel

/// Reads `ExportProfilesServiceRequest`, as `opentelemetry-proto` 1.10 and later define it.
///
/// Senders of 1.9 put a sample's values where later ones put its attributes. Their requests are
/// recognized and read rightly; those of still older senders are refused in words.
package enum OTLPProfiles {
    static let format = "OTLP profiles"

    static let tooOld = FormatError(
        .unsupported,
        "cannot read \(format): got a profile as opentelemetry-proto 1.8 and earlier define it;"
            + " want a sender of 1.9 or later")

    /// The profiles of a request in protobuf.
    ///
    /// - Parameters:
    ///   - bytes: The message, from untrusted hands.
    ///   - splitting: The sample attributes by whose values a profile's samples are kept apart; all
    ///     others are dropped, and named in ``OTLPProfile/droppedAttributes``.
    ///   - limits: What may be held in memory at most.
    /// - Returns: The profiles, in the request's order.
    /// - Throws: ``FormatError``.
    package static func decode(
        _ bytes: ArraySlice<UInt8>, splitting: Set<String> = ["service.name"],
        limits: FormatLimits = FormatLimits()
    ) throws(FormatError) -> [OTLPProfile] {
        try limits.check(bytes: bytes.count, format)
        let request = try OTLPProtoReader.read(bytes, limits)
        return try OTLPConverter.profiles(of: request, splitting, limits)
    }

    /// The profiles of a request in JSON; ids are hexadecimal, as OTLP has them, or base64.
    package static func decode(
        json bytes: [UInt8], splitting: Set<String> = ["service.name"],
        limits: FormatLimits = FormatLimits()
    ) throws(FormatError) -> [OTLPProfile] {
        try limits.check(bytes: bytes.count, format)
        let request = try OTLPJSONReader.read(bytes, limits)
        return try OTLPConverter.profiles(of: request, splitting, limits)
    }
}

/// One profile of an OTLP request.
///
/// Types, units and values are as the sender has them.
package struct OTLPProfile: Sendable {
    /// What describes the process: texts, numbers and truth values as text; lists are left out.
    package var resourceAttributes: [Label] = []
    /// The name of the library that made the profile; may be empty.
    package var scopeName = ""
    /// The version of that library; may be empty.
    package var scopeVersion = ""
    /// What else is said of that library.
    package var scopeAttributes: [Label] = []
    /// What is said of this profile.
    package var attributes: [Label] = []
    /// What a value counts, such as `samples`; may be empty.
    package var sampleType = ""
    /// The unit of a value, such as `count`; may be empty.
    package var sampleUnit = ""
    /// What triggers a sample, such as `cpu`; may be empty.
    package var periodType = ""
    /// The unit of the period; may be empty.
    package var periodUnit = ""
    /// How much lies between two samples; 0 when unknown.
    package var period: Int64 = 0
    /// When the profile began; `nil` when the sender does not say.
    package var start: Timestamp?
    /// How long it lasted, in nanoseconds; 0 when unknown.
    package var durationNanoseconds: Int64 = 0
    /// The sender's id of the profile: 16 bytes, or none.
    package var profileID: [UInt8] = []
    /// The samples, kept apart by the attributes that were asked for.
    package var series: [OTLPSeries] = []
    /// The names of sample attributes that are not kept, sorted.
    package var droppedAttributes: [String] = []
    /// Samples whose span is not kept because there were too many spans.
    package var droppedSpans = 0
}

/// The samples of a profile that share the attributes that were asked for.
package struct OTLPSeries: Sendable {
    /// Those attributes; none for samples that have none of them.
    package var attributes: [Label]
    /// The stacks of all these samples.
    package var stacks: LocationTree
    /// The part of the stacks that belongs to spans.
    package var spans: [SpanStacks]
}
