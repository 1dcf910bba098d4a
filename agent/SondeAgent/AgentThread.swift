// SPDX-License-Identifier: Apache-2.0
// The agent's own threads: named, without signals, and joined within a deadline.

internal import CSondeProcess
internal import Glibc
internal import SondeLock
internal import Synchronization

/// A thread of the agent, which gets none of the program's signals.
final class AgentThread: Sendable {
    private let thread = Atomic<UInt>(0)
    private let ended = Flag()
    /// What to do; given up when it is done, because it refers to those that refer to this thread.
    private let body: Locked<(@Sendable () -> Void)?>
    private let cpuAtEnd = Atomic<UInt64>(0)
    private let isJoined = Atomic<Bool>(false)

    /// Enough for libcurl, OpenSSL and a name look-up; only pages that are touched are resident.
    static let stackBytes = 512 << 10

    /// Starts a thread.
    ///
    /// - Parameters:
    ///   - name: At most 15 bytes; what `top -H` shows.
    ///   - body: What it does. The thread ends when this returns.
    /// - Throws: ``SondeError`` with `noThread` when the system gives none.
    init(_ name: String, _ body: @escaping @Sendable () -> Void) throws(SondeError) {
        self.body = Locked(body)
        var handle = pthread_t()
        // Safety: the thread takes over this reference and releases it when it ends.
        let context = Unmanaged.passRetained(self)
        let status = sonde_agent_thread_start(
            &handle, name, Self.stackBytes,
            { context in
                guard let context else { return }
                let thread = Unmanaged<AgentThread>.fromOpaque(context).takeRetainedValue()
                ForkGate.work { thread.run() }
            }, context.toOpaque())
        guard status == 0 else {
            context.release()
            throw SondeError(
                .noThread, "cannot start the thread \(name): got error \(status); want a thread")
        }
        thread.store(UInt(handle), ordering: .releasing)
    }

    /// The CPU time that the thread has used, in nanoseconds.
    var cpuNanoseconds: UInt64 {
        let final = cpuAtEnd.load(ordering: .acquiring)
        guard final == 0, !isJoined.load(ordering: .acquiring) else { return final }
        return sonde_agent_thread_cpu_ns(pthread_t(thread.load(ordering: .acquiring)))
    }

    /// Waits until the thread has ended; false when the deadline comes first.
    ///
    /// - Parameter deadline: A time of the monotonic clock, in nanoseconds.
    /// - Returns: Whether the thread has ended.
    func join(until deadline: UInt64) -> Bool {
        guard ended.wait(until: deadline, lowering: false) else { return false }
        guard !isJoined.exchange(true, ordering: .acquiringAndReleasing) else { return true }
        pthread_join(pthread_t(thread.load(ordering: .acquiring)), nil)
        return true
    }

    private func run() {
        body.withLock { $0.take() }?()
        cpuAtEnd.store(max(1, sonde_agent_thread_cpu_ns(pthread_self())), ordering: .releasing)
        ended.raise()
    }
}

/// Something that one thread waits for and others announce.
///
/// @unchecked Sendable: the C flag is behind its own mutex, and lives as long as this object.
final class Flag: @unchecked Sendable {
    private let flag: UnsafeMutablePointer<sonde_agent_flag>

    init() {
        flag = .allocate(capacity: 1)
        flag.initialize(to: sonde_agent_flag())
        // Only lack of memory could make this fail, and glibc needs none for it.
        _ = sonde_agent_flag_init(flag)
    }

    deinit {
        sonde_agent_flag_destroy(flag)
        flag.deallocate()
    }

    /// Wakes who waits, or who will wait next.
    func raise() { sonde_agent_flag_raise(flag) }

    /// Waits until the flag is raised; false when the deadline comes first.
    ///
    /// - Parameters:
    ///   - deadline: A time of the monotonic clock, in nanoseconds.
    ///   - lowering: Whether the flag must be raised again for the next wait.
    /// - Returns: Whether the flag was raised.
    func wait(until deadline: UInt64, lowering: Bool = true) -> Bool {
        ForkGate.rest { sonde_agent_flag_wait(flag, deadline, lowering) }
    }
}

/// The clocks that the agent reads.
enum Clock {
    /// Nanoseconds that never go back.
    static var monotonic: UInt64 { sonde_agent_monotonic_ns() }

    /// The monotonic time that is `seconds` from now.
    static func monotonic(after seconds: Double) -> UInt64 {
        // A day is more than any wait of the agent's.
        let clamped = seconds.isFinite ? min(max(seconds, 0), 86_400) : 0
        return monotonic + UInt64(clamped * 1e9)
    }

    /// Nanoseconds since the Unix epoch.
    static var unix: UInt64 {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return UInt64(clamping: now.tv_sec) &* 1_000_000_000 &+ UInt64(clamping: now.tv_nsec)
    }

    /// The CPU time of the whole process, in nanoseconds.
    static var processCPU: UInt64 { sonde_agent_process_cpu_ns() }
}
