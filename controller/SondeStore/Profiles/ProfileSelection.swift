// SPDX-License-Identifier: Apache-2.0
// Which profiles a question is about, and how much it may cost.

package import SondeModel

/// Which profiles a question is about.
package struct ProfileSelection: Sendable {
    /// What is counted.
    package var type: ProfileType
    /// When profiles begin; both ends belong to it.
    package var range: TimeRange
    /// Which series; asked once for each series of each day.
    package var matches: @Sendable (LabelSet) -> Bool
    /// Only these profiles; `nil` means all.
    package var profileIDs: Set<ProfileID>?
    /// Only the parts of profiles that belong to these spans.
    package var spans: Set<SpanID>?
    /// Only the parts of profiles that belong to spans of these traces.
    package var traces: Set<TraceID>?
    /// Only these stacks.
    package var stacks: StackFilter?

    /// The profiles of a type that begin in a range.
    ///
    /// - Parameters:
    ///   - type: What is counted.
    ///   - range: When profiles begin.
    ///   - matches: Which series.
    package init(
        _ type: ProfileType, in range: TimeRange,
        where matches: @escaping @Sendable (LabelSet) -> Bool = { _ in true }
    ) {
        self.type = type
        self.range = range
        self.matches = matches
    }
}

/// Chooses stacks by their nodes: given a tree, whether a value at each of its nodes counts.
///
/// Asked once for each interned tree that a question touches; the values in it mean nothing. It
/// answers one for each node; nodes that it does not answer for do not count.
package typealias StackFilter = @Sendable (LocationTree) -> [Bool]

/// How much a question may cost.
package struct Reading: Sendable {
    /// Whether the one who asked is gone; asked often, from the thread that reads.
    package var isCancelled: @Sendable () -> Bool
    /// When the answer is wanted at the latest; `nil` means whenever it is ready.
    package var deadline: ContinuousClock.Instant?
    /// The most nodes of stack trees that are held to answer.
    package var maximumNodes: Int

    /// Bounds of a question.
    ///
    /// - Parameters:
    ///   - isCancelled: Whether the one who asked is gone.
    ///   - deadline: When the answer is wanted at the latest.
    ///   - maximumNodes: The most nodes of stack trees that are held to answer.
    package init(
        isCancelled: @escaping @Sendable () -> Bool = { false },
        deadline: ContinuousClock.Instant? = nil, maximumNodes: Int = 20_000_000
    ) {
        self.isCancelled = isCancelled
        self.deadline = deadline
        self.maximumNodes = maximumNodes
    }

    /// Throws when nobody waits for the answer any more, or when it took too long.
    func check() throws(StoreError) {
        guard !isCancelled() else {
            throw StoreError(
                .cancelled, "cannot read profiles: who asked is gone; want a client that waits")
        }
        guard let deadline, ContinuousClock.now > deadline else { return }
        throw StoreError(
            .exhausted,
            "cannot read profiles: it takes longer than allowed; want a shorter range, fewer series "
                + "or more time")
    }

    /// Throws when an answer needs more nodes than allowed.
    func check(nodes: Int) throws(StoreError) {
        guard nodes <= maximumNodes else {
            throw StoreError(
                .exhausted,
                "cannot read profiles: their stack trees have \(nodes) nodes or more; want at most "
                    + "\(maximumNodes), by fewer series or a shorter range")
        }
    }
}
