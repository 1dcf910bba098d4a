// SPDX-License-Identifier: Apache-2.0
// What the agent needs of a sampler, so that tests can give it one that does not sample.

internal import SondeSampling

/// A source of CPU profiles.
protocol StackSampler: Sendable {
    /// Changes rate and state while threads are being sampled.
    func configure(enabled: Bool, hertz: Double)
    /// Ends sampling; what was sampled can still be collected.
    func stop()
    /// Lets the calling thread be sampled, also when it blocks all signals.
    func admitCallingThread()
    /// Takes what was sampled since the last call.
    func collect() -> CPUProfile
    /// How the sampler is doing.
    var statistics: SamplerStatistics { get }
}

extension CPUSampler: StackSampler {}
