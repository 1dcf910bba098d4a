// SPDX-License-Identifier: Apache-2.0
// Which stacks a procedure or an endpoint of Pyroscope asks for, and what was found.

internal import SondeFormats
internal import SondeModel
internal import SondeQuery
internal import SondeStore

/// Which stacks are asked for, in which procedure's words ever.
struct StacksQuestion: Sendable {
    var selector: Selector
    var selection: ProfileSelection
    /// How many locations from the leaf on are kept; 0 keeps all.
    var keepsLeaves = 0
    /// Whether a pprof forgets where the innermost functions were.
    var aggregatesCallees = false

    /// Reads a request.
    ///
    /// - Parameters:
    ///   - request: The request.
    ///   - reading: Who asks.
    /// - Throws: ``APIError`` that says which part cannot be read.
    init(
        _ request: SelectMergeStacktracesRequest, _ reading: ProfileReading
    ) throws(APIError) {
        let type = try PyroscopeQuery.type(request.profileTypeID)
        let range = try PyroscopeQuery.range(request.start, request.end)
        selector = try PyroscopeQuery.selector(request.labelSelector)
        selection = reading.selection(type, in: range, [selector])
        selection.profileIDs = try PyroscopeQuery.ids(
            request.profileIdSelector, "profile id", want: "a UUID", ProfileID.init(_:))
        selection.traces = try PyroscopeQuery.ids(
            request.traceIdSelector, "trace id", want: "32 hexadecimal digits", TraceID.init(_:))
        selection.spans = try PyroscopeQuery.ids(
            request.spanSelector, "span id", want: "16 hexadecimal digits", SpanID.init(_:))
        guard selection.spans == nil || selection.traces == nil else {
            throw APIError(
                .invalidArgument,
                "cannot select stacks: got span_selector and trace_id_selector; want one of them")
        }
        selection.stacks = try PyroscopeQuery.stacks(
            request.stackTraceSelector, reading.services)
        if let goPGO = request.stackTraceSelector?.goPgo {
            keepsLeaves = Int(goPGO.keepLocations)
            aggregatesCallees = goPGO.aggregateCallees
        }
    }

    /// The stacks by address.
    func merged(_ reading: ProfileReading) throws(APIError) -> MergedStacks {
        var merged = try reading.merge(selection, [selector])
        if keepsLeaves > 0 { merged.stacks = merged.stacks.keepingLeaves(keepsLeaves) }
        return merged
    }

    /// What a pprof of the stacks says about itself.
    var description: PprofDocument.Description {
        let range = selection.range
        let milliseconds = range.until.unixMilliseconds - range.from.unixMilliseconds
        let (length, overflow) = milliseconds.multipliedReportingOverflow(by: 1_000_000)
        return PprofDocument.Description(
            type: selection.type, start: Timestamp(unixMilliseconds: range.until.unixMilliseconds),
            durationNanoseconds: overflow ? .max : length, period: Self.period(selection.type))
    }

    /// The period that Pyroscope's own answers name.
    private static func period(_ type: ProfileType) -> Int64 {
        switch type.name {
        case "process_cpu": 1_000_000_000
        case "memory": 524_288
        default: 1
        }
    }
}

extension FlameLevels {
    /// The levels as the message that procedures answer.
    var message: FlameGraphMessage {
        var message = FlameGraphMessage()
        message.names = names
        message.levels = levelMessages
        message.total = total
        message.maxSelf = largestSelf
        return message
    }

    /// The levels of two flame graphs as the message that `Diff` answers.
    var diffMessage: FlameGraphDiffMessage {
        var message = FlameGraphDiffMessage()
        message.names = names
        message.levels = levelMessages
        message.total = total
        message.maxSelf = largestSelf
        message.leftTicks = leftTotal
        message.rightTicks = rightTotal
        return message
    }

    private var levelMessages: [LevelMessage] {
        levels.map { values in
            var level = LevelMessage()
            level.values = values
            return level
        }
    }
}
