// SPDX-License-Identifier: Apache-2.0
// Writes a file that is either whole or not there.

internal import Glibc

/// Files that commands write.
package enum OutputFile {
    /// Writes bytes to a file.
    ///
    /// An ordinary file is written under another name beside it and then renamed, so that Ctrl-C or
    /// a full disk leaves the old file as it was. Anything else (a pipe, `/dev/null`) is written to.
    ///
    /// - Parameters:
    ///   - bytes: The whole content.
    ///   - path: The file.
    /// - Throws: ``CommandFailure`` that names the path.
    package static func write(_ bytes: [UInt8], to path: String) throws {
        var status = stat()
        let isThere = stat(path, &status) == 0
        guard isThere, status.st_mode & S_IFMT != S_IFREG else {
            return try replace(path, with: bytes, mode: isThere ? status.st_mode & 0o777 : 0o666)
        }
        let descriptor = open(path, O_WRONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure(path) }
        defer { close(descriptor) }
        try Outlet(descriptor: descriptor).write(bytes)
    }

    private static func replace(_ path: String, with bytes: [UInt8], mode: mode_t) throws {
        let temporary = path + ".\(getpid()).part"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw failure(path) }
        do {
            defer { close(descriptor) }
            try Outlet(descriptor: descriptor).write(bytes)
        } catch {
            unlink(temporary)
            throw CommandFailure("cannot write \(path.forTerminal): \(error)")
        }
        guard rename(temporary, path) == 0 else {
            let failure = failure(path)
            unlink(temporary)
            throw failure
        }
    }

    private static func failure(_ path: String) -> CommandFailure {
        CommandFailure("cannot write \(path.forTerminal): \(String(cString: strerror(errno)))")
    }
}
