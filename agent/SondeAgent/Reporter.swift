// SPDX-License-Identifier: Apache-2.0
// What the agent says about itself: its own cost, its losses, its problems.

internal import SondeLock
internal import SondeSampling
internal import SondeWire

/// Adds up what the agent's parts say about themselves.
final class Reporter: Sendable {
    /// The agent's threads, once they run.
    let threads = Locked<[AgentThread]>([])

    private let sampler: any StackSampler
    private let delivery: Delivery
    private let probes: ProbeKeeper
    private let ledger: Ledger
    private let processCPUAtStart: UInt64

    init(
        sampler: any StackSampler, delivery: Delivery, probes: ProbeKeeper, ledger: Ledger,
        processCPUAtStart: UInt64
    ) {
        self.sampler = sampler
        self.delivery = delivery
        self.probes = probes
        self.ledger = ledger
        self.processCPUAtStart = processCPUAtStart
    }

    /// A report as of now.
    func report() -> AgentReport {
        let statistics = sampler.statistics
        let threads = threads.withLock { $0 } + probes.threads
        var report = AgentReport()
        var cpu = SamplerState()
        cpu.enabled = statistics.enabled
        cpu.hertz = statistics.hertz
        cpu.samples = statistics.samples
        report.cpu = cpu
        report.ownCPUNanos = threads.reduce(statistics.ownCPUNanoseconds) {
            $0 &+ $1.cpuNanoseconds
        }
        let processCPU = Clock.processCPU
        report.processCPUNanos = processCPU - min(processCPUAtStart, processCPU)
        report.ownMemoryBytes =
            UInt64(clamping: statistics.memoryBytes) &+ UInt64(clamping: delivery.waiting.bytes)
            &+ UInt64(clamping: probes.waiting.bytes) &+ UInt64(threads.count * Self.threadBytes)
        report.losses =
            statistics.losses.map { Self.counter($0.reason, $0.count) }
            + ledger.losses.map { Self.counter($0.reason, $0.count) }
            + probes.losses.map { Self.counter($0.reason, $0.count) }
        report.problems = statistics.problems + ledger.problems
        report.profilesSent = ledger.profilesSent
        report.threads = UInt64(clamping: statistics.threads)
        report.probes = probes.reports
        return report
    }

    /// What a thread's touched stack and its connection hold, about.
    private static let threadBytes = 96 << 10

    private static func counter(_ reason: String, _ count: UInt64) -> Counter {
        var counter = Counter()
        counter.reason = reason
        counter.count = count
        return counter
    }
}
