// SPDX-License-Identifier: Apache-2.0
// Probes in this very process: the text is patched, the machine runs, and lines say what is so.

import CProbedSubject
import Foundation
import SondeModel
import SondeProbeProgram
import SondeWire
import Testing

@testable import SondeProbeRuntime

/// One probe at a time in this process; the other suites patch nothing.
@Suite(.serialized) struct RealProbeTests {
    /// The image of the subject, as if it had been loaded at its own addresses.
    ///
    /// Its bias is 0, so an image address is a runtime address, and the build id is of no account:
    /// the runtime compares it with the program's alone.
    private let image = Sample.image(1, "tests", at: 0)
    private let time = FakeTime()
    private let runtime: ProbeRuntime

    init() {
        runtime = ProbeRuntime(
            policy: ProbePolicy(),
            // Each hit's line is wanted, on a machine that lets a thread wait in the middle of one.
            patcher: TextPatcher(MachineLimits(settleNanoseconds: 30_000_000_000)) { true },
            marker: nil,
            senses: time.senses)
        _ = WorkScope.learnInTask()
    }

    private func program(
        _ id: String, at place: subject_place = SUBJECT_LINE, _ code: [Instruction],
        shapes: [ValueShape], _ template: [TemplateSegment],
        _ limit: (inout ProbeLimits) -> Void = { $0.linesPerSecond = 1_000_000 }
    ) -> ProbeState {
        let isText = place == SUBJECT_TEXT_LINE
        return Sample.wanted(
            Sample.program(id) { program in
                limit(&program.limits)
                program.limits.burst = program.limits.linesPerSecond
                program.images[0].sites = [
                    ProbeSite(
                        address: ImageAddress(subject_address(place)), entry: 0,
                        function: isText ? "subject_read" : "subject_settle",
                        functionStart: ImageAddress(
                            subject_address(isText ? SUBJECT_TEXT_START : SUBJECT_START)),
                        functionEnd: ImageAddress(
                            subject_address(isText ? SUBJECT_TEXT_END : SUBJECT_END)))
                ]
                program.images[0].code = code
                program.images[0].shapes = shapes
                program.images[0].template = template
                program.images[0].condition = ReadExpression(text: "", names: [])
            })
    }

    /// Says both arguments: rdi has the DWARF number 5, rsi 4.
    private func both(
        _ id: String, _ limit: (inout ProbeLimits) -> Void = { $0.linesPerSecond = 1_000_000 }
    ) -> ProbeState {
        program(
            id,
            [
                Instruction(.accept), Instruction(.readRegister, d: 0, imm: 5),
                Instruction(.write64, a: 0), Instruction(.readRegister, d: 1, imm: 4),
                Instruction(.write64, a: 1), Instruction(.commit),
            ],
            shapes: [.unsigned(bits: 64)],
            [
                .text("settle "), .value(expression: "a", shape: 0, format: nil), .text(" + "),
                .value(expression: "b", shape: 0, format: nil),
            ], limit)
    }

    private func install(_ probe: ProbeState) {
        runtime.want([probe], images: [image])
        let report = runtime.reports.first
        #expect(report?.state == "installed", "\(report?.reason ?? "")")
    }

    private func text(_ from: subject_place, _ to: subject_place) -> [UInt8] {
        let start = subject_address(from)
        let count = Int(subject_address(to) - start)
        guard let bytes = UnsafeRawPointer(bitPattern: UInt(start)) else { return [] }
        // Safety: the function's own bytes.
        return Array(UnsafeRawBufferPointer(start: bytes, count: count))
    }

