// SPDX-License-Identifier: Apache-2.0
// Standard output and standard error: what they can show, and writing that notices a closed pipe.

internal import Glibc

/// Where a command writes, and what may be written there.
package struct Outlet: Sendable {
    /// The file descriptor.
    package var descriptor: Int32
    /// Whether a person looks at it.
    package var isTerminal: Bool
    /// Columns of a line; `nil` where lines have no limit, as in a file.
    package var width: Int?
    /// Whether colours may be used.
    package var hasColour: Bool
    /// Whether characters beyond ASCII may be used for drawing.
    package var hasUnicode: Bool

    package init(
        descriptor: Int32, isTerminal: Bool = false, width: Int? = nil, hasColour: Bool = false,
        hasUnicode: Bool = true
    ) {
        self.descriptor = descriptor
        self.isTerminal = isTerminal
        self.width = width
        self.hasColour = hasColour
        self.hasUnicode = hasUnicode
    }

    /// What a file descriptor is, by the system and the environment.
    ///
    /// Colours need a terminal, no `NO_COLOR`, and a `TERM` other than `dumb`. `COLUMNS` counts
    /// where the terminal does not tell its width.
    package init(descriptor: Int32, environment: [String: String]) {
        let isTerminal = isatty(descriptor) == 1
        var width: Int?
        if isTerminal {
            var size = winsize()
            // Safety: TIOCGWINSZ writes one `winsize`, which `size` is.
            let isKnown = ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0
            width = isKnown ? Int(size.ws_col) : environment["COLUMNS"].flatMap { Int($0) } ?? 80
        }
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].lazy.compactMap { environment[$0] }
            .first { !$0.isEmpty }
        let upper = locale?.uppercased() ?? "UTF-8"
        self.init(
            descriptor: descriptor, isTerminal: isTerminal, width: width.map { max(20, $0) },
            hasColour: isTerminal && (environment["NO_COLOR"] ?? "").isEmpty
                && environment["TERM"] != "dumb",
            hasUnicode: !isTerminal || upper.contains("UTF-8") || upper.contains("UTF8"))
    }

    /// Whether this is a pipe that nobody reads any more.
    package var isAbandoned: Bool {
        var state = pollfd(fd: descriptor, events: 0, revents: 0)
        return poll(&state, 1, 0) > 0 && state.revents & Int16(POLLERR) != 0
    }

    /// Writes text.
    ///
    /// - Throws: ``OutletClosed`` when nobody reads any more; ``CommandFailure`` when the disk is
    ///   full or the descriptor cannot be written.
    package func write(_ text: String) throws {
        var text = text
        try text.withUTF8 { try write(UnsafeRawBufferPointer($0)) }
    }

    /// Writes bytes as they are.
    ///
    /// - Throws: As ``write(_:)-swift.method`` does for text.
    package func write(_ bytes: [UInt8]) throws {
        try bytes.withUnsafeBytes { try write($0) }
    }

    private func write(_ bytes: UnsafeRawBufferPointer) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            // Safety: the slice lies inside `bytes`, which the caller keeps alive.
            let written = Glibc.write(
                descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
            if written > 0 {
                rest = rest.dropFirst(written)
            } else if errno == EPIPE {
                throw OutletClosed()
            } else if errno == EAGAIN {
                var ready = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                poll(&ready, 1, 1000)
            } else if errno != EINTR {
                let name = descriptor == 1 ? "standard output" : "file descriptor \(descriptor)"
                throw CommandFailure("cannot write to \(name): \(String(cString: strerror(errno)))")
            }
        }
    }
}

/// The reader of a pipe went away, as `head` does: there is nobody left to tell.
package struct OutletClosed: Error {}
