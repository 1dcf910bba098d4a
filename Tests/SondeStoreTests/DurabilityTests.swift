// SPDX-License-Identifier: Apache-2.0
// What was acknowledged is there, whatever happens to the process or to the disk.

import Foundation
import SondeModel
import SondeStore
import Testing

@Suite(.timeLimit(.minutes(5)))
struct DurabilityTests {
    private let scratch = ScratchFolder()

    /// How often each numbered profile is stored.
    private func stored(
        in store: SQLiteProfileStore, _ range: TimeRange = Afternoon.around
    ) throws -> [Int: Int64] {
        let writers = ProfileSelection(.cpu, in: range) { $0[LabelName.service] == "writer" }
        let tree = try store.merge(writers).stacks
        var found: [Int: Int64] = [:]
        for node in 1..<max(1, tree.count) where tree.selfValues[node] != 0 {
            let name = tree.keys[Int(tree.keyIndices[node])].text
            found[try #require(Int(name.dropFirst()))] = tree.selfValues[node]
        }
        return found
    }

    @Test func whatWasAcknowledgedSurvivesKillNineTwentyTimes() throws {
        var acknowledged: Set<Int> = []
        var first = 1
        for _ in 0..<20 {
            let writer = try WriterProcess([scratch.path, "\(first)"])
            // The random number of lines is the random moment: anywhere between two commits.
            for _ in 0..<Int.random(in: 1...40) {
                let line = try #require(writer.line())
                acknowledged.insert(try #require(Int(line), "\(line)"))
            }
            writer.killAndWait()
            while let line = writer.line() {
                acknowledged.insert(try #require(Int(line), "\(line)"))
            }
            let store = try SQLiteProfileStore.open(DataFolder(scratch.path))
            let found = try stored(in: store)
            #expect(acknowledged.subtracting(found.keys).isEmpty)
            #expect(found.values.allSatisfy { $0 == 1 })
            #expect(try store.statistics().profiles == found.count)
            first = (found.keys.max() ?? first) + 1
        }
        #expect(acknowledged.count > 100)
    }

    @Test func whatWasAcknowledgedSurvivesKillNineWhileBlocksAreMadeAndSeriesGo() throws {
        let range = Afternoon.seconds(-300_000, 300_000)
        var acknowledged: Set<Int> = []
        var first = 1
        for _ in 0..<12 {
            let writer = try WriterProcess([scratch.path, "\(first)", "busy"])
            for _ in 0..<Int.random(in: 1...120) {
                let line = try #require(writer.line())
                acknowledged.insert(try #require(Int(line), "\(line)"))
            }
            writer.killAndWait()
            while let line = writer.line() {
                acknowledged.insert(try #require(Int(line), "\(line)"))
            }
            let store = try SQLiteProfileStore.open(
                DataFolder(scratch.path), now: Afternoon.second(172_800))
            for _ in 0..<2 {
                let found = try stored(in: store, range)
                #expect(acknowledged.subtracting(found.keys).isEmpty)
                #expect(found.values.allSatisfy { $0 == 1 })
                first = (found.keys.max() ?? first) + 1
                try store.makeBlocks()
            }
            let found = store.check()
            #expect(found.problems.isEmpty, "\(found.problems)")
        }
        #expect(acknowledged.count > 100)
    }

    @Test func aFullDiskIsSaidAndRecoveredFrom() throws {
        let writer = try WriterProcess([scratch.path, "1", "300000"])
        var acknowledged: Set<Int> = []
        var errors: [String] = []
        while let line = writer.line() {
            if let number = Int(line) { acknowledged.insert(number) } else { errors.append(line) }
        }
        writer.wait()
        #expect(errors.count == 1)
        #expect(errors.first?.hasPrefix("diskFull: cannot write ") == true, "\(errors)")
        #expect(errors.first?.contains("the disk is full") == true, "\(errors)")
        let store = try SQLiteProfileStore.open(DataFolder(scratch.path))
        // The profile that met the full disk is not there; the one after it, with room, is.
        #expect(try Set(stored(in: store).keys) == acknowledged)
        let numbers = acknowledged.sorted()
        #expect(numbers.count > 10)
        #expect((numbers.last ?? 0) - (numbers.dropLast().last ?? 0) == 2)
    }

    @Test func aLockedFolderNamesItsOwner() throws {
        let writer = try WriterProcess([scratch.path, "1"])
        _ = try #require(writer.line())
        let error = try #require(throws: StoreError.self) { try DataFolder(scratch.path) }
        #expect(error.code == .cannotOpen)
        #expect(error.message.contains(scratch.path))
        #expect(error.message.contains(/process \d+ holds its lock/))
        writer.killAndWait()
        _ = try DataFolder(scratch.path)
    }

    @Test func aFolderThatCannotBeCreatedIsSaidInOneSentence() throws {
        let file = scratch.path + "/file"
        try Data().write(to: URL(fileURLWithPath: file))
        for path in [file, file + "/below", "/proc/sonde"] {
            let error = try #require(throws: StoreError.self) { try DataFolder(path) }
            #expect(error.code == .cannotOpen)
            #expect(error.message.hasPrefix("cannot "))
            #expect(error.message.contains(path))
            #expect(!error.message.contains("\n"))
        }
    }
}
