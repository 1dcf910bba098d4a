// SPDX-License-Identifier: Apache-2.0
// QuerierService: merged stacks as flame graph, tree, graph or pprof, and the difference of two.

internal import SondeFormats
internal import SondeModel
internal import SondeQuery
internal import SondeStore

/// `SelectMergeStacktraces`, `SelectMergeSpanProfile`, `SelectMergeProfile` and `Diff`.
enum StacktraceProcedures {
    static func routes(_ services: Services) -> [Route] {
        let service = "querier.v1.QuerierService/"
        return [
            ConnectProcedure.route(service + "SelectMergeStacktraces", services, stacktraces),
            ConnectProcedure.route(service + "SelectMergeSpanProfile", services, spanProfile),
            ConnectProcedure.route(service + "SelectMergeProfile", services, profile),
            ConnectProcedure.route(service + "Diff", services, diff),
        ]
    }

    private static func stacktraces(
        _ request: SelectMergeStacktracesRequest, _ call: ConnectCall, _ services: Services
    ) throws(APIError) -> SelectMergeStacktracesResponse {
        let limit = try PyroscopeQuery.maximumNodes(request.maxNodes)
        let reading = try ProfileReading(call, services)
        let question = try StacksQuestion(request, reading)
        let merged = try question.merged(reading)
        let frames = merged.stacks.symbolized(by: services.symbols)
        var response = SelectMergeStacktracesResponse()
        switch request.format {
        case .unspecified, .flamegraph:
            response.flamegraph =
                FlameLevels(FlameGraph(frames.byName(), maximumNodes: limit)).message
        case .tree:
            response.tree = tree(frames, limit: limit)
        case .dot:
            let unit = question.selection.type.sampleUnit
            let format = ValueFormat(unit: unit)
            response.dot = CallGraph(frames).dot(unit: unit) { format.string($0) }
        case .pprof:
            var message = PprofMessage()
            message.profile = pprof(
                merged, frames, question, limit: request.maxNodes ?? 0 > 0 ? limit : nil, services)
            response.pprof = message
        }
        return response
    }

    private static func spanProfile(
        _ request: SelectMergeSpanProfileRequest, _ call: ConnectCall, _ services: Services
    ) throws(APIError) -> SelectMergeSpanProfileResponse {
        var stacks = SelectMergeStacktracesRequest()
        stacks.profileTypeID = request.profileTypeID
        stacks.labelSelector = request.labelSelector
        stacks.spanSelector = request.spanSelector
        stacks.start = request.start
        stacks.end = request.end
        stacks.maxNodes = request.maxNodes
        let limit = try PyroscopeQuery.maximumNodes(request.maxNodes)
        let reading = try ProfileReading(call, services)
        var question = try StacksQuestion(stacks, reading)
        // No span at all is no stack at all, unlike where spans are one condition of several.
        question.selection.spans = question.selection.spans ?? []
        let frames = try question.merged(reading).stacks.symbolized(by: services.symbols)
        var response = SelectMergeSpanProfileResponse()
        if request.format == .tree {
            response.tree = tree(frames, limit: limit)
        } else {
            response.flamegraph =
                FlameLevels(FlameGraph(frames.byName(), maximumNodes: limit)).message
        }
        return response
    }

    private static func profile(
        _ request: SelectMergeProfileRequest, _ call: ConnectCall, _ services: Services
    ) throws(APIError) -> GoogleProfile {
        var stacks = SelectMergeStacktracesRequest()
        stacks.profileTypeID = request.profileTypeID
        stacks.labelSelector = request.labelSelector
        stacks.start = request.start
        stacks.end = request.end
        stacks.stackTraceSelector = request.stackTraceSelector
        stacks.profileIdSelector = request.profileIdSelector
        stacks.traceIdSelector = request.traceIdSelector
        let limit = try PyroscopeQuery.maximumNodes(request.maxNodes)
        let reading = try ProfileReading(call, services)
        let question = try StacksQuestion(stacks, reading)
        let merged = try question.merged(reading)
        let wanted = request.maxNodes ?? 0 > 0 ? limit : nil
        let frames =
            wanted == nil ? FrameTree() : merged.stacks.symbolized(by: services.symbols)
        return pprof(merged, frames, question, limit: wanted, services)
    }

    private static func diff(
        _ request: DiffRequest, _ call: ConnectCall, _ services: Services
    ) throws(APIError) -> DiffResponse {
        guard let left = request.left, let right = request.right else {
            throw APIError(
                .invalidArgument, "cannot compare: got one side or none; want left and right")
        }
        let reading = try ProfileReading(call, services)
        var response = DiffResponse()
        response.flamegraph = try levels(of: left, and: right, reading).diffMessage
        return response
    }

    /// The levels of two selections side by side.
    static func levels(
        of left: SelectMergeStacktracesRequest, and right: SelectMergeStacktracesRequest,
        _ reading: ProfileReading
    ) throws(APIError) -> FlameLevels {
        let limit = max(
            try PyroscopeQuery.maximumNodes(left.maxNodes),
            try PyroscopeQuery.maximumNodes(right.maxNodes))
        let questions = (
            try StacksQuestion(left, reading), try StacksQuestion(right, reading)
        )
        guard questions.0.selection.type == questions.1.selection.type else {
            throw APIError(
                .invalidArgument,
                "cannot compare: got the profile types \(questions.0.selection.type) and "
                    + "\(questions.1.selection.type); want one on both sides")
        }
        let symbols = reading.services.symbols
        let pair = StackPair(
            left: try questions.0.merged(reading).stacks.symbolized(by: symbols).byName(),
            right: try questions.1.merged(reading).stacks.symbolized(by: symbols).byName())
        return FlameLevels(FlameGraphDiff(pair, maximumNodes: limit))
    }

    private static func tree(_ frames: FrameTree, limit: Int) -> [UInt8] {
        let graph = FlameGraph(frames.byName(), maximumNodes: limit)
        return graph.total == 0 ? [] : PyroscopeTree.encode(graph.tree)
    }

    /// The stacks as pprof: all of them, or the largest nodes by name.
    private static func pprof(
        _ merged: MergedStacks, _ frames: FrameTree, _ question: StacksQuestion, limit: Int?,
        _ services: Services
    ) -> GoogleProfile {
        guard merged.profileCount > 0, merged.stacks.count > 1 else { return GoogleProfile() }
        guard let limit else {
            let lines = CallLines(merged.stacks, services)
            var document = PprofDocument(
                merged.stacks, question.description, names: lines.calls)
            if question.aggregatesCallees { document.aggregateCallees() }
            return GoogleProfile(document)
        }
        let graph = FlameGraph(frames, maximumNodes: limit)
        return GoogleProfile(PprofDocument(graph.tree, question.description))
    }
}
