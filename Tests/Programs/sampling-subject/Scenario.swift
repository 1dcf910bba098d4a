// SPDX-License-Identifier: Apache-2.0
// The scenarios by name, and what they have in common.

import CSamplingSubject
import Glibc
import SondeModel
import SondeSampling

/// Prints one fact for the test to read.
func report(_ key: String, _ value: some CustomStringConvertible) { print(key, value) }

/// The scenarios.
enum Scenario {
    static let all: [String: @Sendable ([String]) throws -> Void] = [
        "accuracy": accuracy, "rates": rateChange, "idle": idleThreads, "short": shortThreads,
        "wild": wildFramePointers, "fibers": fibers, "small-stacks": smallStacks,
        "alternate": alternateStack, "deep": deepStacks, "many-stacks": manyStacks,
        "churn": churn, "fork": forkAndSampleAgain, "exec": execWhileSampled,
        "dlopen": loadAndUnload, "owned": ownedSignal, "replaced": replacedSignal,
        "dropped-handler": droppedHandler, "blocked": blockedSignal, "stop": stopLeavesNothing,
        "restart": stopAndStartAgain, "seccomp": forbiddenReads, "manners": manners,
        "images": images, "loader": forkWhileImagesAreRead, "dispatch": dispatchWorkers,
        "limits": limits,
    ]

    /// A sampler with a rate.
    static func sampler(hertz: Double, depth: Int = 512) throws -> CPUSampler {
        var configuration = CPUSampler.Configuration()
        configuration.hertz = hertz
        configuration.maxDepth = depth
        return try CPUSampler(configuration)
    }

    /// Runs a body on threads of their own and waits for all of them.
    static func onThreads(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
        let threads = (0..<count).map { index in startThread { body(index) } }
        for thread in threads { pthread_join(thread, nil) }
    }

    /// Starts a thread.
    static func startThread(_ body: @escaping @Sendable () -> Void) -> pthread_t {
        final class Body: Sendable {
            let run: @Sendable () -> Void
            init(_ run: @escaping @Sendable () -> Void) { self.run = run }
        }
        var thread = pthread_t()
        // Safety: balanced by the thread's takeRetainedValue.
        let context = Unmanaged.passRetained(Body(body)).toOpaque()
        let status = pthread_create(
            &thread, nil,
            { context in
                if let context { Unmanaged<Body>.fromOpaque(context).takeRetainedValue().run() }
                return nil
            }, context)
        guard status == 0 else {
            report("error", "pthread_create: \(status)")
            exit(1)
        }
        return thread
    }

    /// Polls until a condition holds, at most for ten seconds.
    static func waitUntil(_ condition: () -> Bool) -> Bool {
        for _ in 0..<1000 {
            if condition() { return true }
            poll(nil, 0, 10)
        }
        return condition()
    }

    /// The sum of a profile's weights.
    static func total(_ profile: CPUProfile) -> Int64 {
        profile.stacks.reduce(0) { $0 + $1.nanoseconds }
    }

    /// The CPU time of stacks whose leaf lies in burn function 1, 2 or 3.
    static func leafTime(_ profile: CPUProfile, burn which: Int32) -> Int64 {
        var start: UInt64 = 0
        var limit: UInt64 = 0
        subject_burn_range(which, &start, &limit)
        return profile.stacks.reduce(0) { sum, stack in
            guard let leaf = stack.frames.first?.rawValue, (start..<limit).contains(leaf)
            else { return sum }
            return sum + stack.nanoseconds
        }
    }

    /// Prints a sampler's account.
    static func account(_ statistics: SamplerStatistics) {
        report("samples", statistics.samples)
        report("sampled", statistics.sampledNanoseconds)
        report("threads", statistics.threads)
        report("signal", statistics.signalName)
        report("helper", statistics.helperNanoseconds)
        report("handler", statistics.handlerNanoseconds)
        report("memory", statistics.memoryBytes)
        for loss in statistics.losses {
            report("loss.\(loss.reason)", loss.count)
        }
        if !statistics.problems.isEmpty {
            report("problems", statistics.problems.joined(separator: "; "))
        }
    }
}
