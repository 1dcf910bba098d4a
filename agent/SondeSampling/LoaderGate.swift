// SPDX-License-Identifier: Apache-2.0
// Keeps forks away from the moments in which we hold the loader's lock.

internal import Glibc

/// The gate before every walk over the loader's images.
///
/// glibc takes a lock for `dl_iterate_phdr` and, as of 2.36, does not reset it in a child of
/// `fork`: forked in such a moment, the child waits for ever in its next `dlopen`, or when it
/// throws a C++ exception. Programs rarely walk over their images; our helper thread does each
/// second. So a fork waits until we are through, which takes microseconds.
enum LoaderGate {
    /// The most nanoseconds that a fork waits: whoever walks over the images may in turn wait for
    /// a lock that the forking thread holds.
    private static let longestWait = 100_000_000

    /// Runs a body that walks over the loader's images, while no other thread of this process
    /// forks.
    static func pass<Result>(_ body: () -> Result) -> Result {
        let gate = gate
        pthread_mutex_lock(gate.mutex)
        defer { pthread_mutex_unlock(gate.mutex) }
        return body()
    }

    // Safety: the pointers never change. `forker` is 0, or the thread that holds the mutex across
    // its fork; it is written by that thread alone, and compared with itself by any other thread,
    // which finds another value whatever it reads.
    private struct Gate: @unchecked Sendable {
        let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
        let forker = UnsafeMutablePointer<pthread_t>.allocate(capacity: 1)
    }

    private static let gate: Gate = {
        let gate = Gate()
        gate.mutex.initialize(to: pthread_mutex_t())
        gate.forker.initialize(to: 0)
        pthread_mutex_init(gate.mutex, nil)
        pthread_atfork(
            { LoaderGate.close() }, { LoaderGate.openInParent() }, { LoaderGate.openInChild() })
        return gate
    }()

    private static func close() {
        var deadline = timespec()
        clock_gettime(CLOCK_REALTIME, &deadline)
        deadline.tv_nsec += longestWait
        deadline.tv_sec += deadline.tv_nsec / 1_000_000_000
        deadline.tv_nsec %= 1_000_000_000
        guard pthread_mutex_timedlock(gate.mutex, &deadline) == 0 else { return }
        gate.forker.pointee = pthread_self()
    }

    private static func openInParent() {
        guard gate.forker.pointee == pthread_self() else { return }
        gate.forker.pointee = 0
        pthread_mutex_unlock(gate.mutex)
    }

    /// The child has one thread, so nobody holds the mutex there or waits for it.
    private static func openInChild() {
        gate.forker.pointee = 0
        pthread_mutex_init(gate.mutex, nil)
    }
}
