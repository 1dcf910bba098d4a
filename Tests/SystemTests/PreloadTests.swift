// SPDX-License-Identifier: Apache-2.0
// Programs that were not made for Sonde: the agent comes by LD_PRELOAD.

import Foundation
import Testing

extension SystemTests {
    @Suite(
        .enabled(
            if: Workshop.hasPreload,
            "libsonde.so is not in the folder of the programs; scripts/link-preload makes it"))
    struct Preload {
        @Test(.timeLimit(.minutes(2)))
        func aCProgramIsProfiledByEnvironmentAlone() async throws {
            let seen = try await profile(
                flags: ["-O2", "-g", "-fno-omit-frame-pointer"], service: "c-program")
            for function in seen.measured.functions {
                let truth = seen.measured.share(of: function.name)
                let share = seen.top.share(of: function.name)
                print("\(function.name): measured \(truth), profile \(share)")
                #expect(abs(truth - share) <= 0.05, "\(function.name): \(truth), profile \(share)")
                let found = try #require(seen.top.function(function.name))
                #expect(found.file.hasSuffix("subject.c") && found.line > 0)
            }
            // Whole stacks: everything hot lies below the thread's own function.
            #expect(seen.top.share(of: "sail") > 0.95, "\(seen.top.functions.prefix(8))")
        }

        @Test(.timeLimit(.minutes(2)))
        func withoutFramePointersAndDebugInfoTheLeavesAreRight() async throws {
            let seen = try await profile(
                flags: ["-O2", "-g0", "-fomit-frame-pointer"], service: "c-without")
            for function in seen.measured.functions {
                let truth = seen.measured.share(of: function.name)
                let share = seen.top.share(of: function.name)
                print("\(function.name): measured \(truth), profile \(share)")
                #expect(abs(truth - share) <= 0.05, "\(function.name): \(truth), profile \(share)")
            }
            #expect(
                seen.top.notes.contains {
                    $0.hasPrefix("c-without ") && $0.contains("no debug info")
                }, "\(seen.top.notes)")
        }

        @Test(.timeLimit(.minutes(1)))
        func anotherProgramIsNotChangedByThePreload() async throws {
            let workshop = try Workshop()
            let library = Workshop.binaries.appendingPathComponent("libsonde.so").path
            let words = ["-c", "echo out; echo err >&2; exit 7"]
            let shell = URL(fileURLWithPath: "/bin/sh")
            for service in [[:], ["SONDE_SERVICE": "shell"]] {
                let plain = try await workshop.run(shell, words)
                let loaded = try await workshop.run(
                    shell, words, service.merging(["LD_PRELOAD": library]) { $1 })
                #expect(plain == loaded)
            }
        }

        /// Runs the C program under `sonde run` and reads its profile.
        private func profile(
            flags: [String], service: String
        ) async throws -> (top: TopAnswer, measured: MeterAnswer) {
            let workshop = try Workshop()
            let controller = try await Controller(workshop)
            let source = Workshop.repository.appendingPathComponent(
                "Tests/Programs/preload-subject/subject.c")
            let program = workshop.path(service)
            let compiled = try await workshop.run(
                URL(fileURLWithPath: "/usr/bin/env"),
                ["clang", "-pthread", "-Wl,--build-id"] + flags + [
                    "-o", program.path, source.path,
                ])
            #expect(compiled.status == 0, "\(compiled.text)")
            let run = try await workshop.run(
                try Workshop.program("sonde"), ["run", "--", program.path, "13"],
                ["SONDE_URL": controller.url])
            #expect(run.status == 0, "\(run.text)")
            let measured = try JSONDecoder().decode(MeterAnswer.self, from: Data(run.text.utf8))
            // At its end the program delivers its last profile.
            let isComplete = await eventually(within: 20, every: 0.5) {
                let total = Double(try controller.top(service).total)
                return total > 0.9 * measured.processCPUNanoseconds
            }
            let top = try controller.top(service)
            #expect(isComplete, "got \(top.total) of \(measured.processCPUNanoseconds) ns")
            return (top, measured)
        }
    }
}
