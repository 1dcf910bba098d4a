// SPDX-License-Identifier: Apache-2.0
// A value behind a pthread mutex: the one lock of everything that runs in a service's process.

internal import Glibc

/// A value that one thread at a time may use.
///
/// Not `Synchronization.Mutex`: that one remembers the thread's id from before a `fork` and traps
/// in the child when it is used there (Swift 6.3), and the host must never be ended by us. A child
/// of `fork` may make locks of its own and use them, but must stay away from those that it
/// inherited: a thread that does not exist there may have held them. ``OwnProcess`` tells.
package final class Locked<Value>: @unchecked Sendable {
    // Safety: the pointer never changes, and `value` is only touched while the mutex is held.
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private var value: Value

    /// A value that nobody uses yet.
    package init(_ value: sending Value) {
        self.value = value
        mutex.initialize(to: pthread_mutex_t())
        pthread_mutex_init(mutex, nil)
    }

    deinit {
        pthread_mutex_destroy(mutex)
        mutex.deallocate()
    }

    /// Runs a body that may change the value; waits for others first.
    package func withLock<Result>(_ body: (inout Value) -> sending Result) -> sending Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return body(&value)
    }

    /// Runs a body if nobody else uses the value now, otherwise returns `nil`.
    package func withLockIfAvailable<Result>(
        _ body: (inout Value) -> sending Result
    ) -> sending Result? {
        guard pthread_mutex_trylock(mutex) == 0 else { return nil }
        defer { pthread_mutex_unlock(mutex) }
        return body(&value)
    }
}
