// SPDX-License-Identifier: Apache-2.0
// Which instructions of a function can run after which.

/// The paths through one function's machine code, as blocks that run from their start to their end.
struct ControlFlow {
    /// Where blocks begin, sorted; a block reaches to the next one.
    private var starts: [UInt64] = []
    private var successors: [[Int]] = []
    /// Blocks that may run without another one of the function before: its entry, landing pads.
    private var entries: [Int] = []
    /// Blocks at whose end the function is left.
    private var leaves: Set<Int> = []
    private var branchOf: [Int: MachineBranch] = [:]
    private let calls: [UInt64]

    /// Bytes of a function; the paths of a longer one are not looked at.
    private static let maxBytes: UInt64 = 1 << 18
    /// Walks over blocks, for one question.
    private static let maxWork = 1 << 22
    /// Places in one table of jumps.
    private static let maxTable = 1024

    /// The paths through a function; `nil` when its code cannot be followed.
    ///
    /// - Parameters:
    ///   - ranges: Where the function's code is, its entry in the first.
    ///   - marks: Addresses of instructions at which blocks are to begin.
    ///   - bytes: The image's bytes from an address on, so many or fewer.
    init?(
        _ ranges: [Range<UInt64>], marks: [UInt64], _ bytes: (UInt64, Int) -> ArraySlice<UInt8>?
    ) {
        guard ranges.count <= 64, var reader = MachineBranches() else { return nil }
        var total: UInt64 = 0
        for range in ranges {
            let size = range.upperBound - range.lowerBound
            guard size <= Self.maxBytes, total + size <= Self.maxBytes,
                let code = bytes(range.lowerBound, Int(size)), code.count == Int(size),
                reader.read(code, at: range.lowerBound)
            else { return nil }
            total += size
        }
        func isInside(_ address: UInt64) -> Bool { ranges.contains { $0.contains(address) } }
        var leaders = Set(marks.filter(isInside))
        for range in ranges { leaders.insert(range.lowerBound) }
        let bounds = reader.addresses.sorted()
        var tables: [UInt64: [UInt64]] = [:]
        for branch in reader.branches {
            if isInside(branch.end) { leaders.insert(branch.end) }
            guard let target = branch.target else { continue }
            if branch.way == .table {
                let end = bounds.first { $0 > target } ?? UInt64.max
                let places = Self.places(inTableAt: target, endingAt: end, bytes)
                    .prefix(while: reader.starts.contains)
                guard !places.isEmpty else { return nil }
                tables[target] = Array(places)
                leaders.formUnion(places)
            } else if isInside(target) {
                leaders.insert(target)
            }
        }
        starts = leaders.sorted()
        calls = reader.calls.sorted()
        guard marks.count * starts.count <= Self.maxWork else { return nil }
        connect(reader.branches, ranges, tables, fillers: reader.fillers)
    }

    /// Where the distances in a table lead, and maybe more: where it ends is not written down.
    private static func places(
        inTableAt address: UInt64, endingAt end: UInt64,
        _ bytes: (UInt64, Int) -> ArraySlice<UInt8>?
    ) -> [UInt64] {
        let size = min(UInt64(maxTable * 4), end &- address)
        let words = bytes(address, Int(size)) ?? []
        return stride(from: words.startIndex, to: words.endIndex - 3, by: 4).map { index in
            let word = words[index..<index + 4].reversed()
                .reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            return address &+ UInt64(bitPattern: Int64(Int32(bitPattern: word)))
        }
    }

