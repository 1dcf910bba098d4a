// SPDX-License-Identifier: Apache-2.0
// Reads a profile that somebody uploaded, in whatever format it is.

internal import SondeFormats
internal import SondeModel
internal import SondeQuery
internal import SondeWire

/// One kind of value of an uploaded profile.
struct AdHocStacks: Sendable {
    /// What a person calls it, such as `cpu`; unlike all others of the file.
    var name: String
    /// What it counts.
    var type: ProfileType
    /// The stacks.
    var stacks: FrameTree

    /// Reads a file: pprof, gzipped or not, speedscope's JSON, or folded text.
    ///
    /// - Parameters:
    ///   - file: The file.
    ///   - symbols: Finds names for addresses.
    /// - Returns: At least one kind of value.
    /// - Throws: ``APIError`` that says why it is none of these formats.
    static func read(
        _ file: [UInt8], _ symbols: any SymbolResolver
    ) throws(APIError) -> [AdHocStacks] {
        let limits = FormatLimits()
        var bytes = file
        do {
            if Gzip.isGzip(file) { bytes = try Gzip.expand(file, limit: limits.bytes) }
            let first = bytes.first { $0 != 32 && $0 != 10 && $0 != 13 && $0 != 9 }
            if first == UInt8(ascii: "{") {
                return named(try SpeedscopeDocument.read(bytes, limits: limits))
            }
            if isBinary(bytes) {
                return try pprof(bytes).map { profile in
                    AdHocStacks(
                        name: profile.type.sampleType, type: profile.type,
                        stacks: profile.stacks.symbolized(by: symbols))
                }
            }
            let folded = try FoldedStacks.read(bytes, limits: limits)
            if folded.count > 1 { return named([NamedStacks(stacks: folded)]) }
        } catch {
            throw APIError(.invalidArgument, "\(error)")
        }
        throw APIError(
            .invalidArgument,
            "cannot read profile: got \(file.count) bytes without a stack; "
                + "want pprof, speedscope or folded text")
    }

    /// Whether bytes are no text: among the tags and lengths of a pprof are control characters.
    private static func isBinary(_ bytes: [UInt8]) -> Bool {
        bytes.prefix(4096).contains { $0 < 32 && !(9...13).contains($0) }
    }

    /// The profiles of a pprof.
    private static func pprof(_ bytes: [UInt8]) throws -> [Profile] {
        let document = try PprofDocument(decoding: bytes[...])
        return try document.profiles(
            seriesLabels: try LabelSet([Label(name: LabelName.metric, value: "upload")]),
            receivedAt: Timestamp(unixNanoseconds: 0))
    }

    /// Stacks of names, each kind under a name of its own.
    private static func named(_ profiles: [NamedStacks]) -> [AdHocStacks] {
        var taken: Set<String> = []
        return profiles.map { profile in
            let kind = profile.sampleType ?? "samples"
            var name = profile.name.map { "\(kind) \($0)" } ?? kind
            var number = 2
            while !taken.insert(name).inserted {
                name = "\(profile.name.map { "\(kind) \($0)" } ?? kind) (\(number))"
                number += 1
            }
            let type = ProfileType(
                name: kind, sampleType: kind, sampleUnit: profile.unit ?? "count", periodType: "",
                periodUnit: "")
            return AdHocStacks(name: name, type: type, stacks: profile.stacks)
        }
    }
}
