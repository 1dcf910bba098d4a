// SPDX-License-Identifier: Apache-2.0
// JFR recordings: one of a JVM, judged by the JDK's own tool, and ones made by hand as
// async-profiler writes them.

import Foundation
import SondeFormats
import SondeModel
import SondeWire
import Testing

@Suite struct JFRRecordingTests {
    static func fixture(_ name: String) throws -> [UInt8] {
        Array(try Data(contentsOf: Golden.fixtures.appendingPathComponent("jfr/" + name)))
    }

    /// Each stack with what its value counts: `process_cpu:cpu a;b 3`.
    static func folded(_ profiles: [JFRProfile]) -> String {
        var lines: [String] = []
        for profile in profiles {
            for context in profile.contexts {
                for line in SondeFormatsTests.folded(context.stacks) {
                    lines.append("\(profile.type.name):\(profile.type.sampleType) \(line)")
                }
            }
        }
        return lines.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
            .map { $0 + "\n" }.joined()
    }

    @Test func aRecordingOfAJVMIsReadAsTheJDKReadsIt() throws {
        let profiles = try JFRRecording.read(Self.fixture("recording.jfr.gz"))
        let golden = String(decoding: try Self.fixture("recording.folded"), as: UTF8.self)
        #expect(Self.folded(profiles) == golden)
        #expect(
            profiles.map(\.type.description) == [
                "process_cpu:cpu:nanoseconds:cpu:nanoseconds",
                "memory:alloc_sample_objects:count:space:bytes",
                "memory:alloc_sample_bytes:bytes:space:bytes",
                "mutex:contentions:count:mutex:count", "mutex:delay:nanoseconds:mutex:count",
                "block:contentions:count:block:count", "block:delay:nanoseconds:block:count",
            ])
        let cpu = try #require(profiles.first)
        #expect(cpu.period == 10_000_000)
        #expect(cpu.event == "")
        #expect(cpu.start.unixNanoseconds / 1_000_000_000 == 1_795_280_668)
        #expect(cpu.durationNanoseconds / 1_000_000 == 2923)
        #expect(cpu.contexts.map(\.context) == [JFRContext()])
    }

    @Test(
        .enabled(
            if: FileManager.default.isExecutableFile(atPath: "/usr/bin/jfr"),
            "needs a JDK's jfr, such as that of openjdk-17-jdk-headless"))
    func theJDKsOwnToolStillSaysTheSame() throws {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("sonde-jfr-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appendingPathComponent("recording.jfr")
        let bytes = try Gzip.expand(Self.fixture("recording.jfr.gz"), limit: 1 << 20)
        try Data(bytes).write(to: file)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        let golden = Golden.fixtures.appendingPathComponent("jfr/golden.py").path
        process.arguments = [
            "timeout", "100", "sh", "-c",
            "jfr print --json --stack-depth 1000 \(file.path) | python3 \(golden)",
        ]
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let output = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        #expect(
            String(decoding: output, as: UTF8.self) == Self.folded(try JFRRecording.read(bytes)))
    }

    @Test func chunksAddUp() throws {
        let chunk = try Gzip.expand(Self.fixture("recording.jfr.gz"), limit: 1 << 20)
        let once = try JFRRecording.read(chunk)
        let twice = try JFRRecording.read(chunk + chunk + chunk)
        #expect(twice.map(\.type) == once.map(\.type))
        for (one, three) in zip(once, twice) {
            #expect(three.contexts[0].stacks.totals[0] == 3 * one.contexts[0].stacks.totals[0])
            #expect(three.contexts[0].stacks.count == one.contexts[0].stacks.count)
            #expect(three.durationNanoseconds == one.durationNanoseconds)
        }
    }

    @Test func asyncProfilersWallClockHasItsStatesAndSettings() throws {
        var recording = JFRWriter()
        recording.settings = ["event": "wall"]
        recording.events = [
            .execution(stack: 1, state: 1), .execution(stack: 1, state: 2),
            .execution(stack: 2, state: 2),
        ]
        let profiles = try JFRRecording.read(recording.bytes, samplePeriodNanoseconds: 1000)
        #expect(
            Self.folded(profiles) == """
                process_cpu:cpu Main.main;work 1000
                wall:wall Main.main 1000
                wall:wall Main.main;work 2000

                """)
        #expect(profiles.map(\.event) == ["wall", "wall"])
        #expect(profiles.map(\.period) == [1000, 1000])
        recording.settings = ["event": "itimer"]
        #expect(try JFRRecording.read(recording.bytes).map(\.type.name) == ["process_cpu"])
    }

    @Test func everyKindOfEventIsCounted() throws {
        var recording = JFRWriter()
        recording.events = [
            .wall(stack: 1, samples: 3), .inTLAB(stack: 1, size: 4096),
            .outsideTLAB(stack: 2, size: 700), .live(stack: 2), .malloc(stack: 1, size: 64),
        ]
        #expect(
            Self.folded(try JFRRecording.read(recording.bytes)) == """
                memory:alloc_in_new_tlab_bytes Main.main;work 4096
                memory:alloc_in_new_tlab_objects Main.main;work 1
                memory:alloc_outside_tlab_bytes Main.main 700
                memory:alloc_outside_tlab_objects Main.main 1
                memory:live Main.main 1
                memory:malloc_bytes Main.main;work 64
                memory:malloc_objects Main.main;work 1
                wall:wall Main.main;work 30000000

                """)
    }

    @Test func contextsAreKeptApartAndTheSnapshotExplainsThem() throws {
        var recording = JFRWriter()
        recording.events = [
            .execution(stack: 1, state: 1, context: 7), .execution(stack: 1, state: 1),
            .execution(stack: 2, state: 1, context: 7, span: 0x0102, spanName: 5),
        ]
        let contexts = try #require(JFRRecording.read(recording.bytes).first).contexts
        #expect(
            contexts.map(\.context) == [
                JFRContext(contextID: 7, spanID: 0, spanNameID: 0), JFRContext(),
                JFRContext(contextID: 7, spanID: 0x0102, spanNameID: 5),
            ])
        var writer = ProtobufWriter()
        writer.message(field: 1) { entry in
            entry.write(7 as Int64, field: 1)
            entry.message(field: 2) { context in
                context.message(field: 1) { pair in
                    pair.write(1 as Int64, field: 1)
                    pair.write(2 as Int64, field: 2)
                }
                context.message(field: 1) { pair in
                    pair.write(1 as Int64, field: 1)
                    pair.write(99 as Int64, field: 2)
                }
            }
        }
        for (id, text) in [(1, "region"), (2, "eu-1"), (5, "GET /")] as [(Int64, String)] {
            writer.message(field: 2) { entry in
                entry.write(id, field: 1)
                entry.write(text, field: 2)
            }
        }
        for bytes in [writer.bytes, try Gzip.compress(writer.bytes)] {
            let snapshot = try LabelsSnapshot.decode(bytes)
            #expect(snapshot.labels(of: 7) == [Label(name: "region", value: "eu-1")])
            #expect(snapshot.labels(of: 8).isEmpty)
            #expect(snapshot.string(5) == "GET /")
        }
        #expect(throws: FormatError.self) { try LabelsSnapshot.decode([0x0A, 0xFF]) }
    }

    @Test func stringsAreReadInEachEncoding() throws {
        for encoding in [3, 4, 5] as [UInt8] {
            var recording = JFRWriter()
            recording.encoding = encoding
            recording.name = "gr\u{FC}n"
            recording.events = [.execution(stack: 1, state: 1)]
            #expect(
                Self.folded(try JFRRecording.read(recording.bytes))
                    == "process_cpu:cpu Main.main;gr\u{FC}n 10000000\n")
        }
    }

    @Test func whatIsNoRecordingIsRefusedInWords() throws {
        var recording = JFRWriter()
        recording.events = [.execution(stack: 1, state: 1)]
        let good = recording.bytes
        func refusal(_ change: (inout [UInt8]) -> Void) -> String {
            var bytes = good
            change(&bytes)
            do throws(FormatError) { _ = try JFRRecording.read(bytes) } catch {
                return error.description
            }
            return ""
        }
        #expect(refusal { _ in } == "")
        #expect(refusal { $0 = [] }.contains("no bytes"))
        #expect(refusal { $0[0] = 0 }.contains("no chunk at byte 0"))
        #expect(refusal { $0[5] = 1 }.contains("version 1.0; want 2.x"))
        #expect(
            refusal { $0.replaceSubrange(8..<16, with: repeatElement(0, count: 8)) }
                .contains("a chunk that was not finished"))
        #expect(refusal { $0[8] = 0xFF }.contains("a chunk of"))
        #expect(refusal { $0[67] = 0 }.contains("not compressed"))
        #expect(refusal { $0 += [1, 2, 3] }.contains("no chunk at byte \(good.count)"))
        for length in 1..<good.count { #expect(refusal { $0 = Array($0[..<length]) } != "") }
    }

    @Test func typesWithoutEndAreRefused() throws {
        var recording = JFRWriter()
        recording.events = [.execution(stack: 1, state: 1)]
        // Each of these types holds the next one twice, and none takes a byte.
        recording.hostileTypes = 40
        let error = #expect(throws: FormatError.self) { try JFRRecording.read(recording.bytes) }
        #expect(error?.code == .malformed)
    }

    @Test func limitsAreKept() throws {
        let bytes = try Self.fixture("recording.jfr.gz")
        func refusal(_ change: (inout FormatLimits) -> Void) -> FormatError.Code? {
            var limits = FormatLimits()
            change(&limits)
            do throws(FormatError) { _ = try JFRRecording.read(bytes, limits: limits) } catch {
                return error.code
            }
            return nil
        }
        #expect(refusal { _ in } == nil)
        #expect(refusal { $0.bytes = 40_000 } == .tooLarge)
        #expect(refusal { $0.nodes = 20 } == .tooLarge)
        #expect(refusal { $0.steps = 10 } == .tooLarge)
        #expect(refusal { $0.spans = 1 } == .tooLarge)
        var limits = FormatLimits()
        limits.stackDepth = 2
        let cut = Self.folded(try JFRRecording.read(bytes, limits: limits))
        #expect(cut.contains("mutex:contentions java/lang/Thread.run;Subject$$Lambda$_.run 1\n"))
    }

    @Test func mutatedRecordingsNeverCrash() throws {
        var recording = JFRWriter()
        recording.settings = ["event": "wall"]
        recording.events = [.execution(stack: 1, state: 1), .wall(stack: 2, samples: 4)]
        let seed = recording.bytes
        var generator = SplitMix(seed: 6)
        for _ in 0..<3000 {
            var bytes = mutated(seed, &generator)
            // A changed length would end most readings at the header.
            if bytes.count > 16 {
                withUnsafeBytes(of: UInt64(bytes.count).bigEndian) { size in
                    for index in 0..<8 { bytes[8 + index] = size[index] }
                }
            }
            do throws(FormatError) { _ = try JFRRecording.read(bytes) } catch {
                #expect(error.description.hasPrefix("cannot read JFR: "))
            }
        }
    }
}
