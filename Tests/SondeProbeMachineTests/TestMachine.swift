// SPDX-License-Identifier: Apache-2.0
// The machine of this process under test: programs as text in, outcomes and records out.

import CSondeProbe
import Glibc
import SondeModel
import SondeProbeProgram
import Testing

/// All tests of the machine, one at a time: a process has one machine.
@Suite(.serialized) enum MachineSuites {}

/// How a run ended.
struct RunResult: Equatable {
    var outcome: sonde_outcome
    var detail: UInt32
    var steps: UInt64
    var bytesRead: UInt64
    var body: [UInt8]?
    var sequence: UInt64 = 0
}

extension sonde_outcome: @retroactive Equatable {}

/// One probe with one program.
final class TestProbe {
    static let unlimited = Limits()

    struct Limits {
        var hits: UInt64 = .max
        var firstSequence: UInt64 = 0
        var linesPerSecond: UInt32 = .max
        var burst: UInt32 = .max
        var bytesPerSecond: UInt32 = .max
        var cpuMillionths: UInt32 = 1_000_000_000
    }

    let probe: OpaquePointer
    let cost: ProgramCost
    private var program: OpaquePointer?
    let slot: UInt32

    nonisolated(unsafe) private static var slots: UInt32 = 0

    /// Starts the machine with limits for all probes.
    static func start(lines: UInt32 = .max, cpuMillionths: UInt32 = 1_000_000_000) {
        var settings = sonde_machine_settings(
            ring_bytes: 4 << 20, rings: 8, lines_per_second: lines, burst: max(1, lines),
            cpu_millionths: cpuMillionths, reads_memory: 1)
        #expect(sonde_machine_start(&settings) == SONDE_MACHINE_OK)
    }

    init(_ image: ImageProgram, _ limits: Limits = unlimited) throws {
        Self.slots += 1
        slot = Self.slots
        cost = try ProgramVerifier.verify(
            ProbeProgram(
                probe: "p-test", limits: ProbeLimits(expiresUnixNanos: 0), file: "a.swift",
                line: 1, images: [image]))
        var settings = sonde_probe_settings(
            slot: slot, hits: limits.hits, first_sequence: limits.firstSequence,
            lines_per_second: limits.linesPerSecond, burst: limits.burst,
            bytes_per_second: limits.bytesPerSecond, cpu_millionths: limits.cpuMillionths)
        probe = try #require(sonde_probe_make(&settings))
        var status = SONDE_MACHINE_OK
        program = Self.make(probe, image, cost, &status)
        #expect(status == SONDE_MACHINE_OK)
        _ = try #require(program)
    }

    convenience init(
        _ code: String, constants: [UInt64] = [], strings: [String] = [],
        _ limits: Limits = unlimited
    ) throws {
        var image = TestProbe.image(try CodeText.code(of: code))
        image.constants = constants
        image.strings = strings.map { Array($0.utf8) }
        try self.init(image, limits)
    }

    deinit {
        sonde_program_free(program)
        sonde_probe_free(probe)
    }

    static func image(_ code: [Instruction]) -> ImageProgram {
        var image = ImageProgram(buildID: BuildID(bytes: [1]).unsafelyUnwrapped)
        image.code = code
        image.sites = [
            ProbeSite(
                address: ImageAddress(16), entry: 0, function: "f", functionStart: ImageAddress(16),
                functionEnd: ImageAddress(32))
        ]
        return image
    }

    static func make(
        _ probe: OpaquePointer, _ image: ImageProgram, _ cost: ProgramCost,
        _ status: inout sonde_machine_status
    ) -> OpaquePointer? {
        let words = image.code.map { code in
            code.bytes.enumerated().reduce(UInt64(0)) {
                $0 | UInt64($1.element) << UInt64($1.offset * 8)
            }
        }
        var starts: [UInt32] = [0]
        var bytes: [UInt8] = []
        for string in image.strings {
            bytes += string
            starts.append(UInt32(bytes.count))
        }
        let entries = image.sites.map(\.entry)
        // Safety: the arrays live until the call returns, which copies them.
        return words.withUnsafeBufferPointer { words in
            image.constants.withUnsafeBufferPointer { constants in
                bytes.withUnsafeBufferPointer { bytes in
                    starts.withUnsafeBufferPointer { starts in
                        entries.withUnsafeBufferPointer { entries in
                            var parts = sonde_program_parts(
                                words: words.baseAddress, constants: constants.baseAddress,
                                string_bytes: bytes.baseAddress,
                                string_starts: starts.baseAddress, entries: entries.baseAddress,
                                word_count: UInt32(words.count),
                                constant_count: UInt32(constants.count),
                                string_count: UInt32(starts.count - 1),
                                entry_count: UInt32(entries.count), steps: UInt32(cost.steps),
                                record_bytes: UInt32(cost.recordBytes))
                            return sonde_program_make(probe, &parts, &status)
                        }
                    }
                }
            }
        }
    }

