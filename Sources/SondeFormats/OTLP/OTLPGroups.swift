// SPDX-License-Identifier: Apache-2.0
// The trees into which the samples of one OTLP profile are sorted: by series, and by span.

internal import SondeModel

/// The trees of one profile while its samples are added.
struct OTLPGroups {
    /// What is left of the limits.
    private(set) var limits: FormatLimits
    var droppedAttributes: Set<String> = []
    private(set) var droppedSpans = 0
    private var trees: [Tree] = []
    private var seriesList: [Series] = []
    private var seriesOf: [[Label]: Int] = [:]
    private var seriesOfAttributes: [ArraySlice<UInt64>: Int] = [:]
    private var spanCount = 0

    private struct Tree {
        var stacks = LocationTree()
        /// The key of each entry of the location table, and the node of each stack, so far.
        var keyOf: [UInt64: Int32] = [:]
        var nodeOf: [UInt64: Int32] = [:]
    }

    private struct Series {
        var attributes: [Label]
        var tree: Int
        var spans: [(span: SpanID, trace: TraceID?, tree: Int)] = []
        var treeOfSpan: [SpanKey: Int] = [:]
    }

    private struct SpanKey: Hashable {
        var span: SpanID
        var trace: TraceID?
    }

    init(_ limits: FormatLimits) { self.limits = limits }

    /// The series of samples with these attributes, if there were some before.
    func known(_ attributes: ArraySlice<UInt64>) -> Int? { seriesOfAttributes[attributes] }

    /// The series with these labels, made when there is none.
    mutating func series(
        of labels: [Label], for attributes: ArraySlice<UInt64>
    ) throws(FormatError) -> Int {
        let series = seriesOf[labels] ?? seriesList.count
        if series == seriesList.count {
            guard series < limits.profiles else {
                throw .tooMany(
                    OTLPProfiles.format, "series in one profile", limit: limits.profiles)
            }
            seriesList.append(Series(attributes: labels, tree: trees.count))
            trees.append(Tree())
            seriesOf[labels] = series
        }
        seriesOfAttributes[attributes] = series
        return series
    }

    func tree(ofSeries series: Int) -> Int { seriesList[series].tree }

    /// The tree of a span, made when there is none; `nil` when there are too many.
    mutating func tree(of span: SpanID, _ trace: TraceID?, inSeries series: Int) -> Int? {
        let key = SpanKey(span: span, trace: trace)
        if let tree = seriesList[series].treeOfSpan[key] { return tree }
        guard spanCount < limits.spans else {
            droppedSpans += 1
            return nil
        }
        spanCount += 1
        let tree = trees.count
        trees.append(Tree())
        seriesList[series].treeOfSpan[key] = tree
        seriesList[series].spans.append((span, trace, tree))
        return tree
    }

    /// The node of an entry of the stack table, if it was added before.
    func node(of stack: UInt64, in tree: Int) -> Int32? { trees[tree].nodeOf[stack] }

    mutating func note(_ node: Int32, for stack: UInt64, in tree: Int) {
        trees[tree].nodeOf[stack] = node
    }

    /// The child of a node for an entry of the location table, made when there is none.
    mutating func child(
        of node: Int32, _ index: UInt64, _ location: Location, in tree: Int
    ) throws(FormatError) -> Int32 {
        limits.steps -= 1
        guard limits.steps >= 0, limits.nodes >= 0 else {
            throw FormatError(
                .tooLarge,
                "cannot read \(OTLPProfiles.format): got more stack entries than are kept;"
                    + " want fewer, or several requests")
        }
        let key: Int32
        if let known = trees[tree].keyOf[index] {
            key = known
        } else {
            key = trees[tree].stacks.intern(location)
            trees[tree].keyOf[index] = key
        }
        let before = trees[tree].stacks.count
        let child = trees[tree].stacks.child(of: node, keyIndex: key)
        limits.nodes -= trees[tree].stacks.count - before
        return child
    }

    mutating func add(_ value: Int64, to node: Int32, in tree: Int) {
        trees[tree].stacks.add(value, to: node)
    }

    /// The series in order of their first sample.
    var series: [OTLPSeries] {
        seriesList.map { series in
            OTLPSeries(
                attributes: series.attributes, stacks: trees[series.tree].stacks,
                spans: series.spans.map { span in
                    SpanStacks(
                        span: span.span, trace: span.trace, stacks: trees[span.tree].stacks)
                })
        }
    }
}
