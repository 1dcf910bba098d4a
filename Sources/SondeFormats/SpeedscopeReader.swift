// SPDX-License-Identifier: Apache-2.0
// Reads speedscope's file format: frames, and profiles that are evented or sampled.

internal import SondeModel
internal import SondeWire

extension SpeedscopeDocument {
    /// Reads a file of speedscope's own format, version 0.0.1.
    ///
    /// Times become nanoseconds, to the nearest; what has no unit is counted, and fractions of a
    /// count add up before they are rounded. A sampled profile without weights counts samples.
    /// Lines and columns are not kept. Members may stand in any order.
    ///
    /// - Parameters:
    ///   - bytes: The JSON text, from untrusted hands.
    ///   - limits: What may be held in memory at most.
    /// - Returns: The profiles of the file, in its order; `sampleType` is never set.
    /// - Throws: ``FormatError``; its message has the byte where JSON is broken, and the profile
    ///   and its sample or event otherwise.
    package static func read(
        _ bytes: some Collection<UInt8>, limits: FormatLimits = FormatLimits()
    ) throws(FormatError) -> [NamedStacks] {
        try limits.check(bytes: bytes.count, SpeedscopeReader.format)
        var reader = SpeedscopeReader(limits)
        return try reader.read(JSONReader(Array(bytes)))
    }
}

/// The state of one reading: since frames may stand behind the profiles that refer to them, the
/// text is passed over twice.
struct SpeedscopeReader {
    static let format = "speedscope"

    /// What is left of the limits, for all profiles together.
    var limits: FormatLimits
    var frames: [Frame] = []
    /// The error to throw when reading ended with one that is not about JSON.
    var failure: FormatError?
    private var hasSchema = false

    init(_ limits: FormatLimits) { self.limits = limits }

    mutating func read(_ json: JSONReader) throws(FormatError) -> [NamedStacks] {
        do throws(JSONError) {
            var first = json
            try readFrames(&first)
            guard hasSchema else {
                throw fail(
                    .malformed(
                        Self.format, got: "no $schema", want: "\"\(Self.schema)\""))
            }
            var second = json
            return try readProfiles(&second)
        } catch {
            throw failure ?? FormatError(.malformed, "cannot read \(Self.format): \(error)")
        }
    }

    static let schema = "https://www.speedscope.app/file-format-schema.json"

    /// Keeps an error, and ends the reading of JSON, whose closures throw its errors only.
    mutating func fail(_ error: FormatError) -> JSONError {
        failure = error
        return JSONError(error.description)
    }

    private mutating func readFrames(_ reader: inout JSONReader) throws(JSONError) {
        try reader.object { reader, name throws(JSONError) in
            switch name {
            case "$schema":
                let schema = try reader.string()
                hasSchema = schema == Self.schema
                guard hasSchema else {
                    throw fail(
                        FormatError(
                            .unsupported,
                            "cannot read \(Self.format): got the schema "
                                + "\(schema.prefix(200).debugDescription); want \"\(Self.schema)\"")
                    )
                }
            case "shared":
                try reader.object { reader, name throws(JSONError) in
                    guard name == "frames" else { return try reader.skip() }
                    try reader.array { reader throws(JSONError) in try readFrame(&reader) }
                }
            default: try reader.skip()
            }
        }
        try reader.end()
    }

    private mutating func readFrame(_ reader: inout JSONReader) throws(JSONError) {
        guard frames.count < limits.tableEntries else {
            throw fail(.tooMany(Self.format, "frames", limit: limits.tableEntries))
        }
        var frame = Frame(name: "")
        try reader.object { reader, name throws(JSONError) in
            switch name {
            case "name": frame.name = try reader.string()
            case "file" where !reader.null(): frame.file = try reader.string()
            case "file": break
            default: try reader.skip()
            }
        }
        frame.name = FrameTreeBuilder.tail(of: frame.name, limits.nameBytes)
        frame.file = FrameTreeBuilder.tail(of: frame.file, limits.nameBytes)
        if frame.name.isEmpty {
            frame.name = "unknown"
            frame.kind = .unresolved
        }
        frames.append(frame)
    }

