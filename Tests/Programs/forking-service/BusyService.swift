// SPDX-License-Identifier: Apache-2.0
// Threads that use the agent without pause, so that forks find its locks held.

import Glibc
import SondeAgent
import Synchronization

/// A service whose threads keep the agent busy.
final class BusyService: Sendable {
    private let sonde: Sonde
    private let configuration: Sonde.Configuration
    private let restarts: Bool
    private let isEnding = Atomic<Bool>(false)
    private let doneRounds = Atomic<Int>(0)
    private let liveThreads = Atomic<Int>(0)

    /// A service that does not run yet.
    ///
    /// - Parameters:
    ///   - sonde: The agent that it uses.
    ///   - configuration: The agent's configuration.
    ///   - restarts: Whether agents are also stopped and started again, which delivers a profile
    ///     each time.
    init(_ sonde: Sonde, _ configuration: Sonde.Configuration, restarts: Bool) {
        self.sonde = sonde
        self.configuration = configuration
        self.restarts = restarts
    }

    /// Calls of the agent so far.
    var rounds: Int { doneRounds.load(ordering: .relaxed) }

    /// Starts the threads.
    func begin() {
        for _ in 0..<2 {
            thread { service in _ = service.sonde.status }
        }
        thread { service in
            // A second start with equal settings takes the lock of the process's one agent.
            guard let agent = try? Sonde.start(service.configuration) else { return }
            _ = agent.status
            if service.restarts { agent.stop() }
        }
    }

    /// Ends the threads and waits for them.
    func end() {
        isEnding.store(true, ordering: .releasing)
        while liveThreads.load(ordering: .acquiring) > 0 { poll(nil, 0, 5) }
    }

    private func thread(_ round: @escaping @Sendable (BusyService) -> Void) {
        final class Body: Sendable {
            let run: @Sendable () -> Void
            init(_ run: @escaping @Sendable () -> Void) { self.run = run }
        }
        // Acquire and release; pairs with the load in `end`.
        liveThreads.add(1, ordering: .acquiringAndReleasing)
        let body = Body {
            while !self.isEnding.load(ordering: .acquiring) {
                round(self)
                self.doneRounds.add(1, ordering: .relaxed)
            }
            self.liveThreads.subtract(1, ordering: .acquiringAndReleasing)
        }
        var thread = pthread_t()
        // Safety: balanced by the thread's takeRetainedValue.
        let context = Unmanaged.passRetained(body).toOpaque()
        let status = pthread_create(
            &thread, nil,
            { context in
                if let context { Unmanaged<Body>.fromOpaque(context).takeRetainedValue().run() }
                return nil
            }, context)
        guard status == 0 else {
            print("cannot start a thread: \(status)")
            exit(1)
        }
        pthread_detach(thread)
    }
}
