// SPDX-License-Identifier: Apache-2.0
// Ends waits from another thread, also when the program has closed our descriptor.

internal import CCurl
internal import Glibc
internal import Synchronization

/// A request to stop, which wakes those who wait in `poll`.
final class Cancellation: Sendable {
    private let requested = Atomic<Bool>(false)
    /// An eventfd that becomes readable for good; -1 when there is none.
    private let descriptor: Int32

    init() {
        descriptor = HighDescriptor.moved(sonde_curl_wake_descriptor())
    }

    deinit {
        if isOurs { close(descriptor) }
    }

    /// Whether stopping was asked for.
    var isRequested: Bool {
        // Acquire; pairs with the release in `cancel`.
        requested.load(ordering: .acquiring)
    }

    /// The descriptor to poll for reading, or `nil` when it is not there (any more): then wait in
    /// short pieces instead.
    var wakeDescriptor: Int32? { isOurs ? descriptor : nil }

    /// Asks for stopping.
    func cancel() {
        // Release; pairs with the acquire in `isRequested`.
        requested.store(true, ordering: .releasing)
        guard isOurs else { return }
        var one: UInt64 = 1
        // The descriptor is never read, so one write keeps it readable.
        _ = write(descriptor, &one, MemoryLayout<UInt64>.size)
    }

    /// Programs that become daemons close every descriptor, this one included.
    private var isOurs: Bool { descriptor >= 0 && fcntl(descriptor, F_GETFD) >= 0 }
}

/// Moves descriptors out of the range that the program itself uses.
///
/// A program that closes descriptors that are not its own, as daemons do, gets the low numbers next.
/// If one of ours were among them, its bytes would be read and written by libcurl.
enum HighDescriptor {
    /// The same open file under a high number, or under its own where there is none.
    static func moved(_ descriptor: Int32) -> Int32 {
        guard descriptor >= 0 else { return descriptor }
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(7), &limit) == 0 else { return descriptor }
        // A very high number would make the kernel's table of this process large.
        let lowest = Int32(min(limit.rlim_cur / 4 * 3, 3000))
        let copy = fcntl(descriptor, F_DUPFD_CLOEXEC, lowest)
        guard copy >= 0 else { return descriptor }
        close(descriptor)
        return copy
    }
}