    private mutating func readProfiles(
        _ reader: inout JSONReader
    ) throws(JSONError) -> [NamedStacks] {
        var profiles: [NamedStacks] = []
        var keys = FrameKeys(count: frames.count)
        try reader.object { reader, name throws(JSONError) in
            guard name == "profiles" else { return try reader.skip() }
            try reader.array { reader throws(JSONError) in
                guard profiles.count < limits.profiles else {
                    throw fail(.tooMany(Self.format, "profiles", limit: limits.profiles))
                }
                keys.beginProfile()
                profiles.append(try readProfile(&reader, number: profiles.count + 1, &keys))
            }
        }
        return profiles
    }

    private mutating func readProfile(
        _ reader: inout JSONReader, number: Int, _ keys: inout FrameKeys
    ) throws(JSONError) -> NamedStacks {
        // The unit may stand behind the values that it scales.
        var ahead = reader
        let head = try readHead(&ahead, number)
        var profile = SpeedscopeProfile(head, number: number, limits)
        try reader.object { reader, name throws(JSONError) in
            switch (head.kind, name) {
            case (.sampled, "samples"):
                try reader.array { reader throws(JSONError) in
                    try profile.sample(&reader, &self, &keys)
                }
            case (.sampled, "weights"):
                try reader.array { reader throws(JSONError) in
                    try profile.weight(&reader, &self)
                }
            case (.evented, "events"):
                try reader.array { reader throws(JSONError) in
                    try profile.event(&reader, &self, &keys)
                }
            default: try reader.skip()
            }
        }
        do throws(FormatError) {
            let stacks = try profile.finish()
            limits.nodes -= stacks.stacks.count - 1
            return stacks
        } catch { throw fail(error) }
    }

    private mutating func readHead(
        _ reader: inout JSONReader, _ number: Int
    ) throws(JSONError) -> SpeedscopeProfile.Head {
        var head = SpeedscopeProfile.Head()
        var type = ""
        var unit = "none"
        try reader.object { reader, name throws(JSONError) in
            switch name {
            case "type": type = try reader.string()
            case "unit": unit = try reader.string()
            case "name" where !reader.null(): head.name = try reader.string()
            case "name": break
            case "endValue": head.end = try reader.number()
            default: try reader.skip()
            }
        }
        guard let kind = SpeedscopeProfile.Kind(rawValue: type) else {
            throw fail(
                FormatError(
                    .unsupported,
                    "cannot read \(Self.format): got the type "
                        + "\(type.prefix(200).debugDescription) of profile \(number);"
                        + " want evented or sampled"))
        }
        guard let scale = SpeedscopeProfile.scales[unit] else {
            throw fail(
                FormatError(
                    .unsupported,
                    "cannot read \(Self.format): got the unit "
                        + "\(unit.prefix(200).debugDescription) of profile \(number); want "
                        + SpeedscopeProfile.scales.keys.sorted().joined(separator: ", ")))
        }
        head.kind = kind
        (head.unit, head.scale) = scale
        return head
    }
}

/// Which key of the profile at hand each frame of the file has.
///
/// The columns serve all profiles, because clearing them for each one would take as long as there
/// are frames times profiles.
struct FrameKeys {
    private var keys: [Int32]
    private var profiles: [Int32]
    private var profile: Int32 = 0

    init(count: Int) {
        keys = [Int32](repeating: 0, count: count)
        profiles = keys
    }

    mutating func beginProfile() { profile += 1 }

    /// The key of a frame; `nil` when there is no such frame.
    mutating func key(
        _ frame: Int64, _ frames: [Frame], in builder: inout FrameTreeBuilder
    ) -> Int32? {
        guard let index = Int(exactly: frame), frames.indices.contains(index) else { return nil }
        if profiles[index] != profile {
            profiles[index] = profile
            keys[index] = builder.key(frames[index])
        }
        return keys[index]
    }
}
