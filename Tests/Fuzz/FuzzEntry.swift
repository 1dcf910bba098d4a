// SPDX-License-Identifier: Apache-2.0
// The fuzzers' entry: the functions that libFuzzer calls.

import Foundation

/// One parser of bytes from outside, and inputs to begin with.
struct FuzzTarget: Sendable {
    var test: @Sendable (UnsafePointer<UInt8>?, Int) -> Int32
    var seeds: @Sendable () throws -> [[UInt8]]
    /// Whether inputs are ELF files.
    var isImage = false

    static let all: [String: FuzzTarget] = [
        "pprof": PprofFuzz.target, "push": PushFuzz.target, "elf": ElfFuzz.target,
        "ingest-names": IngestNameFuzz.target, "multipart": MultipartFuzz.target,
        "names": NameFuzz.target, "expression": ExpressionFuzz.target,
        "places": PlacesFuzz.target,
        "bundle": SourceBundleFuzz.target,
        "logql": LogQLFuzz.target, "loki": LokiPushFuzz.target,
        "program": ProgramFuzz.target, "machine": MachineFuzz.target,
        "folded": NamedFuzz.folded, "tree": NamedFuzz.tree, "trie": NamedFuzz.trie,
        "speedscope": NamedFuzz.speedscope, "otlp": RecordingFuzz.otlp, "jfr": RecordingFuzz.jfr,
        "layouts": LayoutFuzz.target, "types": TypeNameFuzz.target,
    ]
}

/// The bytes of one input.
func bytes(_ data: UnsafePointer<UInt8>?, _ size: Int) -> [UInt8] {
    // Safety: libFuzzer hands over `size` readable bytes for the length of the call.
    Array(UnsafeBufferPointer(start: data, count: size))
}

/// The chosen fuzzer, that `FUZZ_TARGET` names: libFuzzer owns `main` and its arguments.
let chosen: FuzzTarget = {
    let name = ProcessInfo.processInfo.environment["FUZZ_TARGET"] ?? ""
    guard let target = FuzzTarget.all[name] else {
        let names = FuzzTarget.all.keys.sorted().joined(separator: ", ")
        print("cannot fuzz: got FUZZ_TARGET=\(name); want one of \(names)")
        exit(2)
    }
    return target
}()

/// Writes the seeds to `FUZZ_SEEDS` and ends, when that is a folder.
@_cdecl("LLVMFuzzerInitialize")
public func initialize(
    _ count: UnsafeMutableRawPointer, _ arguments: UnsafeMutableRawPointer
) -> Int32 {
    guard let folder = ProcessInfo.processInfo.environment["FUZZ_SEEDS"] else { return 0 }
    do {
        for (index, seed) in try chosen.seeds().enumerated() {
            let file = URL(fileURLWithPath: folder).appendingPathComponent("seed-\(index)")
            try Data(seed).write(to: file)
        }
        exit(0)
    } catch {
        print("cannot write seeds: \(error)")
        exit(1)
    }
}

/// Tries one input.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ data: UnsafePointer<UInt8>?, _ size: Int) -> Int32 {
    chosen.test(data, size)
}
