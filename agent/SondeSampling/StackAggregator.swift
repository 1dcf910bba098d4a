// SPDX-License-Identifier: Apache-2.0
// Adds samples up by stack, in bounded memory.

internal import SondeModel

/// Stacks and the CPU time of each: a hash table whose frames lie one after the other.
///
/// When there are too many distinct stacks, or too many frames in all, the weight of further new
/// stacks is added to one entry, so that the sum stays true.
struct StackAggregator {
    private struct Entry {
        var hash: UInt64
        var start: Int
        var depth: Int
        var isTruncated: Bool
        var nanoseconds: Int64
    }

    /// Frames per distinct stack that memory is allowed for, on average.
    static let framesPerStack = 64

    /// Samples whose stacks found no room since the start.
    private(set) var overflowedSamples: UInt64 = 0
    /// CPU time of samples without a stack, by what became of them.
    private(set) var unattributed: [CPUStack.Kind: Int64] = [:]

    private let maxStacks: Int
    private let maxFrames: Int
    private var entries: [Entry] = []
    private var frames: [UInt64] = []
    // Index plus one into `entries`, or 0; its size is a power of two, at least twice the entries.
    private var table: [Int32] = []

    /// An empty table.
    ///
    /// - Parameter maxStacks: The most distinct stacks, clamped to 1...1 048 576.
    init(maxStacks: Int) {
        self.maxStacks = min(max(maxStacks, 1), 1 << 20)
        maxFrames = self.maxStacks * Self.framesPerStack
    }

    /// The memory that the table holds, in bytes.
    var memoryBytes: Int {
        entries.capacity * MemoryLayout<Entry>.stride + frames.capacity * 8 + table.capacity * 4
    }

    /// Adds CPU time to a stack.
    ///
    /// - Parameters:
    ///   - nanoseconds: CPU time, not negative.
    ///   - stack: Addresses as the handler wrote them, leaf first.
    ///   - isTruncated: Whether the root's end is missing.
    mutating func add(
        _ nanoseconds: Int64, to stack: UnsafeBufferPointer<UInt64>, isTruncated: Bool
    ) {
        if entries.count * 2 >= table.count { growTable() }
        let hash = Self.hash(of: stack, isTruncated: isTruncated)
        let mask = table.count - 1
        var place = Int(truncatingIfNeeded: hash) & mask
        while table[place] != 0 {
            let index = Int(table[place]) - 1
            if entries[index].hash == hash, entries[index].isTruncated == isTruncated,
                isSame(stack, entries[index])
            {
                entries[index].nanoseconds = Self.sum(entries[index].nanoseconds, nanoseconds)
                return
            }
            place = (place + 1) & mask
        }
        guard entries.count < maxStacks, stack.count <= maxFrames - frames.count else {
            overflowedSamples += 1
            add(nanoseconds, to: .tooManyStacks)
            return
        }
        entries.append(
            Entry(
                hash: hash, start: frames.count, depth: stack.count, isTruncated: isTruncated,
                nanoseconds: nanoseconds))
        frames.append(contentsOf: stack)
        table[place] = Int32(entries.count)
    }

    /// Adds CPU time whose stack is not known.
    mutating func add(_ nanoseconds: Int64, to kind: CPUStack.Kind) {
        guard nanoseconds > 0 else { return }
        unattributed[kind] = Self.sum(unattributed[kind, default: 0], nanoseconds)
    }

    /// The stacks, with return addresses moved into their calls.
    func stacks() -> [CPUStack] {
        var stacks: [CPUStack] = []
        stacks.reserveCapacity(entries.count + unattributed.count)
        for entry in entries {
            var addresses: [RuntimeAddress] = []
            addresses.reserveCapacity(entry.depth)
            for index in 0..<entry.depth {
                // The handler stores no caller below 4096, but a program counter can be anything.
                let back: UInt64 = index == 0 ? 0 : 1
                addresses.append(RuntimeAddress(frames[entry.start + index] &- back))
            }
            stacks.append(
                CPUStack(
                    frames: addresses, nanoseconds: entry.nanoseconds,
                    isTruncated: entry.isTruncated))
        }
        for (kind, nanoseconds) in unattributed {
            stacks.append(CPUStack(kind: kind, frames: [], nanoseconds: nanoseconds))
        }
        return stacks
    }

    /// Forgets everything but the counters; keeps the memory when the last period needed it.
    mutating func removeAll() {
        let keep = entries.count * 4 >= entries.capacity
        entries.removeAll(keepingCapacity: keep)
        frames.removeAll(keepingCapacity: keep)
        unattributed.removeAll()
        if keep {
            for index in table.indices { table[index] = 0 }
        } else {
            table = []
        }
    }

    private func isSame(_ stack: UnsafeBufferPointer<UInt64>, _ entry: Entry) -> Bool {
        guard entry.depth == stack.count else { return false }
        for index in 0..<entry.depth where frames[entry.start + index] != stack[index] {
            return false
        }
        return true
    }

    private mutating func growTable() {
        let size = max(1024, table.count * 2)
        table = [Int32](repeating: 0, count: size)
        for (index, entry) in entries.enumerated() {
            var place = Int(truncatingIfNeeded: entry.hash) & (size - 1)
            while table[place] != 0 { place = (place + 1) & (size - 1) }
            table[place] = Int32(index + 1)
        }
    }

    // Multiply and fold (as wyhash does); addresses differ in their low bits, so all bits have to
    // reach the low ones. Not against adversaries: a program can only slow its own profile down.
    private static func hash(of stack: UnsafeBufferPointer<UInt64>, isTruncated: Bool) -> UInt64 {
        var hash: UInt64 = isTruncated ? 0x9e37_79b9_7f4a_7c15 : 0xa076_1d64_78bd_642f
        for frame in stack {
            let product = (hash ^ frame).multipliedFullWidth(by: 0xe703_7ed1_a0b4_28db)
            hash = product.high ^ product.low
        }
        return hash
    }

    private static func sum(_ left: Int64, _ right: Int64) -> Int64 {
        let (sum, overflow) = left.addingReportingOverflow(right)
        return overflow ? .max : sum
    }
}
