// SPDX-License-Identifier: Apache-2.0
// How the sampler is doing: what it took, what it lost and what it costs.

/// How the sampler is doing, counted since it was started.
package struct SamplerStatistics: Hashable, Sendable {
    /// Samples that were not stored, or not where they belong, for one reason.
    package struct Loss: Hashable, Sendable {
        /// The reason: a word for machines that never changes its meaning, such as `ring_full`.
        package var reason: String
        /// How many samples.
        package var count: UInt64

        /// A loss from its parts.
        package init(reason: String, count: UInt64) {
            self.reason = reason
            self.count = count
        }
    }

    /// Whether timers are armed.
    package var enabled: Bool
    /// Samples per second of CPU time.
    package var hertz: Double
    /// The signal in use, such as `SIGPROF` or `SIGRTMIN+29`.
    package var signalName: String
    /// Samples taken.
    package var samples: UInt64
    /// CPU time that the samples stand for, in nanoseconds.
    package var sampledNanoseconds: UInt64
    /// Threads that have a timer now.
    package var threads: Int
    /// Losses by reason; reasons without a loss are left out.
    package var losses: [Loss]
    /// CPU time of the helper thread, in nanoseconds.
    package var helperNanoseconds: UInt64
    /// Time inside the signal handler, in nanoseconds.
    ///
    /// The kernel's part of a signal (about 1 us) is not in it.
    package var handlerNanoseconds: UInt64
    /// Memory that the sampler holds, in bytes; an upper bound of what is resident.
    package var memoryBytes: Int
    /// What is wrong now, in words; empty when all is well.
    package var problems: [String]

    /// The sampler's own CPU time: the helper thread and the handler, in nanoseconds.
    package var ownCPUNanoseconds: UInt64 {
        let (sum, overflow) = helperNanoseconds.addingReportingOverflow(handlerNanoseconds)
        return overflow ? .max : sum
    }
}
