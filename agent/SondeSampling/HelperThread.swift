// SPDX-License-Identifier: Apache-2.0
// The sampler's one thread: sleeps, does a round, and ends when it is told to.

internal import CSondeSignal
internal import Glibc
internal import SondeLock
internal import Synchronization

/// What the helper thread and its callers share.
final class HelperThread: Sendable {
    /// Bytes of stack; a round needs a few kilobytes, an allocator's slow path some more.
    static let stackBytes = 256 << 10

    /// The sampler's state, one user at a time.
    let state: Locked<SamplerState>

    private let alarm = Alarm()
    private let thread = Locked<pthread_t?>(nil)
    private let threadID = Atomic<Int32>(0)

    /// A helper that does not run yet.
    init(_ state: sending SamplerState) { self.state = Locked(state) }

    /// Starts the thread.
    ///
    /// - Returns: 0, or why the system refused it, as errno counts.
    func start() -> Int32 {
        var attributes = pthread_attr_t()
        guard pthread_attr_init(&attributes) == 0 else { return ENOMEM }
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setstacksize(&attributes, Self.stackBytes)
        // Signals of the host must not run its handlers on this small stack, so the thread starts
        // with all of them blocked.
        var all = sigset_t()
        var before = sigset_t()
        sigfillset(&all)
        pthread_sigmask(SIG_SETMASK, &all, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        var created = pthread_t()
        // Safety: balanced by the thread's takeRetainedValue, or below when there is no thread.
        let context = Unmanaged.passRetained(self)
        let status = pthread_create(
            &created, &attributes,
            { context in
                if let context {
                    let helper = Unmanaged<HelperThread>.fromOpaque(context).takeRetainedValue()
                    ForkGate.work { helper.run() }
                }
                return nil
            }, context.toOpaque())
        guard status == 0 else {
            context.release()
            return status
        }
        thread.withLock { $0 = created }
        return 0
    }

    /// Wakes the thread for a round.
    func wake() { alarm.ring(stop: false) }

    /// Ends the thread and waits for it; does nothing when there is none.
    func stop() {
        guard let running = thread.withLock({ $0.take() }) else { return }
        alarm.ring(stop: true)
        pthread_join(running, nil)
    }

    /// The CPU time that the thread has used, in nanoseconds; 0 when it does not run.
    var cpuNanoseconds: UInt64 {
        let tid = threadID.load(ordering: .relaxed)
        return tid == 0 ? 0 : UInt64(max(0, sonde_thread_cpu_ns(tid)))
    }

    /// Lets the calling thread be sampled by a signal.
    static func unblock(_ signal: Int32) {
        var set = sigset_t()
        sigemptyset(&set)
        sigaddset(&set, signal)
        pthread_sigmask(SIG_UNBLOCK, &set, nil)
    }

    private func run() {
        sonde_name_thread("sonde-sampler")
        for fault in [SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT] { Self.unblock(fault) }
        // Relaxed: a number by itself; whoever reads it early sees a helper without CPU time.
        threadID.store(sonde_thread_id(), ordering: .relaxed)
        var pause: Int64? = 0
        var signal: Int32 = 0
        while !ForkGate.rest({ alarm.wait(nanoseconds: pause) }) {
            let current = state.withLock { state in
                pause = state.round()
                return state.signal
            }
            // Our own thread is not hidden from the profile.
            if current != signal { Self.unblock(current) }
            signal = current
        }
        let used = cpuNanoseconds
        threadID.store(0, ordering: .relaxed)
        state.withLock { $0.endedHelperNanoseconds = used }
    }
}

/// A sleep that others can end.
private final class Alarm: @unchecked Sendable {
    // Safety: the pointers never change, the C calls are made for use by several threads, and the
    // two flags are only touched while the mutex is held.
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var isRung = false
    private var isStopped = false

    init() {
        mutex.initialize(to: pthread_mutex_t())
        condition.initialize(to: pthread_cond_t())
        pthread_mutex_init(mutex, nil)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        // A clock that nobody sets, so that a changed date cannot make a sleep endless.
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(condition, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    func ring(stop: Bool) {
        pthread_mutex_lock(mutex)
        isRung = true
        isStopped = isStopped || stop
        pthread_cond_signal(condition)
        pthread_mutex_unlock(mutex)
    }

    /// Sleeps for a time, or for ever when it is `nil`, unless rung.
    ///
    /// - Returns: Whether to stop.
    func wait(nanoseconds: Int64?) -> Bool {
        var until = timespec()
        if let nanoseconds {
            let (sum, overflow) = sonde_monotonic_ns().addingReportingOverflow(nanoseconds)
            let end = overflow ? Int64.max : sum
            until = timespec(tv_sec: Int(end / 1_000_000_000), tv_nsec: Int(end % 1_000_000_000))
        }
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while !isRung {
            let status =
                nanoseconds == nil
                ? pthread_cond_wait(condition, mutex)
                : pthread_cond_timedwait(condition, mutex, &until)
            if status != 0 { break }
        }
        isRung = false
        return isStopped
    }
}
