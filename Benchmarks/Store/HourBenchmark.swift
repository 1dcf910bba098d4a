// SPDX-License-Identifier: Apache-2.0
// An hour of 1200 profiles of 500 stacks: from pprof to disk, and merged again.

import Foundation
import SondeFormats
import SondeModel
import SondeStore
import SondeWire

/// The workload whose figures are known of Pyroscope 2.
enum HourBenchmark {
    static let services = 10
    static let profilesPerService = 120

    static func run(_ folder: String, _ thresholds: inout Thresholds) throws {
        let begin = StoreBenchmark.begin
        var bodies: [(service: Int, body: [UInt8])] = []
        var workloads = (0..<services).map { Workload(seed: UInt64($0 + 1), distinctStacks: 2000) }
        for index in 0..<profilesPerService {
            for service in 0..<services {
                let start = begin.advanced(byNanoseconds: Int64(index) * 30_000_000_000)
                bodies.append((service, workloads[service].pprof(at: start, samples: 500)))
            }
        }
        let megabytes = Double(bodies.reduce(0) { $0 + $1.body.count }) / 1e6
        let packed = bodies.reduce(0) { $0 + SQLiteProfileStore.packedSize(of: $1.body) }
        let now = begin.advanced(byNanoseconds: 90_000_000_000_000)
        let store = try StoreBenchmark.open(folder, now: now)
        var decoding = 0.0
        let ingest = try StoreBenchmark.measure {
            // Ten agents at a time, as one transaction takes them.
            for start in stride(from: 0, to: bodies.count, by: services) {
                var profiles: [Profile] = []
                decoding += try StoreBenchmark.measure {
                    profiles = try bodies[start..<start + services].flatMap { service, body in
                        try PprofDocument(decoding: body[...]).profiles(
                            seriesLabels: StoreBenchmark.labels(service: service, instance: 0)
                                .setting(LabelName.metric, to: "process_cpu"),
                            receivedAt: begin)
                    }
                }.cpu
                try store.append(profiles)
            }
        }
        let rate = megabytes / ingest.cpu
        let bytes = try store.statistics().bytes
        let samples = Double(bodies.count * 500)
        print(
            "\(bodies.count) profiles of 500 stacks, \(StoreBenchmark.text(megabytes)) MB of pprof")
        print(
            "  pprof to disk     \(StoreBenchmark.text(rate)) MB per CPU second, "
                + "\(Int(Double(bodies.count) / ingest.wall)) profiles/s durable, "
                + "\(StoreBenchmark.text(ingest.cpu * 1000 / Double(bodies.count))) ms CPU each, "
                + "\(StoreBenchmark.text(decoding * 1000 / Double(bodies.count))) of it to decode")
        thresholds.check("ingest_megabytes_per_cpu_second_at_least", rate)
        thresholds.check("ingest_by_decoding_at_most", ingest.cpu / decoding)
        print(
            "  on disk           \(StoreBenchmark.text(Double(bytes) / samples)) bytes a sample; "
                + "zstd of the pprof \(StoreBenchmark.text(Double(packed) / samples))")
        try query(store, "before blocks", &thresholds)
        let blocks = try StoreBenchmark.measure { try store.makeBlocks() }
        let all = try store.statistics().bytes
        print(
            "  blocks            \(StoreBenchmark.text(blocks.cpu * 1e6 / Double(bodies.count))) us "
                + "CPU a profile; now \(StoreBenchmark.text(Double(all) / samples)) bytes a sample")
        thresholds.check("bytes_by_zstd_of_pprof_at_most", Double(all) / Double(packed))
        try query(store, "with blocks", &thresholds)
    }

    private static func query(
        _ store: SQLiteProfileStore, _ when: String, _ thresholds: inout Thresholds
    ) throws {
        let hour = StoreBenchmark.range(seconds: 0, 3600)
        let everything = ProfileSelection(.cpu, in: hour)
        let one = ProfileSelection(.cpu, in: hour) { $0[LabelName.service] == "service-3" }
        let first = try StoreBenchmark.measure {
            let merged = try store.merge(everything)
            precondition(merged.profileCount == services * profilesPerService)
        }
        let all = try StoreBenchmark.best(of: 5) { _ = try store.merge(everything) }
        let single = try StoreBenchmark.best(of: 5) { _ = try store.merge(one) }
        print("  hour, \(when)")
        print("    all, first      \(StoreBenchmark.milliseconds(first))")
        print("    all services    \(StoreBenchmark.milliseconds(all))")
        print("    one service     \(StoreBenchmark.milliseconds(single))")
        thresholds.check("hour_all_services_milliseconds_at_most", all.cpu * 1000)
        thresholds.check("hour_one_service_milliseconds_at_most", single.cpu * 1000)
    }
}
