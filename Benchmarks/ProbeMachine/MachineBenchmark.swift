// SPDX-License-Identifier: Apache-2.0
// What a hit's program costs: a false condition, three scalars, a string beside them.

import CSondeProbe
import Foundation
import SondeProbeProgram

/// One program, ready to run at a made-up hit.
struct BenchedProgram {
    let name: String
    private let context: UnsafeMutableRawPointer?
    private let probe: OpaquePointer?

    init(_ name: String, _ code: String) throws {
        self.name = name
        let instructions = try CodeText.code(of: code)
        let words = instructions.map { instruction in
            instruction.bytes.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        }
        var settings = sonde_probe_settings(
            slot: 1, hits: .max, first_sequence: 0, lines_per_second: .max, burst: .max,
            bytes_per_second: .max, cpu_millionths: 1_000_000_000)
        probe = sonde_probe_make(&settings)
        var status = SONDE_MACHINE_OK
        let probe = probe
        // Safety: the arrays live until the call returns, which copies them.
        let program = words.withUnsafeBufferPointer { words in
            [UInt32(0)].withUnsafeBufferPointer { zero in
                var parts = sonde_program_parts(
                    words: words.baseAddress, constants: nil, string_bytes: nil,
                    string_starts: zero.baseAddress, entries: zero.baseAddress,
                    word_count: UInt32(words.count), constant_count: 0, string_count: 0,
                    entry_count: 1, steps: 1000, record_bytes: 400)
                return sonde_program_make(probe, &parts, &status)
            }
        }
        guard status == SONDE_MACHINE_OK, let program else {
            throw ProgramError(
                .invalid, "cannot bench \(name): got status \(status.rawValue); want 0")
        }
        context = sonde_program_context(program, 0)
    }

    /// The nanoseconds of a run, the best of some hundred batches.
    func nanoseconds(_ registers: inout sonde_hit_registers) -> Double {
        var best = Double.infinity
        for _ in 0..<300 {
            let start = DispatchTime.now().uptimeNanoseconds
            for _ in 0..<500 { sonde_hit_run_program(context, &registers) }
            let end = DispatchTime.now().uptimeNanoseconds
            best = min(best, Double(end - start) / 500)
            for ring in 0..<sonde_record_rings() {
                while sonde_record_peek(ring) != nil { sonde_record_consume(ring) }
            }
        }
        return best
    }

    /// How many of its lines were lost; a benchmark of losing lines would be none.
    var lost: UInt64 {
        let counts = sonde_probe_counts(probe)
        return counts.lost.0 + counts.lost.1 + counts.lost.2 + counts.closed
    }
}

@main
enum MachineBenchmark {
    static let condition = """
        readRegister r0, 6
        load64 r1, r0, 0
        loadImmediate r2, 100
        ltS r3, r2, r1
        stopIfZero r3
        accept
        commit
        """
    static let scalars = """
        accept
        readRegister r0, 6
        load64 r1, r0, 0
        write64 r1
        load64 r1, r0, 8
        write64 r1
        load32S r1, r0, 16
        write32 r1

        """
    static let string = """
        guard after
        load64 r2, r0, 24
        load64 r3, r0, 32
        spanSwiftString s0, r2, r3
        writeSpan s0, 256
        endGuard
        after:

        """

    static func main() throws {
        guard CommandLine.arguments.count == 2 else {
            print("cannot compare: got no thresholds; want their file as the only argument")
            exit(2)
        }
        let lines = try String(contentsOfFile: CommandLine.arguments[1], encoding: .utf8)
        var settings = sonde_machine_settings(
            ring_bytes: 8 << 20, rings: 8, lines_per_second: .max, burst: .max,
            cpu_millionths: 1_000_000_000, reads_memory: 1)
        guard sonde_machine_start(&settings) == SONDE_MACHINE_OK else {
            print("cannot compare: got no memory; want 8 MiB")
            exit(1)
        }
        let guarded = try programs()["string-ns"] ?? 0
        guard sonde_machine_use_direct_reads() == 1 else {
            print("cannot compare: got no direct reads; want SIGSEGV and SIGBUS free")
            exit(1)
        }
        var values = try programs()
        values["guarded-string-ns"] = guarded
        values["guarded-to-string"] = guarded / (values["string-ns"] ?? .infinity)
        values["syscall-to-scalars"] = systemCall() / (values["scalars-ns"] ?? .infinity)
        exit(check(values, lines) ? 0 : 1)
    }

    /// Runs the programs on values that stand on the stack, as a service's locals do.
    private static func programs() throws -> [String: Double] {
        // Put together at run time, so that it lies in the heap.
        let text = String(repeating: "\(getpid() % 10)1234567", count: 8)
        let words = unsafeBitCast(text, to: (UInt64, UInt64).self)
        var locals: (UInt64, UInt64, UInt64, UInt64, UInt64) = (5, 50, 500, words.0, words.1)
        var values: [String: Double] = [:]
        try withUnsafeMutableBytes(of: &locals) { bytes in
            let address = UInt64(UInt(bitPattern: bytes.baseAddress))
            var registers = sonde_hit_registers()
            registers.gpr.6 = address
            registers.gpr.7 = address & ~15
            for (name, code) in [
                ("false-ns", condition), ("scalars-ns", scalars + "commit"),
                ("string-ns", scalars + string + "commit"),
            ] {
                let program = try BenchedProgram(name, code)
                values[name] = program.nanoseconds(&registers)
                if program.lost > 0 { print("  \(name): \(program.lost) lines were lost") }
            }
        }
        withExtendedLifetime(text) {}
        return values
    }

    private static func best(_ body: () -> Void) -> Double {
        var best = Double.infinity
        for _ in 0..<100 {
            let start = DispatchTime.now().uptimeNanoseconds
            for _ in 0..<100 { body() }
            best = min(best, Double(DispatchTime.now().uptimeNanoseconds - start) / 100)
        }
        return best
    }

    private static func systemCall() -> Double { best { _ = getppid() } }

    private static func check(_ values: [String: Double], _ thresholds: String) -> Bool {
        var good = true
        for line in thresholds.split(separator: "\n") where !line.hasPrefix("#") {
            let words = line.split(separator: " ").map(String.init)
            guard words.count == 3, let limit = Double(words[2]), let value = values[words[0]]
            else {
                print("  \(line): no value")
                good = false
                continue
            }
            let holds = words[1] == "at-least" ? value >= limit : value <= limit
            good = good && holds
            print(
                String(
                    format: "  %@ = %.1f; want %@ %@%@", words[0], value, words[1], words[2],
                    holds ? "" : "  FAILED"))
        }
        return good
    }
}
