// SPDX-License-Identifier: Apache-2.0
// Everything of the sampler that changes, behind the sampler's lock: draining and collecting.

internal import CSondeSignal
internal import SondeModel

/// The sampler's state; its methods run on one thread at a time.
struct SamplerState {
    /// A sample that stands for at least this many periods, and at least a second, comes from a
    /// thread that blocked the signal: its stack is that of the moment it stopped doing so.
    static let delayedPeriods: UInt32 = 100
    /// See ``delayedPeriods``.
    static let delayedNanoseconds: UInt64 = 1_000_000_000

    /// Whether timers are armed.
    var enabled: Bool
    /// Nanoseconds of CPU time between samples.
    var period: UInt32
    /// The signal in use.
    var signal: Int32
    /// The threads and their timers.
    var threads: ThreadRegistry
    /// What was sampled since the last collection.
    var stacks: StackAggregator
    /// What the helper does and when it did it last.
    var rounds = HelperRounds()
    /// How often another handler took our signal.
    var replacedSignals = 0
    /// Whether no signal is left to use.
    var isOutOfSignals = false
    /// Whether everything was disarmed for good.
    var isStopped = false
    /// Samples that came late because their thread blocked the signal.
    var delayedSamples: UInt64 = 0
    /// The helper thread's CPU time when it ended, in nanoseconds.
    var endedHelperNanoseconds: UInt64 = 0

    /// The last account, once everything has ended.
    private(set) var finalStatistics: SamplerStatistics?

    private var periodStartWall: Int64
    private var periodStartMonotonic: Int64
    private var droppedBefore: UInt64 = 0

    /// The state of a sampler whose handler was just installed.
    init(_ configuration: CPUSampler.Configuration, signal: Int32, maxThreads: UInt32) {
        enabled = configuration.enabled
        period = Self.period(hertz: configuration.hertz) ?? 10_000_000
        self.signal = signal
        threads = ThreadRegistry(maxThreads: maxThreads, seed: sonde_ticks())
        stacks = StackAggregator(maxStacks: configuration.maxDistinctStacks)
        periodStartWall = sonde_wall_ns()
        periodStartMonotonic = sonde_monotonic_ns()
    }

    /// The period of a rate, which is clamped to 1...1000 Hz; `nil` when it is not a number.
    static func period(hertz: Double) -> UInt32? {
        guard !hertz.isNaN else { return nil }
        return UInt32(1e9 / min(max(hertz, 1), 1000))
    }

    /// Moves every sample from the rings into the table.
    ///
    /// - Returns: How many there were.
    @discardableResult
    mutating func drain() -> Int {
        var drained = 0
        var sample = sonde_sample()
        for shard in 0..<sonde_shards() {
            // Bounded by what a ring can hold, so that a fast producer cannot keep us here.
            var left = Int(SONDE_RING_WORDS) / 4
            while left > 0, sonde_ring_peek(shard, &sample) != 0 {
                add(sample)
                sonde_ring_consume(shard)
                drained += 1
                left -= 1
            }
        }
        return drained
    }

    /// Hands over what was sampled and begins a new period.
    mutating func collect() -> CPUProfile {
        // After the end the handler's state may be another sampler's.
        if !isStopped {
            drain()
            addDropped()
        }
        let wall = sonde_wall_ns()
        let monotonic = sonde_monotonic_ns()
        let profile = CPUProfile(
            start: Timestamp(unixNanoseconds: periodStartWall),
            durationNanoseconds: max(0, monotonic &- periodStartMonotonic),
            periodNanoseconds: Int64(period), stacks: stacks.stacks())
        stacks.removeAll()
        periodStartWall = wall
        periodStartMonotonic = monotonic
        return profile
    }

    /// Takes the last samples, after the signal was given back.
    mutating func finish(helperNanoseconds: UInt64, base: TickBase) {
        drain()
        addDropped()
        finalStatistics = statistics(helperNanoseconds: helperNanoseconds, base: base)
    }

    private mutating func addDropped() {
        let dropped = Self.sum(
            sonde_lost_ns(SONDE_LOSS_RING_FULL), sonde_lost_ns(SONDE_LOSS_RING_BUSY))
        let newlyDropped = dropped >= droppedBefore ? dropped - droppedBefore : 0
        stacks.add(Int64(clamping: newlyDropped), to: .dropped)
        droppedBefore = dropped
    }

    private mutating func add(_ sample: sonde_sample) {
        // Safety: the ring keeps `depth` frames in place until the sample is consumed, and the
        // handler wrote no more of them than SONDE_MAX_DEPTH.
        let depth = min(Int(sample.depth), Int(SONDE_MAX_DEPTH))
        let frames = UnsafeBufferPointer(start: sample.frames, count: depth)
        var weight = Int64(clamping: sample.weight_ns)
        if sample.periods >= Self.delayedPeriods, sample.weight_ns >= Self.delayedNanoseconds {
            let one = weight / Int64(sample.periods)
            stacks.add(weight - one, to: .signalBlocked)
            weight = one
            delayedSamples &+= UInt64(sample.periods)
        }
        let isTruncated =
            sample.end == SONDE_SIG_END_DEPTH.rawValue
            || sample.end == SONDE_SIG_END_NO_READER.rawValue
        stacks.add(weight, to: frames, isTruncated: isTruncated)
    }

    private static func sum(_ left: UInt64, _ right: UInt64) -> UInt64 {
        let (sum, overflow) = left.addingReportingOverflow(right)
        return overflow ? .max : sum
    }
}
