// SPDX-License-Identifier: Apache-2.0
// Reads /proc/self/maps a piece at a time, so that a huge map costs time but no memory.

internal import Glibc

/// One line of `/proc/self/maps`, as far as stacks are concerned.
struct MemoryRegion: Hashable {
    /// The first address.
    var start: UInt64
    /// The address after the last one.
    var end: UInt64
    /// Whether it can be read and written.
    var isReadWrite: Bool
    /// Whether it can be neither read, nor written, nor executed.
    var isGuard: Bool
    /// Whether it is the main thread's stack.
    var isMainStack: Bool

    /// A region from a line without its line feed, or `nil` when it is none.
    ///
    /// Source: proc_pid_maps(5): `start-end perms offset dev inode path`.
    init?(line: ArraySlice<UInt8>) {
        var rest = line
        guard let start = Self.hexadecimal(&rest), rest.popFirst() == UInt8(ascii: "-"),
            let end = Self.hexadecimal(&rest), rest.popFirst() == UInt8(ascii: " "),
            rest.count >= 4, start < end
        else { return nil }
        let permissions = rest.prefix(3)
        self.start = start
        self.end = end
        isReadWrite = permissions.starts(with: Array("rw".utf8))
        isGuard = permissions.elementsEqual("---".utf8)
        isMainStack = line.reversed().starts(with: "[stack]".utf8.reversed())
    }

    private static func hexadecimal(_ bytes: inout ArraySlice<UInt8>) -> UInt64? {
        var value: UInt64 = 0
        var digits = 0
        while let byte = bytes.first {
            let digit: UInt8
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte - UInt8(ascii: "a") + 10
            default: return digits > 0 ? value : nil
            }
            digits += 1
            guard digits <= 16 else { return nil }
            value = value << 4 | UInt64(digit)
            bytes.removeFirst()
        }
        return digits > 0 ? value : nil
    }
}

/// Cuts bytes into lines and lines into regions.
struct MemoryMapReader {
    /// The longest line that is kept; a path may be 4096 bytes long.
    static let maxLine = 4096 + 128

    private var line: [UInt8] = []

    /// Takes the next bytes of the file and hands over each region that they complete, in order.
    mutating func read(_ bytes: UnsafeRawBufferPointer, _ visit: (MemoryRegion) -> Void) {
        for byte in bytes {
            if byte == UInt8(ascii: "\n") {
                if let region = MemoryRegion(line: line[...]) { visit(region) }
                line.removeAll(keepingCapacity: true)
            } else if line.count < Self.maxLine {
                line.append(byte)
            }
        }
    }

    /// Visits the regions of this process by address.
    ///
    /// - Returns: Whether the map could be read.
    static func visitOwnMap(_ visit: (MemoryRegion) -> Void) -> Bool {
        let file = open("/proc/self/maps", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return false }
        defer { close(file) }
        var reader = MemoryMapReader()
        return withUnsafeTemporaryAllocation(byteCount: 16384, alignment: 8) { buffer in
            while true {
                // Safety: the kernel writes at most `buffer.count` bytes.
                let count = Glibc.read(file, buffer.baseAddress, buffer.count)
                if count < 0 && errno == EINTR { continue }
                guard count > 0 else { return count == 0 }
                reader.read(UnsafeRawBufferPointer(rebasing: buffer[..<count]), visit)
            }
        }
    }
}
