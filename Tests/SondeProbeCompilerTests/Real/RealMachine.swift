// SPDX-License-Identifier: Apache-2.0
// Runs compiled programs in the machine that runs in services, over a scene that is really mapped.

import CSondeProbe
import Glibc
import SondeProbeCompiler
import SondeProbeProgram
import Testing

/// The machine that runs in services.
enum RealMachine {
    /// What the machine says of one site: text as ``Scene/text(_:_:site:)`` has it.
    ///
    /// - Throws: When the machine does not take the program.
    static func text(
        _ compiled: ProbeCompiler.Compiled, _ subject: Subject, site: UInt32 = 0
    ) throws -> String {
        var settings = sonde_machine_settings(
            ring_bytes: 4 << 20, rings: 2, lines_per_second: .max, burst: .max,
            cpu_millionths: 1_000_000_000, reads_memory: 1)
        try #require(sonde_machine_start(&settings) == SONDE_MACHINE_OK)
        var limits = sonde_probe_settings(
            slot: 1, hits: .max, first_sequence: 0, lines_per_second: .max, burst: .max,
            bytes_per_second: .max, cpu_millionths: 1_000_000_000)
        let probe = try #require(sonde_probe_make(&limits))
        defer { sonde_probe_free(probe) }
        let program = try #require(make(compiled, probe))
        defer { sonde_program_free(program) }
        var hit = sonde_hit_registers()
        withUnsafeMutableBytes(of: &hit) { bytes in
            for (index, value) in subject.registers.enumerated() {
                bytes.storeBytes(of: value, toByteOffset: index * 8, as: UInt64.self)
            }
            for (index, words) in subject.vectors.enumerated() {
                bytes.storeBytes(of: words[0], toByteOffset: 144 + index * 16, as: UInt64.self)
                bytes.storeBytes(of: words[1], toByteOffset: 152 + index * 16, as: UInt64.self)
            }
        }
        let report = sonde_hit_report_program(sonde_program_context(program, site), &hit)
        #expect(report.steps <= UInt64(compiled.cost.steps))
        #expect(report.bytes_read <= UInt64(compiled.cost.bytesRead))
        let record = drain()
        let fault = FaultKind(rawValue: UInt8(truncatingIfNeeded: report.detail))
        switch report.outcome {
        case SONDE_COMMITTED:
            return RecordText.message(compiled.program, try #require(record))
        case SONDE_CONDITION_FALSE: return "<condition false>"
        case SONDE_CONDITION_ERROR:
            return "<condition error: \(fault.map { "\($0)" } ?? "?")>"
        default: return "<outcome \(report.outcome.rawValue), \(report.detail)>"
        }
    }

    private static func make(
        _ compiled: ProbeCompiler.Compiled, _ probe: OpaquePointer
    ) -> OpaquePointer? {
        let image = compiled.program
        let words = image.code.map { code in
            code.bytes.enumerated().reduce(UInt64(0)) {
                $0 | UInt64($1.element) << UInt64($1.offset * 8)
            }
        }
        let bytes = image.strings.flatMap { $0 }
        var starts: [UInt32] = [0]
        for string in image.strings {
            starts.append(starts[starts.count - 1] + UInt32(string.count))
        }
        let entries = image.sites.map(\.entry)
        var status = SONDE_MACHINE_OK
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
                                entry_count: UInt32(entries.count),
                                steps: UInt32(compiled.cost.steps),
                                record_bytes: UInt32(compiled.cost.recordBytes))
                            return sonde_program_make(probe, &parts, &status)
                        }
                    }
                }
            }
        }
    }

    /// The body of the last record.
    private static func drain() -> [UInt8]? {
        var body: [UInt8]?
        for ring in 0..<sonde_record_rings() {
            while let record = sonde_record_peek(ring) {
                // Safety: the body stands behind the header until it is consumed.
                body = Array(
                    UnsafeRawBufferPointer(
                        start: UnsafeRawPointer(record) + MemoryLayout<sonde_probe_record>.size,
                        count: Int(record.pointee.body_size)))
                sonde_record_consume(ring)
            }
        }
        return body
    }

    /// Puts a scene's memory to the addresses that it says, for the rest of the process.
    static let isMapped: Bool = {
        let page = 4096
        for (start, bytes) in Scene().subject.memory {
            let low = Int(start) / page * page
            let size = (Int(start) + bytes.count - low + page - 1) / page * page
            // Where a scene's blocks share a page, it is there already.
            let noReplace: Int32 = 0x100000
            _ = mmap(
                UnsafeMutableRawPointer(bitPattern: low), size, PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_ANONYMOUS | noReplace, -1, 0)
            let place = UnsafeMutableRawPointer(bitPattern: Int(start))
            var probe: UInt8 = 0
            guard let place, mincore(place - (Int(start) - low), size, &probe) == 0 else {
                return false
            }
            place.copyMemory(from: bytes, byteCount: bytes.count)
        }
        return true
    }()
}

@Suite(.serialized) struct RealMachineTests {
    @Test func everyValueIsWhatTheReferenceSays() throws {
        try #require(RealMachine.isMapped)
        let scene = Scene()
        var compared = 0
        for (template, _) in CapturedValues.wholes + CapturedValues.parts
            + CapturedValues.computed
        {
            let compiled = try ProbeCompiler.compile(
                ProbeRequest(
                    location: .line(file: "Checkout.swift", line: 42), template: template),
                image: scene.image)
            let text = try RealMachine.text(compiled, scene.subject)
            #expect(text == Scene.text(compiled.program, scene.subject), "\(template)")
            compared += 1
        }
        #expect(compared > 80)
    }

    @Test func everyConditionIsWhatTheReferenceSays() throws {
        try #require(RealMachine.isMapped)
        let scene = Scene()
        for (condition, _) in CapturedValues.conditionTexts {
            let compiled = try ProbeCompiler.compile(
                ProbeRequest(
                    location: .line(file: "Checkout.swift", line: 42), template: "fired",
                    condition: condition), image: scene.image)
            let text = try RealMachine.text(compiled, scene.subject)
            #expect(text == Scene.text(compiled.program, scene.subject), "\(condition)")
        }
    }

    @Test func randomExpressionsAreWhatTheReferenceSays() throws {
        try #require(RealMachine.isMapped)
        let scene = Scene()
        var maker = ExpressionMaker(random: Random(state: 42))
        var compared = 0
        for _ in 0..<300 {
            let expression = maker.typed(4)
            guard
                let compiled = try? ProbeCompiler.compile(
                    ProbeRequest(
                        location: .line(file: "Checkout.swift", line: 42),
                        template: "{\(expression)}"), image: scene.image)
            else { continue }
            let text = try RealMachine.text(compiled, scene.subject)
            #expect(text == Scene.text(compiled.program, scene.subject), "\(expression)")
            compared += 1
        }
        #expect(compared > 100)
    }
}
