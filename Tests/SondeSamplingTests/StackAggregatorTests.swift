// SPDX-License-Identifier: Apache-2.0
// Adding stacks up in bounded memory.

import SondeModel
import Testing

@testable import SondeSampling

@Suite struct StackAggregation {
    private func add(
        _ nanoseconds: Int64, _ frames: [UInt64], truncated: Bool = false,
        to stacks: inout StackAggregator
    ) {
        frames.withUnsafeBufferPointer {
            stacks.add(nanoseconds, to: $0, isTruncated: truncated)
        }
    }

    @Test func equalStacksAddUp() {
        var stacks = StackAggregator(maxStacks: 10)
        add(5, [100, 200, 300], to: &stacks)
        add(7, [100, 200, 300], to: &stacks)
        add(1, [100, 200], to: &stacks)
        add(2, [100, 200], truncated: true, to: &stacks)
        let found = Set(stacks.stacks())
        let frames = [RuntimeAddress(100), RuntimeAddress(199), RuntimeAddress(299)]
        #expect(
            found == [
                CPUStack(frames: frames, nanoseconds: 12),
                CPUStack(frames: Array(frames.prefix(2)), nanoseconds: 1),
                CPUStack(frames: Array(frames.prefix(2)), nanoseconds: 2, isTruncated: true),
            ])
    }

    @Test func weightIsNeverLost() {
        var stacks = StackAggregator(maxStacks: 100)
        var expected: Int64 = 0
        for round in 0..<5 {
            for stack in 0..<1000 as Range<UInt64> {
                add(Int64(round + 1), [stack, stack * 31, 7], to: &stacks)
                expected += Int64(round + 1)
            }
        }
        let found = stacks.stacks()
        #expect(found.reduce(0) { $0 + $1.nanoseconds } == expected)
        #expect(found.count { $0.kind == .captured } == 100)
        #expect(found.count { $0.kind == .tooManyStacks } == 1)
        #expect(stacks.overflowedSamples == 900 * 5)
    }

    @Test func deepStacksShareTheMemoryOfShallowOnes() {
        var stacks = StackAggregator(maxStacks: 1000)
        for stack in 0..<1000 as Range<UInt64> {
            add(1, (0..<512).map { stack * 1000 + $0 }, to: &stacks)
        }
        #expect(stacks.stacks().count { $0.kind == .captured } == 1000 * 64 / 512)
        #expect(stacks.memoryBytes < 4 << 20)
    }

    @Test func aNewPeriodBeginsEmpty() {
        var stacks = StackAggregator(maxStacks: 10)
        for _ in 0..<3 {
            add(3, [1, 2], to: &stacks)
            stacks.add(4, to: .dropped)
            #expect(stacks.stacks().count == 2)
            stacks.removeAll()
            #expect(stacks.stacks().isEmpty)
        }
    }

    @Test func sumsSaturate() {
        var stacks = StackAggregator(maxStacks: 10)
        add(.max, [1], to: &stacks)
        add(5, [1], to: &stacks)
        #expect(stacks.stacks().first?.nanoseconds == .max)
    }

    @Test func aProgramCounterOfZeroIsAFrameToo() {
        var stacks = StackAggregator(maxStacks: 10)
        add(1, [0], to: &stacks)
        #expect(stacks.stacks() == [CPUStack(frames: [RuntimeAddress(0)], nanoseconds: 1)])
    }
}
