// SPDX-License-Identifier: Apache-2.0
// A hit finds what its thread works for: in synchronous code, and in tasks that change threads.

import Foundation
import SondeModel
import SondeWire
import Testing

@testable import SondeProbeRuntime

@Suite struct WorkScopeTests {
    init() {
        // Whoever comes first learns; the others find it learnt.
        _ = WorkScope.learnInTask()
    }

    /// A trace parent whose ids all say this number.
    private func parent(_ number: UInt64) -> String {
        let hex = String(number, radix: 16)
        let digits = String(repeating: "0", count: 16 - hex.count) + hex
        return "00-\(digits)\(digits)-\(digits)-01"
    }

    /// The number of the trace and span that a hit would note here; 0 without, `nil` for a mixture.
    private func seen() -> UInt64? {
        let header = WorkScope.seenByHit().header
        let bytes = header.trace + header.span
        let words = [bytes[0..<8], bytes[8..<16], bytes[16..<24]].map { word in
            word.reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        }
        return Set(words).count == 1 ? words[0] : nil
    }

    private func labels() -> [String: String] {
        Dictionary(
            uniqueKeysWithValues: WorkScope.seenByHit().labels.map { ($0.name, $0.value) })
    }

    @Test func synchronousWorkIsInItsScopeAndOutOfItAfterwards() throws {
        struct Mistake: Error {}
        #expect(seen() == 0)
        WorkScope.with(traceParent: parent(1)).run {
            #expect(seen() == 1)
            WorkScope.with(traceParent: parent(2)).run { #expect(seen() == 2) }
            WorkScope.with(labels: ["user": "7"]).run {
                #expect(seen() == 1)
                #expect(labels() == ["user": "7"])
            }
            #expect(seen() == 1 && labels().isEmpty)
        }
        #expect(throws: Mistake.self) {
            try WorkScope.with(traceParent: parent(3)).run { () throws(Mistake) in
                #expect(seen() == 3)
                throw Mistake()
            }
        }
        #expect(seen() == 0)
    }

    @Test func aThreadWithoutATaskHasItsOwnScope() {
        let done = DispatchSemaphore(value: 0)
        WorkScope.with(traceParent: parent(5)).run {
            let thread = Thread {
                #expect(seen() == 0)
                WorkScope.with(traceParent: parent(6)).run { #expect(seen() == 6) }
                #expect(WorkScope.seenByHit().header.task == 0)
                done.signal()
            }
            thread.start()
            done.wait()
            #expect(seen() == 5)
        }
    }

    @Test func aTextThatIsNoTraceParentChangesNothingAndIsCounted() {
        let before = WorkScope.invalidTraceParents
        WorkScope.with(traceParent: parent(4)).run {
            WorkScope.with(traceParent: "00-nonsense").run { #expect(seen() == 4) }
        }
        #expect(WorkScope.invalidTraceParents == before + 1)
    }

    @Test func manyTasksKeepTheirScopesWhileTheyChangeThreads() async {
        await withTaskGroup(of: Int.self) { group in
            for number in UInt64(1)...300 {
                group.addTask {
                    await WorkScope.with(traceParent: parent(number)).run {
                        await WorkScope.with(labels: ["n": "\(number)"]).run {
                            var wrong = 0
                            for round in 0..<30 {
                                if round.isMultiple(of: 10) {
                                    try? await Task.sleep(for: .milliseconds(1))
                                } else {
                                    await Task.yield()
                                }
                                let isRight =
                                    seen() == number && labels() == ["n": "\(number)"]
                                if !isRight || WorkScope.seenByHit().header.task == 0 { wrong += 1 }
                                // A synchronous scope in the midst of it ends before the next wait.
                                WorkScope.with(traceParent: parent(number + 1000)).run {
                                    if seen() != number + 1000 { wrong += 1 }
                                }
                            }
                            return wrong
                        }
                    }
                }
            }
            var wrong = 0
            for await count in group { wrong += count }
            #expect(wrong == 0)
        }
        #expect(seen() == 0)
    }

    @Test func childTasksInheritTheScopeAndDetachedOnesDoNot() async {
        await WorkScope.with(traceParent: parent(9)).run {
            async let child = seen()
            let unstructured = Task { seen() }
            let detached = Task.detached { seen() }
            #expect(await child == 9)
            #expect(await unstructured.value == 9)
            #expect(await detached.value == 0)
            await withTaskGroup(of: UInt64?.self) { group in
                for _ in 0..<4 {
                    group.addTask {
                        await Task.yield(); return seen()
                    }
                }
                for await found in group { #expect(found == 9) }
            }
            #expect(seen() == 9)
        }
        let fromSync = WorkScope.with(traceParent: parent(11)).run { Task { seen() } }
        #expect(await fromSync.value == 11)
    }

    @Test func tasksHaveTheNumbersThatTheRuntimeGivesThem() async {
        let first = await Task { WorkScope.seenByHit().header.task }.value
        let second = await Task { WorkScope.seenByHit().header.task }.value
        #expect(first != 0 && second != 0 && first != second)
    }

    @Test func labelsNestAndAreBounded() {
        let many = Dictionary(uniqueKeysWithValues: (0..<40).map { ("n\($0)", "v") })
        WorkScope.with(labels: ["a": "1", "b": "2"]).run {
            WorkScope.with(labels: ["b": "3", "1x": "no", "x y": "no", "": "no"]).run {
                #expect(labels() == ["a": "1", "b": "3"])
            }
            WorkScope.with(labels: many).run {
                #expect(labels().count == ScopeLabels.maximumLabels)
                #expect(labels()["a"] == "1")
            }
            WorkScope.with(labels: ["long": String(repeating: "Ä", count: 1000)]).run {
                #expect((labels()["long"] ?? "").utf8.count <= ScopeLabels.maximumValueBytes + 3)
            }
        }
        #expect(labels().isEmpty)
    }

    @Test func theSameLabelsHaveTheSameNumberAndOldOnesAreForgotten() {
        let first = ScopeLabels.number(of: ["k": "first"], inside: 0)
        #expect(first != 0)
        #expect(ScopeLabels.number(of: ["k": "first"], inside: 0) == first)
        for number in 0...ScopeLabels.maximumSets {
            _ = ScopeLabels.number(of: ["k": "\(number)"], inside: 0)
        }
        #expect(ScopeLabels.labels(of: first).isEmpty)
        #expect(ScopeLabels.number(of: ["k": "first"], inside: 0) > first)
    }
}
