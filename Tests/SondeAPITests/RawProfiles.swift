// SPDX-License-Identifier: Apache-2.0
// Random profiles with spans, pushed as clients push them, whose sums a test can do itself.

import Foundation
import SondeFormats
import SondeModel
import SondeWire
import Testing

/// Profiles as they were sent.
struct RawProfiles {
    /// One sample: a stack of functions, root first, and what it belongs to.
    struct Sample {
        var stack: [String]
        var value: Int64
        var span: Int?
    }

    /// One profile.
    struct Profile {
        var service: String
        /// Nanoseconds since 1970.
        var start: Int64
        var samples: [Sample]

        /// The millisecond in which it begins.
        var millisecond: Int64 { start / 1_000_000 }
    }

    /// How many spans occur.
    static let spanCount = 9
    let profiles: [Profile]
    /// The first millisecond in which one may begin, and the last.
    let range: ClosedRange<Int64>

    /// Random profiles of two services within ten minutes, half an hour ago.
    init(_ count: Int, seed: UInt64) {
        var random = Seeded(state: seed)
        let begin = (Int64(Date().timeIntervalSince1970) - 1800) * 1000
        let range = begin...(begin + 600_000)
        self.range = range
        profiles = (0..<count).map { _ in
            let samples = (0..<Int.random(in: 1...8, using: &random)).map { _ in
                Sample(
                    stack: (0..<Int.random(in: 1...4, using: &random)).map { _ in
                        "f\(Int.random(in: 0..<5, using: &random))"
                    }, value: .random(in: 1...1_000_000, using: &random),
                    span: Bool.random(using: &random)
                        ? Int.random(in: 0..<Self.spanCount, using: &random) : nil)
            }
            return Profile(
                service: Bool.random(using: &random) ? "a" : "b",
                // Also just at a step's edge, and to the end of the millisecond there.
                start: Int64.random(in: 0...60, using: &random) * 10_000_000_000
                    + begin * 1_000_000 + (Bool.random(using: &random) ? 0 : 999_999),
                samples: samples)
        }
    }

    /// A span's id as it travels.
    static func id(_ span: Int) -> String {
        let hex = String(span + 1, radix: 16)
        return String(repeating: "0", count: 16 - hex.count) + hex
    }

    /// Sends all to a controller, as one push.
    func push(to controller: TestController) throws {
        var request = PushRequest()
        request.series = profiles.flatMap {
            pushRequest(Self.pprof($0), service: $0.service).series
        }
        let answer = try controller.send(
            "POST", pushTarget, over: .router, headers: [("Content-Type", "application/proto")],
            body: request.encode())
        try #require(answer.status == 200, "\(answer.text)")
    }

    private static func pprof(_ profile: Profile) -> [UInt8] {
        var document = PprofDocument(
            FrameTree(),
            PprofDocument.Description(
                type: .cpu, start: Timestamp(unixNanoseconds: profile.start),
                durationNanoseconds: 10_000_000_000))
        for number in 0..<5 {
            var function = PprofDocument.Function(id: UInt64(number) + 1)
            function.name = "f\(number)"
            document.functions.append(function)
            var location = PprofDocument.Location(id: function.id)
            location.lines = [PprofDocument.Line(functionID: function.id)]
            document.locations.append(location)
        }
        document.samples = profile.samples.map { sample in
            PprofDocument.Sample(
                locationIDs: sample.stack.reversed().map { (UInt64($0.dropFirst()) ?? 0) + 1 },
                values: [sample.value],
                labels: sample.span.map { [.init(key: "span_id", text: id($0))] } ?? [])
        }
        return document.encode()
    }
}