    @Test func aHitSaysTheArgumentsAndChangesNothing() throws {
        let before = text(SUBJECT_START, SUBJECT_END)
        install(both("p-both"))
        #expect(text(SUBJECT_START, SUBJECT_END) != before)
        let trace = "00-000000000000000a000000000000000a-000000000000000a-01"
        for number in UInt64(1)...100 {
            let sum = WorkScope.with(traceParent: trace).run { subject_settle(number, 7) }
            #expect(sum == number * 3 + 7)
        }
        let lines = runtime.work(images: [image])
        #expect(lines.map(\.text) == (1...100).map { "settle \($0) + 7" })
        let known = Dictionary(
            uniqueKeysWithValues: try #require(lines.last).metadata.map { ($0.name, $0.value) })
        #expect(known["function"] == "subject_settle" && known["sequence"] == "100")
        #expect(known["thread"] == "\(subject_thread())")
        #expect(known["trace_id"] == "000000000000000a000000000000000a")
        #expect(known["span_id"] == "000000000000000a")
        let now = Int64(Date().timeIntervalSince1970 * 1e9)
        #expect(abs((lines.last?.unixNanoseconds ?? 0) - now) < 5_000_000_000)
        let report = try #require(runtime.reports.first)
        #expect(report.hits == 100 && report.lines == 100 && report.lastSequence == 100)
        #expect(report.jumpSites + report.trapSites == 1)
        runtime.want([], images: [image])
        #expect(text(SUBJECT_START, SUBJECT_END) == before)
        #expect(subject_settle(1, 1) == 4)
        #expect(runtime.work(images: [image]).isEmpty)
    }

    @Test func everyTasksLineCarriesItsOwnTrace() async throws {
        install(both("p-tasks"))
        await withTaskGroup(of: Void.self) { group in
            for number in UInt64(1)...200 {
                group.addTask {
                    let hex = String(number, radix: 16)
                    let digits = String(repeating: "0", count: 16 - hex.count) + hex
                    let trace = "00-\(digits)\(digits)-\(digits)-01"
                    await WorkScope.with(traceParent: trace).run {
                        await WorkScope.with(labels: ["n": "\(number)"]).run {
                            for _ in 0..<5 {
                                _ = subject_settle(number, 0)
                                await Task.yield()
                            }
                        }
                    }
                }
            }
        }
        let lines = runtime.work(images: [image])
        #expect(lines.count == 1000)
        var tasks: Set<String> = []
        for line in lines {
            let known = Dictionary(line.metadata.map { ($0.name, $0.value) }) { first, _ in first }
            let number = try #require(known["v_a"].flatMap(UInt64.init))
            #expect(known["span_id"].flatMap { UInt64($0, radix: 16) } == number)
            #expect(known["n"] == "\(number)")
            tasks.insert(known["task"] ?? "none")
        }
        #expect(tasks.count == 200 && !tasks.contains("none"))
        runtime.want([], images: [image])
    }

    @Test func aConditionAndTheLimitOfHitsCount() throws {
        // Only odd arguments fire.
        var probe = program(
            "p-odd",
            [
                Instruction(.readRegister, d: 0, imm: 5), Instruction(.loadImmediate, d: 1, imm: 1),
                Instruction(.and, d: 2, a: 0, b: 1), Instruction(.stopIfZero, a: 2),
                Instruction(.accept), Instruction(.write64, a: 0), Instruction(.commit),
            ], shapes: [.unsigned(bits: 64)],
            [.value(expression: "a", shape: 0, format: nil)]
        ) { limits in
            limits.hits = 3
            limits.linesPerSecond = 1000
        }
        probe.enabled = true
        install(probe)
        for number in UInt64(1)...20 { _ = subject_settle(number, 0) }
        #expect(runtime.work(images: [image]).map(\.text) == ["1", "3", "5"])
        let report = try #require(runtime.reports.first)
        #expect(report.state == "expired" && report.reason == "its 3 hits are used up")
        #expect(report.conditionFalse >= 2 && report.lastSequence == 3)
    }

    @Test func aRateIsKeptAndWhatItDropsIsCounted() throws {
        install(both("p-rate") { $0.linesPerSecond = 10 })
        for number in UInt64(1)...500 { _ = subject_settle(number, 0) }
        let lines = runtime.work(images: [image])
        // A burst of ten, and perhaps one more for the time that it took.
        #expect((10...12).contains(lines.count), "\(lines.count)")
        let report = try #require(runtime.reports.first)
        #expect(report.dropped.first { $0.reason == "rate" }?.count == 500 - UInt64(lines.count))
        runtime.want([], images: [image])
    }

    @Test func aStringIsReadAndWhatCannotBeReadIsSaid() {
        install(
            program(
                "p-text", at: SUBJECT_TEXT_LINE,
                [
                    Instruction(.readRegister, d: 0, imm: 5), Instruction(.accept),
                    Instruction(.guard, imm: 3), Instruction(.spanCString, d: 0, a: 0, imm: 64),
                    Instruction(.writeSpan, a: 0, imm: 64), Instruction(.endGuard),
                    Instruction(.loadImmediate, d: 1, imm: 16), Instruction(.guard, imm: 3),
                    Instruction(.load64, d: 2, a: 1), Instruction(.write64, a: 2),
                    Instruction(.endGuard), Instruction(.commit),
                ],
                shapes: [
                    .string(quotedWhenNested: true), .guarded(0), .unsigned(bits: 64), .guarded(2),
                ],
                [
                    .text("text "), .value(expression: "text", shape: 1, format: nil),
                    .text(", bad "), .value(expression: "bad", shape: 3, format: nil),
                ]))
        #expect("Grüße".withCString { subject_read($0) } == 0x47)
        #expect(
            runtime.work(images: [image]).map(\.text) == ["text Grüße, bad <unreadable 0x10>"])
        runtime.want([], images: [image])
    }

    @Test func aPlaceThatIsNoInstructionIsRefusedInWords() throws {
        var wanted = both("p-bad")
        var program = try ProbeProgram(decoding: wanted.program)
        program.images[0].sites[0].address = ImageAddress(subject_address(SUBJECT_LINE) + 1)
        wanted.program = program.encode()
        runtime.want([wanted], images: [image])
        let report = try #require(runtime.reports.first)
        #expect(report.state == "failed")
        #expect(report.reason.hasPrefix("cannot patch 0x"), "\(report.reason)")
        #expect(subject_settle(2, 3) == 9)
    }

    @Test func probesComeAndGoWhileThreadsRunThroughThem() throws {
        let before = text(SUBJECT_START, SUBJECT_END)
        let isOver = NSLock()
        isOver.lock()
        let threads = (0..<3).map { index in
            let done = DispatchSemaphore(value: 0)
            let thread = Thread {
                var wrong = 0
                while !isOver.try() {
                    for number in UInt64(0)..<200 where subject_settle(number, 5) != number * 3 + 5
                    {
                        wrong += 1
                    }
                }
                isOver.unlock()
                #expect(wrong == 0, "thread \(index)")
                done.signal()
            }
            thread.start()
            return done
        }
        var lines = 0
        for round in 0..<30 {
            install(both("p-\(round)"))
            // Until a thread has come by, so that each round shows something.
            let deadline = Date().addingTimeInterval(10)
            var found = 0
            while found == 0, Date() < deadline { found = runtime.work(images: [image]).count }
            #expect(found > 0)
            lines += found
            runtime.want([], images: [image])
            lines += runtime.work(images: [image]).count
        }
        isOver.unlock()
        for done in threads { done.wait() }
        #expect(lines >= 30)
        #expect(text(SUBJECT_START, SUBJECT_END) == before)
        #expect(runtime.orphans == 0)
    }
}
