// SPDX-License-Identifier: Apache-2.0
// Threads of the system with a name, for work that must not sit on Swift's own pool.

import CBookmaker
import Glibc

/// A thread that runs one closure.
struct NativeThread: Sendable {
    private let handle: pthread_t

    /// What a thread gets to start with.
    private final class Start {
        let name: String
        let body: @Sendable () -> Void

        init(name: String, body: @escaping @Sendable () -> Void) {
            self.name = name
            self.body = body
        }
    }

    /// Starts a thread; `nil` when the system gives none.
    init?(name: String, stackBytes: Int = 512 << 10, body: @escaping @Sendable () -> Void) {
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setstacksize(&attributes, stackBytes)
        let start = Unmanaged.passRetained(Start(name: name, body: body))
        var handle = pthread_t()
        let result = pthread_create(
            &handle, &attributes,
            { argument in
                guard let argument else { return nil }
                // Safety: the pointer is the `start` below, retained once for this thread.
                let start = Unmanaged<Start>.fromOpaque(argument).takeRetainedValue()
                bookmaker_name_thread(start.name)
                start.body()
                return nil
            }, start.toOpaque())
        guard result == 0 else {
            start.release()
            return nil
        }
        self.handle = handle
    }

    /// Waits until the thread has ended; once per thread.
    func join() { pthread_join(handle, nil) }
}
