// SPDX-License-Identifier: Apache-2.0
// What the procedures of QuerierService have in common: ranges, types, selectors, ids, limits.

internal import SondeModel
internal import SondeQuery
internal import SondeStore

/// Reads the parts that requests of QuerierService have in common.
enum PyroscopeQuery {
    /// What counts where a request does not say how many nodes it wants.
    static let defaultMaximumNodes = 8192
    /// The most points of one series, and the most slots of a heatmap.
    static let maximumPoints: Int64 = 100_000

    /// Reads a range in Unix milliseconds, both ends included.
    static func range(_ start: Int64, _ end: Int64) throws(APIError) -> TimeRange {
        guard start > 0, end > 0 else {
            throw APIError(
                .invalidArgument,
                "cannot read time range: got start \(start) and end \(end), "
                    + "a missing time range; want Unix milliseconds")
        }
        // Profiles begin at nanoseconds, so the last millisecond is meant as a whole.
        let last = Timestamp(unixMilliseconds: end).advanced(byNanoseconds: 999_999)
        guard let range = TimeRange(from: Timestamp(unixMilliseconds: start), until: last) else {
            throw APIError(
                .invalidArgument,
                "cannot read time range: got start \(start) after end \(end); "
                    + "want start before end")
        }
        return range
    }

    /// Reads a range that may be left out: both ends 0 are the last hour.
    static func range(
        _ start: Int64, _ end: Int64, orLastHourBefore now: Timestamp
    ) throws(APIError) -> TimeRange {
        guard start == 0, end == 0 else { return try range(start, end) }
        let milliseconds = now.unixMilliseconds
        return try range(milliseconds - 3_600_000, milliseconds)
    }

    /// Reads a profile type's id.
    static func type(_ text: String) throws(APIError) -> ProfileType {
        guard let type = ProfileType(text) else {
            throw APIError(
                .invalidArgument,
                "cannot read profile type: got \(text.quotedForMessage); "
                    + "want five parts such as \(ProfileType.cpu)")
        }
        return type
    }

    /// Reads a selector; nothing means everything.
    static func selector(_ text: String) throws(APIError) -> Selector {
        do throws(QueryError) { return try Selector(text) } catch { throw APIError(error) }
    }

    /// Reads selectors, all of which have to hold.
    static func selectors(_ texts: [String]) throws(APIError) -> [Selector] {
        var selectors: [Selector] = []
        for text in texts { selectors.append(try selector(text)) }
        return selectors
    }

    /// Reads how many nodes are wanted; absent and 0 are the default.
    static func maximumNodes(_ count: Int64?) throws(APIError) -> Int {
        let count = count ?? 0
        guard (0...Int64(FlameGraph.largestMaximumNodes)).contains(count) else {
            throw APIError(
                .invalidArgument,
                "cannot read max_nodes: got \(count); want 0...\(FlameGraph.largestMaximumNodes)")
        }
        return count == 0 ? defaultMaximumNodes : Int(count)
    }

    /// Reads ids; `nil` when there are none.
    static func ids<ID: Hashable>(
        _ texts: [String], _ what: String, want: String, _ read: (String) -> ID?
    ) throws(APIError) -> Set<ID>? {
        guard !texts.isEmpty else { return nil }
        var ids: Set<ID> = []
        for text in texts {
            guard let id = read(text) else {
                throw APIError(
                    .invalidArgument,
                    "cannot read \(what): got \(text.quotedForMessage); want \(want)")
            }
            ids.insert(id)
        }
        return ids
    }

    /// Reads a step in seconds, as nanoseconds.
    static func step(_ seconds: Double) throws(APIError) -> Int64 {
        guard seconds >= 0.001, seconds <= 1e9 else {
            throw APIError(
                .invalidArgument,
                "cannot read step: got \(seconds) s; want at least 0.001")
        }
        return Int64((seconds * 1000).rounded()) * 1_000_000
    }

    /// How many steps follow the first one of a range.
    ///
    /// - Parameters:
    ///   - step: The length of a step, in nanoseconds.
    ///   - range: The range.
    /// - Throws: ``APIError`` when there are too many.
    /// - Returns: Their number, less than ``maximumPoints``.
    static func steps(of step: Int64, in range: TimeRange) throws(APIError) -> Int64 {
        let length = range.until.unixMilliseconds - range.from.unixMilliseconds
        let count = length / (step / 1_000_000)
        guard count < maximumPoints else {
            throw APIError(
                .invalidArgument,
                "cannot read step: got \(step / 1_000_000) ms, which gives \(count) points; "
                    + "want at most \(maximumPoints)")
        }
        return count
    }

    /// Reads how many series are wanted; absent and 0 are all.
    static func limit(_ count: Int64?) throws(APIError) -> Int {
        let count = count ?? 0
        guard count >= 0 else {
            throw APIError(
                .invalidArgument, "cannot read limit: got \(count); want 0 or more")
        }
        return count == 0 ? .max : Int(count)
    }

    /// Reads a stack trace selector; `nil` when all stacks count.
    static func stacks(
        _ selector: StackTraceSelectorMessage?, _ services: Services
    ) throws(APIError) -> StackFilter? {
        guard let selector, !selector.callSite.isEmpty else { return nil }
        guard selector.callSite.count <= StackChoice.maximumCallSite else {
            throw APIError(
                .invalidArgument,
                "cannot read call_site: got \(selector.callSite.count) functions; "
                    + "want at most \(StackChoice.maximumCallSite)")
        }
        return StackChoice.beginning(with: selector.callSite.map(\.name), services.symbols)
    }
}

extension LabelSet {
    /// The labels as messages have them.
    var messages: [LabelPairMessage] {
        labels.map { label in
            var message = LabelPairMessage()
            message.name = label.name
            message.value = label.value
            return message
        }
    }
}

extension ProfileSeries {
    /// A text by which series are sorted.
    var sortKey: String {
        labels.sortKey + type.description
    }
}
