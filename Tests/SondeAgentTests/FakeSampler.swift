// SPDX-License-Identifier: Apache-2.0
// A sampler that hands over what a test gave it, and an agent around it that is in a hurry.

import Foundation
import SondeModel
import SondeTestServer
import SondeWire
import Synchronization

@testable import SondeAgent
@testable import SondeSampling

/// A sampler that does not sample: each collection holds one stack, marked by its number.
final class FakeSampler: StackSampler {
    struct State {
        var enabled = true
        var hertz = 100.0
        var collections: Int64 = 0
        var isStopped = false
        var isIdle = false
    }

    private let state = Mutex(State())

    /// What the sampler was told, and what it did.
    var current: State { state.withLock { $0 } }

    /// Makes every later collection empty.
    func rest() { state.withLock { $0.isIdle = true } }

    func configure(enabled: Bool, hertz: Double) {
        state.withLock { state in
            state.enabled = enabled
            state.hertz = hertz
        }
    }

    func stop() { state.withLock { $0.isStopped = true } }

    func admitCallingThread() {}

    func collect() -> CPUProfile {
        let (number, isIdle) = state.withLock { state in
            if !state.isIdle { state.collections += 1 }
            return (state.collections, state.isIdle)
        }
        let stack = CPUStack(
            frames: [RuntimeAddress(0x1010), RuntimeAddress(0x2020)],
            nanoseconds: number * 10_000_000)
        return CPUProfile(
            start: Timestamp(unixNanoseconds: number), durationNanoseconds: 1,
            periodNanoseconds: 10_000_000, stacks: isIdle ? [] : [stack])
    }

    var statistics: SamplerStatistics {
        let state = state.withLock { $0 }
        return SamplerStatistics(
            enabled: state.enabled, hertz: state.hertz, signalName: "SIGFAKE", samples: 7,
            sampledNanoseconds: 0, threads: 3,
            losses: [SamplerStatistics.Loss(reason: "ring_full", count: 2)],
            helperNanoseconds: 1000, handlerNanoseconds: 500, memoryBytes: 4096,
            problems: ["a problem of the sampler"])
    }
}

/// An agent with a fake sampler whose intervals and waits are milliseconds.
struct HurriedAgent {
    let agent: Agent
    let sampler = FakeSampler()
    let patcher: FakeTextPatcher

    init(
        _ url: String, images: ImageCatalog = .empty, patcher: FakeTextPatcher = FakeTextPatcher(),
        adjust: (inout AgentSettings) -> Void = { _ in }
    ) throws {
        self.patcher = patcher
        var settings = try AgentSettings(
            Sonde.Configuration(
                service: "tested", version: "1.0", url: url, token: "agent-token",
                labels: ["region": "eu"])
        ) { _ in nil }
        settings.interval = 0.02
        settings.pace = Pace(
            firstRetry: 0.01, longestRetry: 0.05, noControl: 0.1, pushTimeout: 15, pollGrace: 0.4,
            quietPoll: 0.02, logBatch: 0.02, probeDrain: 0.005)
        settings.probes.runtimeFolder =
            FileManager.default.temporaryDirectory
            .appendingPathComponent("sonde-agent-tests-\(getpid())").path
        adjust(&settings)
        agent = try Agent(
            settings, sampler: sampler, images: images, clients: Clients(settings),
            patcher: { patcher })
    }

    /// Gives a server up that hangs, soon; but not one that a busy machine is slow to run, since what
    /// is sent again then arrives twice.
    static func impatient(_ settings: inout AgentSettings) { settings.pace.pushTimeout = 3 }

    /// Runs the agent for the time of a test.
    func use(_ body: (HurriedAgent) throws -> Void) rethrows {
        defer { agent.stop(within: 1) }
        try body(self)
    }

    var losses: [String: UInt64] {
        // The process's own counter is no agent's.
        let losses = agent.report.losses.filter { $0.reason != "traceparents_invalid" }
        return Dictionary(uniqueKeysWithValues: losses.map { ($0.reason, $0.count) })
    }
}

extension ImageCatalog {
    /// A catalog without images.
    static var empty: ImageCatalog { ImageCatalog(reading: { [] }, changes: { 1 }) }
}
