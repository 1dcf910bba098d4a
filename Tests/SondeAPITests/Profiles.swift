// SPDX-License-Identifier: Apache-2.0
// Small profiles and pushes for tests.

import Foundation
import SondeFormats
import SondeModel
import SondeWire

let pushTarget = "/push.v1.PusherService/Push"

/// A pprof with one stack, root first, of CPU time.
func profile(_ stack: [String], _ value: Int64, time: Int64? = nil) -> [UInt8] {
    var tree = FrameTree()
    tree.add(value, rootFirst: stack.map { Frame(name: $0, file: "\($0).swift", startLine: 7) })
    let now = Int64(Date().timeIntervalSince1970 * 1e9)
    return PprofDocument(
        tree,
        PprofDocument.Description(
            type: .cpu, start: Timestamp(unixNanoseconds: time ?? now),
            durationNanoseconds: 10_000_000_000)
    ).encode()
}

func rawSample(_ profile: [UInt8]) -> RawSample {
    var sample = RawSample()
    sample.rawProfile = profile
    return sample
}

func pushRequest(
    _ profile: [UInt8], service: String = "bookmaker", labels: [Label] = []
) -> PushRequest {
    var series = RawProfileSeries()
    series.labels =
        [
            Label(name: "__name__", value: "process_cpu"),
            Label(name: "service_name", value: service),
        ] + labels
    series.samples = [rawSample(profile)]
    var request = PushRequest()
    request.series = [series]
    return request
}

func push(_ profile: [UInt8], service: String = "bookmaker", labels: [Label] = []) -> [UInt8] {
    pushRequest(profile, service: service, labels: labels).encode()
}

/// How many profiles a controller has.
func stored(_ controller: TestController) throws -> Int {
    try controller.send("GET", "/api/v1/status").json["profiles"] as? Int ?? -1
}
