// SPDX-License-Identifier: Apache-2.0
// The sampler as the agent uses it: start, configure, collect, stop.

internal import Glibc
internal import SondeModel

/// Samples the stacks of all threads of this process by the CPU time they use.
///
/// Every thread, old and new, gets a timer on its own CPU clock; idle threads are not woken. A
/// thread whose timer fires walks its own stack in a signal handler and goes on; a helper thread
/// adds the stacks up until ``collect()`` takes them. Nothing here traps, prints or exits.
///
/// In a child of `fork` the sampler is inert: every method returns at once and samples nothing.
package final class CPUSampler: Sendable {
    /// How to sample.
    package struct Configuration: Hashable, Sendable {
        /// Samples per second of CPU time, for each thread; clamped to 1...1000.
        package var hertz: Double = 100
        /// Whether timers are armed at once.
        package var enabled = true
        /// The most frames of one stack, 1...512; deeper stacks are cut at the root's end.
        package var maxDepth = 512
        /// The most distinct stacks between two calls of ``CPUSampler/collect()``; the weight of
        /// any others goes to one entry of kind ``CPUStack/Kind/tooManyStacks``.
        package var maxDistinctStacks = 16_384

        /// The defaults.
        package init() {}
    }

    /// Installs the signal handler and starts the helper thread.
    ///
    /// SIGPROF is used when nobody owns it, otherwise a free real-time signal.
    ///
    /// - Throws: ``SamplingError`` when a sampler already runs or the system refuses what it needs.
    package init(_ configuration: Configuration = Configuration()) throws(SamplingError) {
        throw SamplingError(
            .systemRefused, "cannot start the sampler: got no implementation; want one")
    }

    /// Changes rate and state while threads are being sampled.
    ///
    /// What was sampled before keeps its weight. `hertz` is clamped to 1...1000; not a number
    /// leaves the rate as it is.
    package func configure(enabled: Bool, hertz: Double) {}

    /// Disarms every timer and ends the helper thread.
    ///
    /// Returns when nothing of the sampler runs any more. What was sampled and not yet collected
    /// can still be collected. Calling it again does nothing.
    package func stop() {}

    /// Takes what was sampled since the last call, or since the start.
    ///
    /// One caller at a time; a second one waits.
    package func collect() -> CPUProfile {
        CPUProfile(
            start: Timestamp(unixNanoseconds: 0), durationNanoseconds: 0, periodNanoseconds: 0,
            stacks: [])
    }

    /// How the sampler is doing.
    package var statistics: SamplerStatistics {
        SamplerStatistics(
            enabled: false, hertz: 0, signalName: "", samples: 0, sampledNanoseconds: 0,
            threads: 0, losses: [], helperNanoseconds: 0, handlerNanoseconds: 0, memoryBytes: 0,
            problems: [])
    }
}
