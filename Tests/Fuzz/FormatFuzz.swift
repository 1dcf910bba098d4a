// SPDX-License-Identifier: Apache-2.0
// Fuzzes the readers of foreign profile formats.

import Foundation
import SondeFormats
import SondeModel
import SondeWire

/// What all of these targets share.
enum FormatFuzz {
    /// Low, so that the fuzzer meets them.
    static var limits: FormatLimits {
        var limits = FormatLimits()
        limits.bytes = 1 << 20
        limits.stackDepth = 64
        limits.nodes = 1 << 16
        limits.steps = 1 << 18
        limits.nameBytes = 256
        limits.tableEntries = 1 << 14
        limits.profiles = 64
        limits.spans = 64
        return limits
    }

    /// A target that calls `check`, whose errors must say what was found and what is wanted.
    static func target(
        seeds: @escaping @Sendable () throws -> [[UInt8]],
        _ check: @escaping @Sendable ([UInt8]) throws(FormatError) -> Void
    ) -> FuzzTarget {
        FuzzTarget(test: { data, size in run(bytes(data, size), check) }, seeds: seeds)
    }

    private static func run(
        _ input: [UInt8], _ check: ([UInt8]) throws(FormatError) -> Void
    ) -> Int32 {
        do throws(FormatError) {
            try check(input)
        } catch {
            precondition(
                error.description.hasPrefix("cannot read ") && error.description.contains(": "),
                "BUG: \(error)")
        }
        return 0
    }

    static func fixture(_ path: String) throws -> [UInt8] {
        // The fuzzers are run in the repository's root.
        Array(try Data(contentsOf: URL(fileURLWithPath: "Tests/Fixtures/" + path)))
    }

    /// Checks what every tree must keep.
    static func check(_ tree: FrameTree) {
        precondition(tree.count <= limits.nodes + 1, "BUG: more nodes than the limit")
        for value in tree.selfValues { precondition(value >= 0, "BUG: a value below 0") }
        for key in tree.keys { precondition(!key.name.isEmpty, "BUG: a frame without a name") }
    }
}

/// Folded text, lines, trees, tries and speedscope.
enum NamedFuzz {
    static let folded = FormatFuzz.target(
        seeds: {
            [
                Array("a;b 1\na;c d 2\r\n;x 0\n".utf8),
                try FormatFuzz.fixture("flames/service.folded"),
            ]
        }
    ) { (input) throws(FormatError) in
        FormatFuzz.check(try FoldedStacks.readLines(input, limits: FormatFuzz.limits))
        let tree = try FoldedStacks.read(input, limits: FormatFuzz.limits)
        FormatFuzz.check(tree)
        let text = FoldedStacks.text(tree)
        let again = try FoldedStacks.read(text.utf8, limits: FormatFuzz.limits)
        precondition(FoldedStacks.text(again) == text, "BUG: stacks changed by being written")
    }

    static let tree = FormatFuzz.target(
        seeds: { [[0, 0, 2, 1, 100, 4, 0, 1, 97, 2, 2, 1, 99, 5, 0, 1, 98, 3, 0], []] }
    ) { (input) throws(FormatError) in
        let tree = try PyroscopeTree.read(input, limits: FormatFuzz.limits)
        FormatFuzz.check(tree)
        let bytes = PyroscopeTree.encode(tree)
        let again = try PyroscopeTree.read(bytes, limits: FormatFuzz.limits)
        precondition(again.totals.first == tree.totals.first, "BUG: a total changed")
    }

    static let trie = FormatFuzz.target(
        seeds: {
            [
                [0, 0, 2, 3, 59, 59, 97, 2, 2, 2, 59, 98, 3, 0, 2, 59, 99, 5, 0, 1, 100, 4, 0]
            ]
        }
    ) { (input) throws(FormatError) in
        FormatFuzz.check(try PyroscopeTrie.read(input, limits: FormatFuzz.limits))
    }

    static let speedscope = FormatFuzz.target(
        seeds: {
            let head =
                #"{"$schema":"https://www.speedscope.app/file-format-schema.json","shared":"#
                + #"{"frames":[{"name":"a","file":"f"},{"name":"b"}]},"profiles":["#
            return [
                try FormatFuzz.fixture("flames/service.speedscope.json"),
                Array(
                    (head + #"{"type":"evented","unit":"seconds","endValue":9,"events":["#
                        + #"{"type":"O","frame":0,"at":1.5},{"type":"C","frame":0,"at":2}]}]}"#)
                        .utf8),
                Array(
                    (head + #"{"type":"sampled","unit":"none","samples":[[0,1]],"weights":[1e2]}]}"#)
                        .utf8),
            ]
        }
    ) { (input) throws(FormatError) in
        for profile in try SpeedscopeDocument.read(input, limits: FormatFuzz.limits) {
            FormatFuzz.check(profile.stacks)
        }
    }
}

/// OTLP profiles, JFR and its labels.
enum RecordingFuzz {
    static let otlp = FormatFuzz.target(
        seeds: {
            try ["current.pb", "values-first.pb", "too-old.pb", "current.json"].map {
                try FormatFuzz.fixture("otlp/" + $0)
            }
        }
    ) { (input) throws(FormatError) in
        let profiles =
            input.first == UInt8(ascii: "{")
            ? try OTLPProfiles.decode(json: input, limits: FormatFuzz.limits)
            : try OTLPProfiles.decode(input[...], limits: FormatFuzz.limits)
        for profile in profiles {
            for series in profile.series {
                precondition(series.spans.count <= 64, "BUG: more spans than the limit")
                for value in series.stacks.selfValues {
                    precondition(value >= 0, "BUG: a value below 0")
                }
            }
        }
    }

    static let jfr = FormatFuzz.target(
        seeds: {
            let packed = try FormatFuzz.fixture("jfr/recording.jfr.gz")
            return [packed, try Gzip.expand(packed, limit: 1 << 20)]
        }
    ) { (input) throws(FormatError) in
        if let snapshot = try? LabelsSnapshot.decode(input, limits: FormatFuzz.limits) {
            _ = snapshot.labels(of: 1)
        }
        for profile in try JFRRecording.read(input, limits: FormatFuzz.limits) {
            for context in profile.contexts { FormatFuzz.check(context.stacks) }
        }
    }
}
