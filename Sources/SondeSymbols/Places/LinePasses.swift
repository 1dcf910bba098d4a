// SPDX-License-Identifier: Apache-2.0
// Chooses the places of a line so that each pass over it reaches one of them once.

internal import CElfutils

extension ProbeImage {
    /// Bytes of code that may be followed for one line.
    private static let codeBudget = 16 << 20

    /// The sites without those at which their line is only gone on with in the same function.
    ///
    /// Such as the end of a scope that a line opens, the second half of a call whose arguments
    /// stand on lines of their own, or what is put away when an error is thrown. What a pass is:
    /// docs/probes.md.
    ///
    /// - Parameters:
    ///   - sites: All sites of a line, in all copies.
    ///   - isLine: Whether the code at an address belongs to the line.
    /// - Returns: The sites that are left, each as it was.
    func onceAPass(_ sites: [LineSite], _ isLine: (UInt64) -> Bool) -> [LineSite] {
        var sitesOf: [CodeScope: [LineSite]] = [:]
        for site in sites {
            sitesOf[chain(site.scope).last ?? site.scope, default: []].append(site)
        }
        var kept: [LineSite] = []
        var budget = Self.codeBudget
        for (root, sites) in sitesOf {
            guard Set(sites.map(\.address)).count > 1 else {
                kept += sites
                continue
            }
            guard let flow = flow(of: root, sites.map(\.address), &budget) else {
                kept += sites.filter(\.startsRun)
                continue
            }
            let isPlain = entry(of: root).map(isUnoptimized) ?? false
            for copy in Dictionary(grouping: sites, by: \.scope).values {
                let passes = LinePasses(copy, flow, isPlain: isPlain, isLine)
                kept += copy.filter { passes.marks.contains($0.address) }
            }
        }
        return kept
    }

    private func flow(of root: CodeScope, _ marks: [UInt64], _ budget: inout Int) -> ControlFlow? {
        let ranges = entry(of: root).map(ranges) ?? []
        let start = entry(of: root)?.entryAddress
        let entered = ranges.filter { range in start.map(range.contains) ?? false }
        var left = budget
        defer { budget = left }
        return ControlFlow(
            entered + ranges.filter { !entered.contains($0) }, marks: marks,
            { address, count in
                left -= count
                return left > 0 ? storedBytes(from: address, count: count) : nil
            })
    }
}

/// The marks of one copy of a line at which a pass is counted.
private struct LinePasses {
    private(set) var marks: Set<UInt64>
    private let flow: ControlFlow
    /// Marks of a pass that began in another function, before a suspension.
    private let resumed: Set<UInt64>

    init(
        _ sites: [LineSite], _ flow: ControlFlow, isPlain: Bool, _ isLine: (UInt64) -> Bool
    ) {
        self.flow = flow
        marks = Set(sites.map(\.address))
        resumed = Set(sites.filter(\.isResumed).map(\.address))
        if isPlain {
            dropBareJumps(isLine)
            dropDoomed()
        }
        dropContinuations(sites, isPlain: isPlain)
        if isPlain {
            dropBeginnings()
            dropEndings(sites)
        }
    }

    /// Without the jumps at the end of other statements that are said to belong to this one, such
    /// as the one over an `else`.
    private mutating func dropBareJumps(_ isLine: (UInt64) -> Bool) {
        for mark in marks.sorted(by: >) where marks.count > 1 {
            guard !resumed.contains(mark), let target = flow.bareJump(at: mark), !isLine(target)
            else { continue }
            marks.remove(mark)
        }
    }

    /// Without those behind which the process ends, as where an error that is never thrown would
    /// arrive, unless there is nothing else.
    private mutating func dropDoomed() {
        let doomed = marks.subtracting(resumed).filter(flow.isDoomed)
        if doomed.count < marks.count { marks.subtract(doomed) }
    }

    /// Without those that can only run after another one did since they ran last.
    ///
    /// What is left runs whenever any of the marks does. In optimized code one place may be a copy
    /// of another, as in a loop that was unrolled: then it is a pass of its own. Copies are told by
    /// their columns, which are the same.
    private mutating func dropContinuations(_ sites: [LineSite], isPlain: Bool) {
        for site in sites.sorted(by: { $0.address > $1.address }) where marks.count > 1 {
            let mark = site.address
            guard !resumed.contains(mark) else { continue }
            let isPart = { (other: LineSite) in
                isPlain || !site.startsRun || other.column != site.column
            }
            let others = marks.intersection(
                sites.filter { $0.address != mark && isPart($0) }.map(\.address))
            if flow.isReached(mark, onlyThrough: others) { marks.remove(mark) }
        }
    }

    /// Without those behind which another one always runs.
    ///
    /// Of a loop's line that is what is done once before the first round. A line that ends its
    /// function counts where it begins to do so.
    private mutating func dropBeginnings() {
        for mark in marks.sorted() where marks.count > 1 {
            let others = marks.subtracting([mark])
            guard !resumed.contains(mark), flow.isFollowed(mark, by: others) else { continue }
            let next = flow.behind(mark, among: others)
            if next.allSatisfy(flow.isEpilogue) {
                marks.subtract(next)
            } else {
                marks.remove(mark)
            }
        }
    }

    /// Without the second place of one and the same piece of source: it cleans up after the first.
    private mutating func dropEndings(_ sites: [LineSite]) {
        var columns: [UInt64: UInt32] = [:]
        for site in sites { columns[site.address] = site.column }
        for mark in marks.sorted() where marks.contains(mark) {
            let same = marks.filter { $0 > mark && columns[$0] == columns[mark] }
            marks.subtract(flow.behind(mark, among: same.subtracting(resumed)))
        }
    }
}
