// SPDX-License-Identifier: Apache-2.0
// Probes in a running program: each scenario is a run of its own, in which the program probes its
// own code and compares results, hits, registers and bytes.

import Foundation
import Testing

@Suite struct Patches {
    @Test(arguments: ["code", "orders"])
    func hardCodeComputesTheSameUnderProbesAndComesBackByteByByte(scenario: String) throws {
        try expectDone(scenario)
    }

    @Test func aPlaceIsHitOncePerPassAlsoWhereBranchesGo() throws { try expectDone("counts") }

    @Test func manyProgramsShareAnAddressAndLeaveOneByOne() throws { try expectDone("programs") }

    @Test func whatCannotBePatchedIsRefusedAndNothingOfItsSetIsInstalled() throws {
        try expectDone("refusals")
    }

    @Test func registersFlagsAndVectorsPassAndAreSeen() throws { try expectDone("registers") }

    @Test func movedInstructionsDoWhatTheOriginalsDo() throws { try expectDone("relocation") }

    @Test func aHitFitsIntoTwoKilobytesOfStack() throws { try expectDone("small_stack") }

    @Test func aHandlerThatBlocksEverythingMayMeetATrap() throws {
        try expectDone("signal_handler")
    }

    @Test(arguments: ["foreign_before", "foreign_after", "foreign_default"])
    func theProgramsOwnTrapsDoWhatTheyDidWithoutUs(scenario: String) throws {
        try expectDone(scenario)
    }

    @Test func threadsThatBlockTrapsAreNoticed() throws { try expectDone("blocked") }

    @Test func threadsThatBlockAllSignalsForAMomentLive() throws { try expectDone("masks") }

    @Test func aHitThatAHandlerJumpsOutOfHindersNothing() throws { try expectDone("left_hit") }

    @Test func aHitInsideAHitRunsNothing() throws { try expectDone("reentry") }

    @Test(arguments: ["threads", "load", "recursion", "allocator", "program"])
    func sitesComeAndGoUnderThreadsThatNeverPause(scenario: String) throws {
        try expectDone(scenario)
    }

    @Test func childrenAreUnharmed() throws { try expectDone("fork") }

    @Test(arguments: ["filtered", "hardened", "traced"])
    func hostsWithRulesOfTheirOwnAreNotEnded(scenario: String) throws { try expectDone(scenario) }

    @Test func aLibraryMayBeProbedAndUnloaded() throws {
        try withLibrary { library in
            let subject = try ProbeSubject.run(["library", library])
            #expect(subject.isDone, "\(subject.output)")
        }
    }

    /// The table of imports is on a page that the linker seals after thousands of relocations.
    @Test func aLibraryMayBeInTheMiddleOfLoading() throws {
        let words = Array(repeating: "table", count: 20_000).joined(separator: ",")
        let late = """
            __attribute__((used)) int *const words[] = {\(words)};
            int (*const kept)(int, const sigset_t *, sigset_t *) = sigprocmask;
            """
        try withLibrary(and: late, ["-Wl,-z,now,-z,relro"]) { library in
            let subject = try ProbeSubject.run(["loading", library])
            #expect(subject.isDone, "status \(subject.status): \(subject.output)")
        }
    }

    @Test func everyScenarioIsRunByATest() throws {
        let listed = try ProbeSubject.run([]).output.split(separator: "\n").map(String.init)
        let text = try String(contentsOfFile: #filePath, encoding: .utf8)
        #expect(listed.count > 15)
        for name in listed {
            #expect(text.contains("\"\(name)\""), "no test runs the scenario \(name)")
        }
    }

    /// Compiles a library that computes and blocks signals, with more C code and options.
    private func withLibrary(
        and code: String = "", _ options: [String] = [], _ body: (String) throws -> Void
    ) throws {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("sonde-probe-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let source = folder.appendingPathComponent("answer.c")
        let library = folder.appendingPathComponent("libanswer.so").path
        try """
        #include <signal.h>
        static int table[16];
        int block_all(sigset_t *before) {
            sigset_t all;
            sigfillset(&all);
            return sigprocmask(SIG_BLOCK, &all, before);
        }
        long answer(long n) {
            long sum = 0;
            for (long i = 0; i < n; i++) {
                sum += i * i;
                if (sum & 1) sum ^= n;
                table[i & 15] += 1;
            }
            return sum;
        }
        \(code)
        """.write(to: source, atomically: true, encoding: .utf8)
        let compiled = try ProbeSubject.run(
            program: "/usr/bin/env",
            ["clang", "-O1", "-shared", "-fPIC", "-o", library, source.path] + options)
        try #require(compiled.status == 0, "\(compiled.output)")
        try body(library)
    }

    private func expectDone(
        _ scenario: String, _ location: SourceLocation = #_sourceLocation
    ) throws {
        let subject = try ProbeSubject.run([scenario], seconds: 300)
        #expect(
            subject.isDone, "status \(subject.status): \(subject.output)", sourceLocation: location)
    }
}