    /// What `sonde_hit_run_program` gets for the first site.
    var context: UnsafeMutableRawPointer? { program.flatMap { sonde_program_context($0, 0) } }

    /// Runs the program with the calling thread's stack as the interrupted one's.
    func run(_ registers: [UInt64] = [], vectors: [(UInt64, UInt64)] = []) -> RunResult {
        var hit = sonde_hit_registers()
        withUnsafeMutableBytes(of: &hit) { bytes in
            for (index, value) in registers.enumerated() {
                bytes.storeBytes(of: value, toByteOffset: index * 8, as: UInt64.self)
            }
            for (index, value) in vectors.enumerated() {
                bytes.storeBytes(of: value.0, toByteOffset: 144 + index * 16, as: UInt64.self)
                bytes.storeBytes(of: value.1, toByteOffset: 152 + index * 16, as: UInt64.self)
            }
        }
        if registers.count <= 7 { hit.gpr.7 = Self.stackPointer() }
        return run(&hit)
    }

    func run(_ hit: inout sonde_hit_registers) -> RunResult {
        let report = sonde_hit_report_program(context, &hit)
        let record = Self.drain().first { $0.slot == slot }
        return RunResult(
            outcome: report.outcome, detail: report.detail, steps: report.steps,
            bytesRead: report.bytes_read, body: record?.body, sequence: record?.sequence ?? 0)
    }

    var counts: sonde_probe_counts { sonde_probe_counts(probe) }

    /// An address on the calling thread's stack, below everything that is in use.
    static func stackPointer() -> UInt64 {
        var here: UInt8 = 0
        return withUnsafeMutablePointer(to: &here) { UInt64(UInt(bitPattern: $0)) & ~15 }
    }

    struct Record {
        var slot: UInt32
        var sequence: UInt64
        var unixNanoseconds: Int64
        var tid: UInt32
        var site: UInt32
        var body: [UInt8]
        var header: sonde_probe_record
    }

    /// Takes all records out of all rings.
    static func drain() -> [Record] {
        var records: [Record] = []
        for ring in 0..<sonde_record_rings() {
            while let record = sonde_record_peek(ring) {
                let header = record.pointee
                // Safety: the body stands behind the header until it is consumed.
                let body = UnsafeRawBufferPointer(
                    start: UnsafeRawPointer(record) + MemoryLayout<sonde_probe_record>.size,
                    count: Int(header.body_size))
                records.append(
                    Record(
                        slot: header.probe_slot, sequence: header.sequence,
                        unixNanoseconds: header.unix_ns, tid: header.tid, site: header.site,
                        body: Array(body), header: header))
                sonde_record_consume(ring)
            }
        }
        return records
    }
}

/// Memory of which some pages can be read and all others, far around, cannot.
final class Landscape {
    static let pageBytes = 4096
    let start: UInt64
    /// The readable pages' numbers.
    let pages: [Int]
    private let size = 64 << 20

    init(pages: [Int]) throws {
        self.pages = pages
        let wish = UnsafeMutableRawPointer(bitPattern: 0x5000_0000_0000)
        // The same address each time, so that a failure can be repeated.
        let noReplace: Int32 = 0x100000
        let memory = mmap(
            wish, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | noReplace, -1, 0)
        try #require(memory != MAP_FAILED)
        start = UInt64(UInt(bitPattern: memory))
        for page in pages {
            mprotect(pointer(page * Self.pageBytes), Self.pageBytes, PROT_READ | PROT_WRITE)
        }
    }

    deinit { munmap(pointer(0), size) }

    func pointer(_ offset: Int) -> UnsafeMutableRawPointer {
        UnsafeMutableRawPointer(bitPattern: UInt(start) + UInt(offset)).unsafelyUnwrapped
    }

    /// Writes bytes at an offset.
    func store(_ bytes: [UInt8], at offset: Int) {
        pointer(offset).copyMemory(from: bytes, byteCount: bytes.count)
    }

    /// The bytes there, or the first address that cannot be read.
    func read(_ address: UInt64, _ count: Int) -> (bytes: [UInt8], bad: UInt64?) {
        var bytes: [UInt8] = []
        for index in 0..<count {
            let place = address &+ UInt64(index)
            guard place >= start, place - start < UInt64(size),
                pages.contains(Int(place - start) / Self.pageBytes)
            else { return (bytes, place) }
            bytes.append(pointer(Int(place - start)).load(as: UInt8.self))
        }
        return (bytes, nil)
    }
}
