// SPDX-License-Identifier: Apache-2.0
// Adds the events of a JFR recording up, by kind of value and by context.

internal import SondeModel

/// The stacks of a recording while its events are added.
struct JFRStacks {
    private let limits: FormatLimits
    private let samplePeriod: Int64
    private var trees: [Tree] = []
    private var treeOf: [TreeKey: Int] = [:]
    private var steps = 0
    private var nodes = 0
    private var settings = JFRSettings()
    private var start: Int64?
    private var end = Int64.min
    /// Frames of the chunk at hand, and nodes of its stacks: constants are a chunk's own.
    private var frames: [Int64: Frame] = [:]
    private var nodeOf: [NodeKey: Int32] = [:]

    private struct TreeKey: Hashable {
        var kind: JFREventKind
        var context: JFRContext
    }

    /// One shape serves both values of a kind.
    private struct Tree {
        var key: TreeKey
        var stacks = FrameTree()
        var amounts: [Int64] = [0]
    }

    private struct NodeKey: Hashable {
        var tree: Int
        var stack: Int64
    }

    init(samplePeriod: Int64, _ limits: FormatLimits) {
        self.samplePeriod = samplePeriod
        self.limits = limits
    }

    mutating func beginChunk(_ header: JFRChunkHeader, _ settings: JFRSettings) {
        frames = [:]
        nodeOf = [:]
        if !settings.event.isEmpty { self.settings.event = settings.event }
        self.settings.period = settings.period ?? self.settings.period
        start = min(start ?? .max, header.startNanoseconds)
        let (last, overflow) = header.startNanoseconds.addingReportingOverflow(
            max(0, header.durationNanoseconds))
        end = max(end, overflow ? .max : last)
    }

    mutating func add(
        _ event: JFREvent, _ kind: JFREventKind, _ constants: JFRConstants
    ) throws(FormatError) {
        guard kind == .cpu else { return try count(event, kind, constants) }
        // async-profiler samples the wall clock with the same event, and says so in a setting.
        if event.state != "STATE_SLEEPING" { try count(event, .cpu, constants) }
        if settings.event == "wall" { try count(event, .wall, constants) }
    }

    private mutating func count(
        _ event: JFREvent, _ kind: JFREventKind, _ constants: JFRConstants
    ) throws(FormatError) {
        let key = TreeKey(kind: kind, context: event.context)
        let tree = treeOf[key] ?? trees.count
        if tree == trees.count {
            guard tree < limits.spans else {
                throw .tooMany(JFRRecording.format, "contexts", limit: limits.spans)
            }
            trees.append(Tree(key: key))
            treeOf[key] = tree
        }
        let nodeKey = NodeKey(tree: tree, stack: event.stack)
        let node: Int32
        if let known = nodeOf[nodeKey] {
            node = known
        } else {
            node = try add(event.stack, to: tree, constants)
            nodeOf[nodeKey] = node
        }
        trees[tree].stacks.add(event.samples, to: node)
        if let amount = event.amount(kind), amount > 0 {
            let (sum, overflow) = trees[tree].amounts[Int(node)].addingReportingOverflow(amount)
            trees[tree].amounts[Int(node)] = overflow ? .max : sum
        }
    }

    private mutating func add(
        _ stack: Int64, to tree: Int, _ constants: JFRConstants
    ) throws(FormatError) -> Int32 {
        var node: Int32 = 0
        // An event without a stack still counts: for all stacks together.
        for frame in constants.stack(stack, &frames, limits) ?? [] {
            steps += 1
            let before = trees[tree].stacks.count
            node = trees[tree].stacks.child(of: node, keyIndex: trees[tree].stacks.intern(frame))
            nodes += trees[tree].stacks.count - before
            guard steps <= limits.steps, nodes <= limits.nodes else {
                throw .tooMany(
                    JFRRecording.format, "stack entries", limit: min(limits.steps, limits.nodes))
            }
        }
        let missing = trees[tree].stacks.count - trees[tree].amounts.count
        trees[tree].amounts += [Int64](repeating: 0, count: missing)
        return node
    }

    /// One profile for each kind of value that occurs.
    var profiles: [JFRProfile] {
        var profiles: [JFRProfile] = []
        for kind in JFREventKind.allCases {
            let chosen = trees.filter { $0.key.kind == kind }
            guard !chosen.isEmpty else { continue }
            let period = kind == .cpu ? settings.period ?? samplePeriod : samplePeriod
            for (index, type) in kind.types.enumerated() {
                profiles.append(
                    JFRProfile(
                        type: type, event: settings.event, period: kind.isSampledTime ? period : 0,
                        start: Timestamp(unixNanoseconds: start ?? 0),
                        durationNanoseconds: duration,
                        contexts: chosen.map { tree in
                            JFRContextStacks(
                                context: tree.key.context,
                                stacks: stacks(
                                    of: tree, index, kind.isSampledTime ? period : 1))
                        }))
            }
        }
        return profiles
    }

    private var duration: Int64 {
        let (duration, overflow) = end.subtractingReportingOverflow(start ?? end)
        return overflow ? .max : duration
    }

    /// The tree with its first value, times `scale`, or with its second.
    private func stacks(of tree: Tree, _ index: Int, _ scale: Int64) -> FrameTree {
        let values =
            index == 1
            ? tree.amounts
            : tree.stacks.selfValues.map { value in
                let (product, overflow) = value.multipliedReportingOverflow(by: scale)
                return overflow ? .max : product
            }
        // The columns are those of a tree, with other values.
        return FrameTree(
            parents: tree.stacks.parents, keyIndices: tree.stacks.keyIndices, selfValues: values,
            keys: tree.stacks.keys) ?? FrameTree()
    }
}
