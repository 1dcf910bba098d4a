// SPDX-License-Identifier: Apache-2.0
// Why the store could not do what it was asked for.

internal import Glibc

/// Why the store could not do what it was asked for.
package struct StoreError: Error, Sendable, CustomStringConvertible {
    /// The kind of failure.
    package var code: Code
    /// `cannot <do what>: <what was found>; want <what>`.
    package var message: String

    /// A store error from its parts.
    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    package var description: String { message }

    /// The kinds of failure.
    package enum Code: String, Sendable {
        /// The data folder cannot be opened, created or written: not writable, locked by another.
        case cannotOpen
        /// The disk is full; the same call may work later.
        case diskFull
        /// The disk answered with an error; the same call may work later.
        case inputOutput
        /// A stored file is damaged or of a version this program does not know.
        case corrupt
        /// What was asked for does not exist.
        case notFound
        /// What was to be stored is there already.
        case alreadyExists
        /// What was to be stored is none of what the store keeps: too old, too far in the future,
        /// without a name. The same call never works.
        case rejected
        /// What was to be stored has more bytes than the store takes.
        case tooLarge
        /// Nobody waits for the answer any more.
        case cancelled
        /// A bound was reached, of time or of number; the same call may work later.
        case exhausted
    }

    /// An error of a call on a file.
    ///
    /// - Parameters:
    ///   - what: What cannot be done, such as `write image`.
    ///   - path: The file.
    ///   - errno: What the system call said.
    ///   - otherwise: The code where the error is none that has a code of its own.
    /// - Returns: The error.
    static func file(
        _ what: String, _ path: String, errno: Int32, _ otherwise: Code = .inputOutput
    ) -> StoreError {
        switch errno {
        case ENOSPC, EDQUOT, EFBIG:
            StoreError(
                .diskFull,
                "cannot \(what) \(path): the disk is full (\(Self.text(of: errno))); want room")
        case EACCES, EPERM, EROFS:
            StoreError(
                .cannotOpen,
                "cannot \(what) \(path): got \"\(Self.text(of: errno))\"; want a folder that "
                    + "user \(getuid()) may write to")
        default:
            StoreError(
                otherwise,
                "cannot \(what) \(path): got \"\(Self.text(of: errno))\"; want success")
        }
    }

    private static func text(of errno: Int32) -> String {
        var buffer = [CChar](repeating: 0, count: 128)
        guard strerror_r(errno, &buffer, buffer.count) == 0 else { return "error \(errno)" }
        let bytes = buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:))
        return String(decoding: bytes, as: UTF8.self)
    }
}
