// SPDX-License-Identifier: Apache-2.0
// The one agent of this process, also where a fork took the lock away.

internal import Glibc
internal import SondeLock
internal import Synchronization

/// The agent that was started last in this process.
///
/// A plain mutex would stay locked for ever in a child whose parent forked while another thread
/// held it. Here the lock is the holder's process number, so a child sees that the holder is gone.
enum CurrentAgent {
    private static let holder = Atomic<Int32>(0)
    private static let storage = Storage()

    /// @unchecked Sendable: only touched by the thread that holds the lock.
    private final class Storage: @unchecked Sendable {
        var process: pid_t = 0
        var sonde: Sonde?
    }

    /// Runs `body` with the current agent, which it may replace; one thread at a time.
    static func withLock<Failure: Error>(
        _ body: (inout Sonde?) throws(Failure) -> Sonde
    ) throws(Failure) -> Sonde {
        let process = getpid()
        while true {
            // Acquire; pairs with the release below.
            let (isOurs, found) = holder.compareExchange(
                expected: 0, desired: process, ordering: .acquiring)
            if isOurs { break }
            if found != process,
                holder.compareExchange(expected: found, desired: process, ordering: .acquiring)
                    .exchanged
            {
                break
            }
            ForkGate.rest { _ = usleep(1000) }
        }
        defer { holder.store(0, ordering: .releasing) }
        if storage.process != process {
            // The parent's agent has no threads here; it is left alone, locks and all.
            if let inherited = storage.sonde { _ = Unmanaged.passRetained(inherited) }
            storage.sonde = nil
            storage.process = process
        }
        return try body(&storage.sonde)
    }

    /// The agent that was started last in this process, if nobody is just starting one.
    static var ifIdle: Sonde? {
        guard
            holder.compareExchange(expected: 0, desired: getpid(), ordering: .acquiring).exchanged
        else { return nil }
        defer { holder.store(0, ordering: .releasing) }
        return storage.process == getpid() ? storage.sonde : nil
    }
}

/// Delivers the last profile when the process ends.
enum ProcessEnd {
    /// The most that the end of the process is delayed, in seconds.
    static let longestDelay = 0.9

    private static let isWatching = Atomic<Bool>(false)

    /// Makes `exit` stop the agent.
    ///
    /// Called after libcurl has started: handlers run in reverse order, so the agent has left
    /// OpenSSL before OpenSSL cleans up.
    static func watch() {
        guard !isWatching.exchange(true, ordering: .acquiringAndReleasing) else { return }
        atexit { CurrentAgent.ifIdle?.stop(within: ProcessEnd.longestDelay) }
    }
}

/// The agent of `libsonde.so`, which has its own copy of this module.
enum PreloadedAgent {
    /// Whether `libsonde.so` is preloaded and has an agent in this process, or is starting one.
    static var isActive: Bool {
        // The main program and what was loaded with it: RTLD_DEFAULT is a null handle.
        guard let symbol = dlsym(nil, "sonde_preload_is_active") else { return false }
        typealias Function = @convention(c) () -> Int32
        // Safety: libsonde.so exports this name with exactly this type.
        return unsafeBitCast(symbol, to: Function.self)() != 0
    }
}
