// SPDX-License-Identifier: Apache-2.0
// A flame graph level by level, as Pyroscope answers it and Grafana reads it.

internal import SondeModel

/// A flame graph level by level.
///
/// A level is one array of tuples, from left to right: for one flame graph (offset, total, self,
/// name), for two (left offset, left total, left self, right offset, right total, right self,
/// name). An offset is the distance from the end of the node before on the same level. Children
/// begin where their parent's own value ends.
package struct FlameLevels: Hashable, Sendable {
    /// The names that tuples point into; the first is `total`.
    package private(set) var names = ["total"]
    /// The levels, the root's first.
    package private(set) var levels: [[Int64]] = []
    /// The value of everything; for two flame graphs the sum of both.
    package private(set) var total: Int64 = 0
    /// The largest own value of a node.
    package private(set) var largestSelf: Int64 = 0
    /// The value of everything on the left, for two flame graphs.
    package private(set) var leftTotal: Int64 = 0
    /// The value of everything on the right, for two flame graphs.
    package private(set) var rightTotal: Int64 = 0

    /// The levels of one flame graph, whose frames are names: see ``SondeModel/StackTree/byName()``.
    package init(_ graph: FlameGraph) {
        let nameOf = intern(graph.frames.map(\.name))
        var depths: [Int] = []
        var starts: [Int64] = []
        var childStarts: [Int64] = []
        var ends: [Int64] = []
        for node in graph.parents.indices {
            let parent = Int(graph.parents[node])
            let depth = parent < 0 ? 0 : depths[parent] + 1
            let start = parent < 0 ? 0 : childStarts[parent]
            let (total, own) = (graph.totals[node], graph.selfValues[node])
            if parent >= 0 { childStarts[parent] &+= total }
            depths.append(depth)
            starts.append(start)
            childStarts.append(start &+ own)
            if depth == levels.count {
                levels.append([])
                ends.append(0)
            }
            let frame = Int(graph.frameIndices[node])
            levels[depth] += [start &- ends[depth], total, own, frame < 0 ? 0 : nameOf[frame]]
            ends[depth] = start &+ total
            largestSelf = max(largestSelf, own)
        }
        total = graph.total
    }

    /// The levels of two flame graphs side by side, whose frames are names.
    package init(_ graph: FlameGraphDiff) {
        let nameOf = intern(graph.frames.map(\.name))
        var depths: [Int] = []
        var next: [(left: Int64, right: Int64)] = []
        var ends: [(left: Int64, right: Int64)] = []
        for node in graph.parents.indices {
            let parent = Int(graph.parents[node])
            let depth = parent < 0 ? 0 : depths[parent] + 1
            let start = parent < 0 ? (0, 0) : next[parent]
            let (left, right) = (graph.left[node], graph.right[node])
            if parent >= 0 {
                next[parent].left &+= left.total
                next[parent].right &+= right.total
            }
            depths.append(depth)
            next.append((start.0 &+ left.own, start.1 &+ right.own))
            if depth == levels.count {
                levels.append([])
                ends.append((0, 0))
            }
            let frame = Int(graph.frameIndices[node])
            levels[depth] += [
                start.0 &- ends[depth].left, left.total, left.own,
                start.1 &- ends[depth].right, right.total, right.own,
                frame < 0 ? 0 : nameOf[frame],
            ]
            ends[depth] = (start.0 &+ left.total, start.1 &+ right.total)
            largestSelf = max(largestSelf, left.own, right.own)
        }
        leftTotal = graph.leftTotal
        rightTotal = graph.rightTotal
        total =
            leftTotal.addingReportingOverflow(rightTotal).overflow
            ? .max : leftTotal + rightTotal
    }

    /// Each frame's index into ``names``, where each name stands once.
    private mutating func intern(_ frames: [String]) -> [Int64] {
        var known: [String: Int64] = ["total": 0]
        return frames.map { name in
            if let index = known[name] { return index }
            let index = Int64(names.count)
            known[name] = index
            names.append(name)
            return index
        }
    }
}
