// SPDX-License-Identifier: Apache-2.0
// The runtime keeps the text as the desired state wants it, within the policy and the limits.

import SondeModel
import SondeProbeProgram
import SondeWire
import Testing

@testable import SondeProbeRuntime

struct ProbeRuntimeTests {
    private let patcher = FakePatcher()
    private let time = FakeTime()
    private let shop = Sample.image(1, "shop")

    private func runtime(
        _ policy: ProbePolicy = ProbePolicy(), marker: InstallMarker? = nil
    ) -> ProbeRuntime {
        ProbeRuntime(
            policy: policy, patcher: patcher, marker: marker,
            senses: time.senses)
    }

    private func state(_ runtime: ProbeRuntime, _ id: String) -> String? {
        runtime.reports.first { $0.id == id }.map { report in
            report.reason.isEmpty ? report.state : "\(report.state): \(report.reason)"
        }
    }

    private func wanted(_ id: String, _ revision: UInt64 = 1) -> ProbeState {
        Sample.wanted(Sample.program(id, revision))
    }

    @Test func probesAreInstalledReplacedAndRemovedAsTheDesiredStateSays() {
        let runtime = runtime()
        #expect(!runtime.isBusy)
        runtime.want([wanted("a"), wanted("b")], images: [shop])
        #expect(state(runtime, "a") == "installed" && state(runtime, "b") == "installed")
        #expect(runtime.reports.first?.jumpSites == 2 && runtime.reports.first?.trapSites == 1)
        #expect(runtime.isBusy)
        runtime.want([wanted("a"), wanted("b", 2)], images: [shop])
        runtime.want([wanted("b", 2)], images: [shop])
        #expect(
            patcher.log == [
                "install a.1 in shop", "install b.1 in shop", "remove b", "install b.2 in shop",
                "remove a",
            ])
        #expect(runtime.reports.map(\.id) == ["b"])
        #expect(runtime.reports.first?.revision == 2)
        #expect(runtime.removeAll().isEmpty)
        #expect(patcher.installed.isEmpty && runtime.reports.isEmpty)
    }

    @Test func aConditionOnAHiddenNameIsRefused() {
        func asking(_ names: [String]?) -> ProbeState {
            let program = Sample.program("a") { program in
                program.images[0].code.insert(
                    contentsOf: [
                        Instruction(.loadImmediate, d: 0, imm: 1), Instruction(.stopIfZero, a: 0),
                    ], at: 0)
                program.images[0].condition = names.map {
                    ReadExpression(text: "asked", names: $0)
                }
            }
            return Sample.wanted(program)
        }
        func answer(_ names: [String]?, _ policy: ProbePolicy = ProbePolicy()) -> String? {
            let runtime = runtime(policy)
            runtime.want([asking(names)], images: [shop])
            return state(runtime, "a")
        }
        #expect(answer(["user.name", "bet.stake"]) == "installed")
        #expect(answer([]) == "installed")
        #expect(
            answer(["user.name", "user.password"])
                == "failed: the condition reads user.password, a name whose values this agent hides "
                + "by its own rules; want a condition without it")
        #expect(answer(["login.0", "pin"])?.hasPrefix("failed: the condition reads pin") == true)
        let own = ProbePolicy(names: RedactedNames(["customer"]))
        #expect(answer(["order.customerNumber"], own)?.hasPrefix("failed") == true)
        // Names that nobody states cannot be looked at, so it fails closed.
        #expect(
            answer(nil)
                == "failed: the program is refused: got a condition without the names that it "
                + "reads; want them, from a controller of this version")
    }

    @Test func aValueIsHiddenForWhatItReads() {
        let program = Sample.program("a") { program in
            program.images[0].template = [
                .value(expression: "login.0", shape: 0, format: nil), .text(" "),
                .value(expression: "login.1", shape: 0, format: nil), .text(" "),
                .value(expression: "user.pin + 1", shape: 0, format: nil),
            ]
            program.images[0].valueNames = [["login", "password"], ["login", "name"]]
        }
        let runtime = runtime()
        runtime.want([Sample.wanted(program)], images: [shop])
        let handle = patcher.handle(of: "a") ?? 0
        patcher.records.append(
            (handle, RecordHeader(), [UInt8](repeating: 0, count: 24)))
        #expect(
            runtime.work(images: [shop]).map(\.text) == ["<redacted> 0 <redacted>"])
    }

    @Test func theSameStateAgainTouchesNothing() {
        let runtime = runtime()
        runtime.want([wanted("a")], images: [shop])
        let changes = runtime.stateChanges
        for _ in 0..<3 {
            runtime.want([wanted("a")], images: [shop])
            _ = runtime.work(images: [shop])
        }
        #expect(patcher.log == ["install a.1 in shop"])
        #expect(runtime.stateChanges == changes)
    }

    @Test func aProbeWaitsForItsImageAndFollowsIt() {
        let runtime = runtime()
        let plugin = Sample.image(2, "plugin", at: 0x9000)
        let program = Sample.program("a", builds: [2, 3])
        runtime.want([Sample.wanted(program)], images: [shop])
        #expect(state(runtime, "a") == "pending" && runtime.isBusy)
        _ = runtime.work(images: [shop, plugin])
        #expect(state(runtime, "a") == "installed")
        let again = Sample.image(2, "plugin", at: 0xB000)
        _ = runtime.work(images: [shop])
        #expect(state(runtime, "a") == "pending")
        _ = runtime.work(images: [shop, again])
        let third = Sample.image(3, "third", at: 0xD000)
        _ = runtime.work(images: [shop, again, third])
        #expect(
            patcher.log == [
                "install a.1 in plugin", "remove a without 1", "install a.1 in plugin", "remove a",
                "install a.1 in plugin,third",
            ])
    }

    @Test func aRefusedInstallIsFailedUntilTheProbeChanges() {
        let runtime = runtime()
        patcher.refusals["a"] = "the bytes there are not those of the file"
        runtime.want([wanted("a"), wanted("b")], images: [shop])
        #expect(state(runtime, "a") == "failed: the bytes there are not those of the file")
        #expect(state(runtime, "b") == "installed")
        runtime.want([wanted("a"), wanted("b")], images: [shop])
        _ = runtime.work(images: [shop, Sample.image(9, "other")])
        patcher.refusals = [:]
        runtime.want([wanted("a", 2), wanted("b")], images: [shop])
        #expect(patcher.log == ["refuse a", "install b.1 in shop", "install a.2 in shop"])
        #expect(state(runtime, "a") == "installed")
    }

    @Test func aProgramThatCannotBeReadOrIsAnotherOnesIsFailed() {
        let runtime = runtime()
        var broken = wanted("a")
        broken.program = [0xFF, 0xFF, 0xFF]
        var swapped = wanted("b")
        swapped.program = Sample.program("c").encode()
        runtime.want([broken, swapped], images: [shop])
        #expect(state(runtime, "a")?.hasPrefix("failed: the program is refused: ") == true)
        #expect(state(runtime, "b")?.contains("want b revision 1") == true)
        #expect(patcher.log.isEmpty)
    }

    @Test func aDisabledProbeLeavesTheTextAndComesBack() {
        let runtime = runtime()
        runtime.want([wanted("a")], images: [shop])
        runtime.want([Sample.wanted(Sample.program("a", 2), enabled: false)], images: [shop])
        #expect(state(runtime, "a") == "disabled")
        #expect(patcher.installed.isEmpty)
        runtime.want([wanted("a", 3)], images: [shop])
        #expect(state(runtime, "a") == "installed")
    }

    @Test func timeAndHitsEndAProbe() throws {
        let runtime = runtime()
        let short = Sample.program("a", seconds: 10)
        let rare = Sample.program("b") { $0.limits.hits = 3 }
        let late = Sample.program("c", seconds: -1)
        let long = Sample.program("d", seconds: 1_000_000)
        runtime.want([short, rare, late, long].map { Sample.wanted($0) }, images: [shop])
        #expect(state(runtime, "c") == "expired: its time was over before it arrived")
        time.pass(seconds: 9.9)
        _ = runtime.work(images: [shop])
        #expect(state(runtime, "a") == "installed")
        time.pass(seconds: 0.2)
        var activity = ProbeActivity()
        activity.hasUsedUpHits = true
        activity.hits = 3
        patcher.activities[try #require(patcher.handle(of: "b"))] = activity
        _ = runtime.work(images: [shop])
        #expect(state(runtime, "a") == "expired: its time is over")
        #expect(state(runtime, "b") == "expired: its 3 hits are used up")
        #expect(runtime.reports.first { $0.id == "b" }?.hits == 3)
        // The agent's own longest life counts, whatever the program says.
        time.pass(seconds: 86_400)
        _ = runtime.work(images: [shop])
        #expect(state(runtime, "d") == "expired: its time is over")
        #expect(patcher.installed.isEmpty && !runtime.isBusy)
    }

    @Test func probesWithTrapsGoWhenTheirSignalIsNotSafeAnyMore() {
        let runtime = runtime()
        runtime.want([wanted("a")], images: [shop])
        _ = runtime.work(images: [shop])
        patcher.trapProblem = "a thread blocks SIGTRAP"
        time.pass(seconds: 0.5)
        _ = runtime.work(images: [shop])
        #expect(state(runtime, "a") == "installed")
        time.pass(seconds: 0.6)
        _ = runtime.work(images: [shop])
        #expect(state(runtime, "a") == "tripped: a thread blocks SIGTRAP")
        #expect(patcher.installed.isEmpty)
    }

    @Test func aLimitThatTheHitPathSawTripsTheProbe() throws {
        let runtime = runtime()
        runtime.want([wanted("a")], images: [shop])
        var activity = ProbeActivity()
        activity.trippedBy = "it wrote more than 1048576 bytes a second"
        patcher.activities[try #require(patcher.handle(of: "a"))] = activity
        _ = runtime.work(images: [shop])
        #expect(state(runtime, "a") == "tripped: it wrote more than 1048576 bytes a second")
        #expect(patcher.installed.isEmpty)
    }

    @Test func recordsBecomeLinesWithAllThatIsKnown() throws {
        let runtime = runtime()
        runtime.want([wanted("a")], images: [shop])
        let handle = try #require(patcher.handle(of: "a"))
        var header = RecordHeader()
        header.sequence = 4
        header.unixNanoseconds = 123
        header.thread = 77
        header.task = 12
        header.trace = [0x4B] + [UInt8](repeating: 0, count: 15)
        header.span = [UInt8](repeating: 1, count: 8)
        patcher.records = [(handle, header, RecordBytes().with(250, 8).bytes)]
        let line = try #require(runtime.work(images: [shop]).first)
        #expect(line.text == "paid 250" && line.level == "info" && line.tag == "t")
        #expect(line.unixNanoseconds == 123)
        let known = Dictionary(uniqueKeysWithValues: line.metadata.map { ($0.name, $0.value) })
        #expect(
            known == [
                "probe_id": "a", "file": "/src/Shop.swift", "line": "7",
                "function": "shop.Cart.pay()", "thread": "77", "thread_name": "thread-77",
                "sequence": "4", "task": "12", "trace_id": "4b000000000000000000000000000000",
                "span_id": "0101010101010101", "v_cart_total": "250",
            ])
        #expect(runtime.reports.first?.lines == 1)
    }

    @Test func whatWasRecordedJustBeforeTheRemovalStillArrives() {
        let runtime = runtime()
        runtime.want([wanted("a")], images: [shop])
        patcher.recordsOnRemoval = [(RecordHeader(), RecordBytes().with(1, 8).bytes)]
        runtime.want([], images: [shop])
        #expect(runtime.work(images: [shop]).map(\.text) == ["paid 1"])
        patcher.records = [(1, RecordHeader(), [])]
        #expect(runtime.work(images: [shop]).isEmpty)
        #expect(runtime.orphans == 1)
    }

    @Test func aRecordOfASiteThatIsNoneIsCounted() throws {
        let runtime = runtime()
        runtime.want([wanted("a")], images: [shop])
        var header = RecordHeader()
        header.site = .max
        patcher.records = [(try #require(patcher.handle(of: "a")), header, [])]
        #expect(runtime.work(images: [shop]).isEmpty)
        #expect(runtime.reports.first?.dropped.map(\.reason) == ["unrenderable"])
    }

    @Test func countersGoOnOverRevisionsAndSequenceNumbersToo() throws {
        let runtime = runtime()
        runtime.want([wanted("a")], images: [shop])
        var activity = ProbeActivity()
        activity.hits = 10
        activity.conditionFalse = 4
        activity.dropped = ["ring_full": 2]
        activity.lastSequence = 6
        patcher.activities[try #require(patcher.handle(of: "a"))] = activity
        runtime.want([wanted("a", 2)], images: [shop])
        let handle = try #require(patcher.handle(of: "a"))
        #expect(patcher.installed[handle]?.lastSequence == 6)
        activity.lastSequence = 16
        patcher.activities[handle] = activity
        let report = try #require(runtime.reports.first)
        #expect(report.hits == 20 && report.conditionFalse == 8 && report.lastSequence == 16)
        #expect(report.dropped.first?.count == 4)
    }

    @Test func theOwnersPolicyCannotBeOverruled() {
        let off = runtime(ProbePolicy(mode: .off))
        off.want([wanted("a")], images: [shop])
        #expect(state(off, "a") == "failed: probes are off in this agent's own configuration")
        let readOnly = runtime(ProbePolicy(mode: .readOnly))
        readOnly.want([wanted("a")], images: [shop])
        #expect(state(readOnly, "a")?.hasPrefix("disabled: this agent is read-only") == true)
        let file = runtime(ProbePolicy(deniedFiles: ["src/Shop.swift"]))
        file.want([wanted("a")], images: [shop])
        #expect(
            state(file, "a")?.contains("denied by this agent's own rule src/Shop.swift") == true)
        let function = runtime(ProbePolicy(deniedFunctions: ["Cart"]))
        function.want([wanted("a")], images: [shop])
        #expect(state(function, "a")?.contains("denied by this agent's own rule Cart") == true)
        #expect(patcher.log.isEmpty)
    }

    @Test func aThousandProbesAreEnough() {
        let runtime = runtime()
        let program = Sample.program("x").encode()
        let many = (0..<1200).map { number in
            var probe = ProbeState()
            probe.id = "p-\(number)"
            probe.enabled = false
            probe.program = program
            return probe
        }
        runtime.want(many + many, images: [shop])
        #expect(runtime.reports.count == ProbeRuntime.maximumProbes)
        #expect(runtime.turnedAway == 200)
        runtime.want([], images: [shop])
        #expect(runtime.turnedAway == 0)
    }

    @Test func linesOfSeveralRingsComeInTheOrderOfTheirHits() throws {
        let runtime = runtime()
        runtime.want([wanted("a")], images: [shop])
        let handle = try #require(patcher.handle(of: "a"))
        // Two rings, each with its own hits in order; two hits were at the same moment.
        for (ring, times) in [[1, 4, 4, 9], [2, 4, 7]].enumerated() {
            for time in times {
                var header = RecordHeader()
                header.unixNanoseconds = Int64(time)
                header.thread = UInt32(ring)
                patcher.records.append(
                    (handle, header, RecordBytes().with(UInt64(time), 8).bytes))
            }
        }
        let lines = runtime.work(images: [shop])
        #expect(lines.map(\.unixNanoseconds) == [1, 2, 4, 4, 4, 7, 9])
        let threads = lines.map { line in
            line.metadata.first { $0.name == "thread" }?.value ?? ""
        }
        #expect(threads == ["0", "1", "0", "0", "1", "1", "0"])
    }
}
