// SPDX-License-Identifier: Apache-2.0
// Finds the pair of sockets that libcurl opens for itself, so that no executed program inherits it.

internal import CCurl
internal import Glibc

/// The sockets by which `curl_multi_wakeup` wakes a thread in `curl_multi_poll`.
///
/// Each multi handle has such a pair for as long as it lives. libcurl 7.88 opens it without
/// `SOCK_CLOEXEC` and offers no way to learn its numbers. It is known by what it does: each wake
/// puts one byte more into the one end and makes the other one's queue longer by the same step. We
/// never poll this way, so the bytes stay, and nobody else's sockets follow such a pattern.
enum WakePair {
    /// Numbers that are looked at; the kernel gives the lowest free ones.
    static let highestNumber: Int32 = 65_535

    /// Marks both ends as closed on `exec`.
    ///
    /// A program that another thread executes between the opening of the pair and this call still
    /// inherits it.
    ///
    /// - Parameter multi: A handle that was just made and that no other thread uses.
    /// - Returns: How many ends were found: 2, or 0 where libcurl needs no such pair or marks it
    ///   itself.
    @discardableResult
    static func closeOnExec(_ multi: UnsafeMutableRawPointer) -> Int {
        var found = 0
        for descriptor in 0...limit() {
            guard isCandidate(descriptor), isEnd(descriptor, of: multi) else { continue }
            let flags = fcntl(descriptor, F_GETFD)
            if flags >= 0 { _ = fcntl(descriptor, F_SETFD, flags | FD_CLOEXEC) }
            found += 1
            if found == 2 { break }
        }
        return found
    }

    private static func limit() -> Int32 {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(7), &limit) == 0 else { return 1023 }
        return min(Int32(clamping: limit.rlim_cur), highestNumber)
    }

    /// Whether this is a local stream socket that does not block and is inherited on `exec`.
    private static func isCandidate(_ descriptor: Int32) -> Bool {
        let flags = fcntl(descriptor, F_GETFD)
        guard flags >= 0, flags & FD_CLOEXEC == 0 else { return false }
        let status = fcntl(descriptor, F_GETFL)
        guard status >= 0, status & O_NONBLOCK != 0 else { return false }
        guard option(SO_DOMAIN, of: descriptor) == AF_UNIX else { return false }
        return option(SO_TYPE, of: descriptor) == Int32(SOCK_STREAM.rawValue)
    }

    private static func option(_ name: Int32, of descriptor: Int32) -> Int32? {
        var value: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        guard getsockopt(descriptor, SOL_SOCKET, name, &value, &length) == 0 else { return nil }
        return value
    }

    /// Whether 1, 3 and 2 wakes leave exactly their trace in this socket.
    private static func isEnd(_ descriptor: Int32, of multi: UnsafeMutableRawPointer) -> Bool {
        guard var before = queues(descriptor) else { return false }
        var step: (Int32, Int32)?
        for wakes: Int32 in [1, 3, 2] {
            for _ in 0..<wakes { curl_multi_wakeup(multi) }
            guard let after = queues(descriptor) else { return false }
            let change = (after.0 &- before.0, after.1 &- before.1)
            let expected = step ?? change
            guard change.0 == expected.0 &* wakes, change.1 == expected.1 &* wakes else {
                return false
            }
            step = expected
            before = after
        }
        guard let step else { return false }
        return step == (1, 0) || step.0 == 0 && step.1 > 0
    }

    /// Bytes that can be read, and what waits in the other end to be read there.
    private static func queues(_ descriptor: Int32) -> (Int32, Int32)? {
        var unread: Int32 = 0
        var unsent: Int32 = 0
        guard ioctl(descriptor, UInt(FIONREAD), &unread) == 0,
            ioctl(descriptor, UInt(TIOCOUTQ), &unsent) == 0
        else { return nil }
        return (unread, unsent)
    }
}
