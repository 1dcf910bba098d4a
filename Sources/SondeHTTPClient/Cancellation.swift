// SPDX-License-Identifier: Apache-2.0
// Ends waits from another thread, also when the program has closed our descriptor.

internal import CCurl
internal import Glibc
internal import Synchronization

/// A request to stop, which wakes those who wait in `poll`.
final class Cancellation: Sendable {
    private let requested = Atomic<Bool>(false)
    private let interruptions = Atomic<UInt64>(0)
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

    /// How often ``interrupt()`` was called: an exchange ends when this changes.
    var interruptionCount: UInt64 {
        // Acquire; pairs with the release in `interrupt`.
        interruptions.load(ordering: .acquiring)
    }

    /// Ends the exchange that is under way, and no later one.
    func interrupt() {
        // Release; pairs with the acquire in `interruptionCount`.
        interruptions.add(1, ordering: .releasing)
        wake()
    }

    /// Makes the descriptor unreadable again after an interruption.
    func acceptInterruptions() {
        guard isOurs, !isRequested else { return }
        var count: UInt64 = 0
        // It does not block: an eventfd of ours is made so.
        _ = read(descriptor, &count, MemoryLayout<UInt64>.size)
        // A cancellation that came just before the read must stay readable.
        if isRequested { wake() }
    }

    /// The descriptor to poll for reading, or `nil` when it is not there (any more): then wait in
    /// short pieces instead.
    var wakeDescriptor: Int32? { isOurs ? descriptor : nil }

    /// Asks for stopping.
    func cancel() {
        // Release; pairs with the acquire in `isRequested`.
        requested.store(true, ordering: .releasing)
        wake()
    }

    private func wake() {
        guard isOurs else { return }
        var one: UInt64 = 1
        // Nobody reads after a cancellation, so one write keeps the descriptor readable.
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
