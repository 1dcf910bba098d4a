// SPDX-License-Identifier: Apache-2.0
// Lets a worker thread wait for an async function.

/// Runs async work on Swift's pool while the calling thread waits.
///
/// Only for threads of our own: a thread of Swift's pool would be lost for the others meanwhile.
enum AsyncBridge {
    /// The answer's place.
    ///
    /// @unchecked Sendable: `value` is touched only inside of `lock.withLock`.
    private final class Box<Value: Sendable>: @unchecked Sendable {
        let lock = PthreadLock()
        var value: Value?
    }

    static func wait<Value: Sendable>(
        for work: @escaping @Sendable () async -> Value
    ) -> Value {
        let box = Box<Value>()
        Task.detached {
            let value = await work()
            box.lock.withLock {
                box.value = value
                box.lock.wakeAll()
            }
        }
        return box.lock.withLock {
            while true {
                if let value = box.value { return value }
                box.lock.wait()
            }
        }
    }
}