    private mutating func connect(
        _ branches: [MachineBranch], _ ranges: [Range<UInt64>], _ tables: [UInt64: [UInt64]],
        fillers: Set<UInt64>
    ) {
        for branch in branches { branchOf[block(at: branch.start)] = branch }
        successors = Array(repeating: [], count: starts.count)
        var hasPredecessor = Array(repeating: false, count: starts.count)
        for index in starts.indices {
            var next: [UInt64] = []
            let range = ranges.first { $0.contains(starts[index]) }
            let branch = branchOf[index]
            if let branch {
                if let target = branch.target {
                    next += branch.way == .table ? tables[target] ?? [] : [target]
                }
                if branch.goesOn { next.append(branch.end) }
                if branch.way == .leaves { leaves.insert(index) }
            } else if index + 1 < starts.count {
                next.append(starts[index + 1])
            }
            for address in next {
                let to = block(at: address)
                guard to >= 0, starts[to] == address else {
                    // A jump out of the function is a call in its last place.
                    leaves.insert(index)
                    continue
                }
                // Code that runs out of its range ends in something that does not return.
                if branch == nil, range?.contains(address) != true { continue }
                successors[index].append(to)
                hasPredecessor[to] = true
            }
        }
        let first = ranges.first.map { block(at: $0.lowerBound) }
        entries = starts.indices.filter {
            $0 == first || !hasPredecessor[$0] && !fillers.contains(starts[$0])
        }
    }

    /// The block that an address lies in; -1 when it lies before all.
    private func block(at address: UInt64) -> Int {
        var low = 0
        var high = starts.count
        while low < high {
            let middle = (low + high) / 2
            if starts[middle] <= address { low = middle + 1 } else { high = middle }
        }
        return low - 1
    }

    /// The block that begins with a mark.
    private func block(of mark: UInt64) -> Int? {
        let block = block(at: mark)
        return block >= 0 && starts[block] == mark ? block : nil
    }

    private func blocks(of marks: Set<UInt64>) -> Set<Int> {
        Set(marks.map(block(at:)))
    }

    /// Whether a mark is reached only through others: it cannot run first, nor again, unless one
    /// of them ran since.
    func isReached(_ mark: UInt64, onlyThrough others: Set<UInt64>) -> Bool {
        guard !others.isEmpty, let block = block(of: mark) else { return false }
        let others = blocks(of: others)
        return !walk(from: entries, avoiding: others, { $0 == block })
            && !walk(from: successors[block], avoiding: others, { $0 == block })
    }

    /// Whether behind a mark one of others always runs, before the mark runs again and before the
    /// function is left.
    func isFollowed(_ mark: UInt64, by others: Set<UInt64>) -> Bool {
        guard !others.isEmpty, let block = block(of: mark), !leaves.contains(block) else {
            return false
        }
        let others = blocks(of: others)
        return !walk(
            from: successors[block], avoiding: others, { $0 == block || leaves.contains($0) })
    }

    /// Those of others that can run behind a mark in the same round of a loop.
    ///
    /// Code that was not optimized stands in the order in which it runs, but for the jumps with
    /// which loops begin another round: paths lead to higher addresses alone.
    func behind(_ mark: UInt64, among others: Set<UInt64>) -> Set<UInt64> {
        guard let first = block(of: mark) else { return [] }
        let goals = blocks(of: others)
        var seen: Set<Int> = []
        var pending = [first]
        while let block = pending.popLast() {
            guard seen.insert(block).inserted else { continue }
            pending += successors[block].filter { $0 > block }
        }
        return Set(seen.intersection(goals).subtracting([first]).map { starts[$0] })
    }

    /// Whether the function is never left behind a mark: the process ends there.
    func isDoomed(_ mark: UInt64) -> Bool {
        guard let block = block(of: mark) else { return false }
        return !walk(from: [block], avoiding: [], leaves.contains)
    }

    /// Where a mark only jumps to; `nil` when it does anything else.
    func bareJump(at mark: UInt64) -> UInt64? {
        guard let block = block(of: mark), let branch = branchOf[block], branch.start == mark,
            branch.way == .jump, !branch.goesOn
        else { return nil }
        return branch.target
    }

    /// Whether nothing but the function's end is behind a mark.
    func isEpilogue(_ mark: UInt64) -> Bool {
        guard let block = block(of: mark), leaves.contains(block), let branch = branchOf[block]
        else { return false }
        return !calls.contains { $0 >= mark && $0 < branch.end }
    }

    private func walk(
        from start: [Int], avoiding others: Set<Int>, _ isGoal: (Int) -> Bool
    ) -> Bool {
        var seen: Set<Int> = []
        var pending = start
        while let block = pending.popLast() {
            guard seen.insert(block).inserted else { continue }
            if others.contains(block) { continue }
            if isGoal(block) { return true }
            pending += successors[block]
        }
        return false
    }
}
