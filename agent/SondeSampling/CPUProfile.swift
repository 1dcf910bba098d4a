// SPDX-License-Identifier: Apache-2.0
// What the sampler hands over: stacks by runtime address and the CPU time that each stands for.

package import SondeModel

/// The CPU time of one stretch of time, by stack.
package struct CPUProfile: Sendable {
    /// When the stretch began.
    package var start: Timestamp
    /// How long it lasted, by the monotonic clock.
    package var durationNanoseconds: Int64
    /// CPU time between two samples of a thread, as configured when the stretch ended.
    ///
    /// Weights are true even when it changed in between: each sample carries the period it was
    /// taken with.
    package var periodNanoseconds: Int64
    /// Distinct stacks, in no particular order.
    package var stacks: [CPUStack]

    /// A profile from its parts.
    package init(
        start: Timestamp, durationNanoseconds: Int64, periodNanoseconds: Int64, stacks: [CPUStack]
    ) {
        self.start = start
        self.durationNanoseconds = durationNanoseconds
        self.periodNanoseconds = periodNanoseconds
        self.stacks = stacks
    }
}

/// One distinct stack and the CPU time it stands for.
package struct CPUStack: Hashable, Sendable {
    /// What an entry of a profile stands for.
    package enum Kind: String, Hashable, Sendable {
        /// A stack that was captured; `frames` has at least one entry.
        case captured
        /// Samples whose stacks were too many for the period's limit; `frames` is empty.
        case tooManyStacks
        /// Samples that were taken but found no room to be stored; `frames` is empty.
        case dropped
        /// CPU time that a thread spent while it blocked the signal, so that nobody knows where;
        /// `frames` is empty.
        case signalBlocked
    }

    /// What this entry stands for; the sum over all kinds is the CPU time that was sampled.
    package var kind: Kind
    /// Runtime addresses, leaf first.
    ///
    /// `frames[0]` is a program counter; the others are return addresses minus one, so that each
    /// lies inside its call instruction.
    package var frames: [RuntimeAddress]
    /// CPU time, in nanoseconds.
    package var nanoseconds: Int64
    /// Whether frames are missing at the root's end: the stack was deeper than the limit, or its
    /// memory could not be read.
    package var isTruncated: Bool

    /// A stack from its parts.
    package init(
        kind: Kind = .captured, frames: [RuntimeAddress], nanoseconds: Int64,
        isTruncated: Bool = false
    ) {
        self.kind = kind
        self.frames = frames
        self.nanoseconds = nanoseconds
        self.isTruncated = isTruncated
    }
}
