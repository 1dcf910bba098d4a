// SPDX-License-Identifier: Apache-2.0
// Fuzzes what a controller does with a pprof profile, and with a push that holds some.

import SondeFormats
import SondeModel
import SondeWire

/// Decodes a profile, makes stored profiles of it and writes it again.
enum PprofFuzz {
    static let target = FuzzTarget(
        test: { data, size in
            check(bytes(data, size))
            return 0
        }, seeds: { [seed.encode(), PprofDocument().encode() + [0x4A, 0]] })

    static var limits: PprofLimits {
        var limits = PprofLimits()
        limits.elements = 1 << 18
        return limits
    }

    static func check(_ input: [UInt8]) {
        guard let document = try? PprofDocument(decoding: input[...], limits: limits) else {
            return
        }
        let again = try? PprofDocument(decoding: document.encode()[...])
        precondition(again == document, "BUG: a document changed by being written and read")
        let labels = LabelSet().setting("__name__", to: "process_cpu")
        let profiles = try? document.profiles(
            seriesLabels: labels, receivedAt: Timestamp(unixNanoseconds: 1), maxStackDepth: 64)
        for profile in profiles ?? [] {
            let download = PprofDocument(
                profile.stacks,
                .init(type: profile.type, start: profile.start, durationNanoseconds: 0))
            precondition(
                (try? PprofDocument(decoding: download.encode()[...])) == download,
                "BUG: a download cannot be read")
        }
    }

    static var seed: PprofDocument {
        var document = PprofDocument()
        document.sampleTypes = [
            .init(type: "samples", unit: "count"), .init(type: "cpu", unit: "ns"),
        ]
        document.samples = [
            .init(
                locationIDs: [1, 2, 3], values: [1, 10],
                labels: [.init(key: "k", text: "v"), .init(key: "n", number: 3, numberUnit: "b")]),
            .init(locationIDs: [3], values: [0, 4]),
        ]
        var mapping = PprofDocument.Mapping(id: 1)
        mapping.memoryStart = 0x1000
        mapping.memoryLimit = 0x9000
        mapping.filename = "/usr/bin/demo"
        mapping.buildID = "ab12"
        document.mappings = [mapping]
        for id in 1...3 as ClosedRange<UInt64> {
            var location = PprofDocument.Location(id: id)
            location.mappingID = 1
            location.address = 0x1000 + id
            if id > 1 { location.lines = [.init(functionID: 1, line: 2), .init(functionID: 2)] }
            document.locations.append(location)
            var function = PprofDocument.Function(id: id)
            function.name = "f\(id)"
            function.filename = "f.swift"
            document.functions.append(function)
        }
        document.timeNanos = 1_700_000_000_000_000_000
        document.periodType = .init(type: "cpu", unit: "nanoseconds")
        document.period = 10_000_000
        document.comments = ["c"]
        return document
    }
}

/// Expands a body, reads the push in it, and each profile in that.
enum PushFuzz {
    static let target = FuzzTarget(
        test: { data, size in
            check(bytes(data, size))
            return 0
        },
        seeds: {
            var series = RawProfileSeries()
            series.labels = [Label(name: "__name__", value: "process_cpu")]
            var sample = RawSample()
            sample.rawProfile = try Gzip.compress(PprofFuzz.seed.encode())
            series.samples = [sample]
            sample.rawProfile = PprofFuzz.seed.encode()
            series.samples.append(sample)
            var request = PushRequest()
            request.series = [series]
            var writer = ProtobufWriter()
            request.write(to: &writer)
            return [writer.bytes, try Gzip.compress(writer.bytes)]
        })

    static let limit = 1 << 20

    static func check(_ input: [UInt8]) {
        var body = input
        if Gzip.isGzip(body) {
            guard let expanded = try? Gzip.expand(body, limit: limit) else { return }
            precondition(expanded.count <= limit, "BUG: more came out than the limit")
            body = expanded
        }
        guard let request = try? PushRequest(decoding: body[...]) else { return }
        for series in request.series {
            _ = try? LabelSet(series.labels)
            for sample in series.samples {
                if Gzip.isGzip(sample.rawProfile) {
                    guard let raw = try? Gzip.expand(sample.rawProfile, limit: limit) else {
                        continue
                    }
                    PprofFuzz.check(raw)
                } else {
                    PprofFuzz.check(sample.rawProfile)
                }
            }
        }
    }
}
