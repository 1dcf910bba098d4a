// SPDX-License-Identifier: Apache-2.0
// Reads what somebody wants of a new probe, and says what is wrong with it.

internal import SondeModel
internal import SondeWire

/// What somebody wants of a new probe: the body of `POST /api/v1/probes`.
struct ProbeWish {
    var kind = ProbeDefinition.Kind.log
    var location = ""
    var template = ""
    var condition = ""
    var target = ProbeDefinition.Target(service: "")
    var level = "info"
    var tag = ""
    var reason = ""
    var seconds = ProbeDefinition.Bounds.standardSeconds
    var hits = Int64(ProbeDefinition.Bounds.standardHits)
    var rate = Int64(ProbeDefinition.Bounds.standardRate)

    /// The most bytes of a text.
    static let textLimit = 4096
    /// The most bytes of a tag.
    static let tagLimit = 100

    private static let members = [
        "kind", "location", "template", "condition", "service", "instance", "labels", "level",
        "tag", "reason", "seconds", "hits", "rate",
    ]

    /// Reads a wish.
    ///
    /// - Throws: ``APIError`` with the member that is wrong.
    init(_ body: [UInt8]) throws(APIError) {
        var kindText = "log"
        var unknown: String?
        var reader = JSONReader(body)
        do throws(JSONError) {
            try reader.object { reader, name throws(JSONError) in
                switch name {
                case "kind": kindText = try reader.string()
                case "location": location = try reader.string()
                case "template": template = try reader.string()
                case "condition": condition = try Self.optional(&reader)
                case "service": target.service = try reader.string()
                case "instance": target.instance = try Self.optional(&reader)
                case "labels": target.labels = try Self.labels(&reader)
                case "level": level = try reader.string()
                case "tag": tag = try Self.optional(&reader)
                case "reason": reason = try Self.optional(&reader)
                case "seconds": seconds = try reader.int64()
                case "hits": hits = try reader.int64()
                case "rate": rate = try reader.int64()
                default:
                    // A condition under a misspelt name must not be passed over.
                    unknown = unknown ?? name
                    try reader.skip()
                }
            }
            try reader.end()
        } catch { throw APIError(.invalidArgument, error.description) }
        if let unknown {
            throw APIError(
                .invalidArgument,
                "cannot add a probe: got the unknown member \(unknown.quotedForMessage); want \(Self.members.joined(separator: ", "))"
            )
        }
        guard let kind = ProbeDefinition.Kind(rawValue: kindText) else {
            throw Self.wrong(
                "kind", kindText.quotedForMessage,
                ProbeDefinition.Kind.allCases.map(\.rawValue).joined(separator: ", "))
        }
        self.kind = kind
        try check()
    }

    private func check() throws(APIError) {
        for (name, text) in [
            ("location", location), ("template", template), ("service", target.service),
        ] where text.isEmpty {
            throw Self.wrong(name, "none", "one")
        }
        for (name, text) in [
            ("location", location), ("template", template), ("condition", condition),
            ("service", target.service), ("instance", target.instance), ("reason", reason),
        ] where text.utf8.count > Self.textLimit {
            throw Self.wrong(name, "\(text.utf8.count) bytes", "at most \(Self.textLimit)")
        }
        guard ProbeDefinition.levels.contains(level) else {
            throw Self.wrong(
                "level", level.quotedForMessage,
                ProbeDefinition.levels.joined(separator: ", "))
        }
        guard tag.utf8.count <= Self.tagLimit, tag.utf8.allSatisfy(Self.isTagByte) else {
            throw Self.wrong(
                "tag", tag.quotedForMessage,
                "at most \(Self.tagLimit) letters, digits, dots, dashes and underscores")
        }
        typealias Bounds = ProbeDefinition.Bounds
        try Self.check("seconds", seconds, most: Bounds.longestSeconds)
        try Self.check("hits", hits, most: Int64(Bounds.mostHits))
        try Self.check("rate", rate, most: Int64(Bounds.highestRate))
    }

    /// The probe that is wished for.
    func definition(id: String, by who: String, now: Timestamp) -> ProbeDefinition {
        var probe = ProbeDefinition(
            id: id, location: location, template: template, target: target,
            bounds: .init(
                expires: now.advanced(byNanoseconds: seconds * 1_000_000_000),
                hits: UInt64(clamping: hits), linesPerSecond: UInt64(clamping: rate)))
        probe.kind = kind
        probe.condition = condition
        probe.level = level
        probe.tag = tag
        probe.reason = reason
        probe.created = now
        probe.createdBy = who
        return probe
    }

    private static func isTagByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"),
            UInt8(ascii: "_"):
            true
        default: false
        }
    }

    private static func check(
        _ name: String, _ value: Int64, most: Int64
    ) throws(APIError) {
        guard (1...most).contains(value) else { throw wrong(name, "\(value)", "1...\(most)") }
    }

    private static func wrong(_ name: String, _ found: String, _ want: String) -> APIError {
        APIError(.invalidArgument, "cannot add a probe: got \(found) as \(name); want \(want)")
    }

    private static func optional(_ reader: inout JSONReader) throws(JSONError) -> String {
        reader.null() ? "" : try reader.string()
    }

    private static func labels(_ reader: inout JSONReader) throws(JSONError) -> [Label] {
        var labels: [Label] = []
        try reader.object { reader, name throws(JSONError) in
            labels.append(Label(name: name, value: try reader.string()))
        }
        return labels
    }
}
