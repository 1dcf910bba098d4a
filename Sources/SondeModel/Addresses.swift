// SPDX-License-Identifier: Apache-2.0
// Address spaces as types: a runtime address, an offset in a file and a virtual address stated in
// an image are three different numbers, and only a load map turns one into another.

/// An address in a running process; goes stale when its image is unloaded.
package struct RuntimeAddress: Hashable, Comparable, Sendable {
    /// The address as the process sees it.
    package var rawValue: UInt64

    /// A runtime address from its number.
    package init(_ rawValue: UInt64) { self.rawValue = rawValue }

    package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

/// A byte's offset in an image's file, as a load map (`/proc/self/maps`, pprof's mapping) counts it.
package struct FileOffset: Hashable, Comparable, Sendable {
    /// Bytes from the start of the file.
    package var rawValue: UInt64

    /// A file offset from its number.
    package init(_ rawValue: UInt64) { self.rawValue = rawValue }

    package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

/// A virtual address as the ELF file states it (`p_vaddr`, `st_value`, DWARF's `low_pc`).
package struct ImageAddress: Hashable, Comparable, Sendable {
    /// The address in the image's own numbering, before loading.
    package var rawValue: UInt64

    /// An image address from its number.
    package init(_ rawValue: UInt64) { self.rawValue = rawValue }

    package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

/// The GNU build id of an image: the bytes of its `NT_GNU_BUILD_ID` note, usually 20.
package struct BuildID: Hashable, Sendable, CustomStringConvertible {
    /// The note's bytes, 1...64.
    package let bytes: [UInt8]

    /// A build id from its bytes, or `nil` when there are none or more than 64.
    package init?(bytes: [UInt8]) {
        guard (1...64).contains(bytes.count) else { return nil }
        self.bytes = bytes
    }

    /// A build id from its lower- or upper-case hexadecimal digits, or `nil` when it is none.
    package init?(hex: String) {
        let digits = Array(hex.utf8)
        guard digits.count.isMultiple(of: 2) else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(digits.count / 2)
        for index in stride(from: 0, to: digits.count, by: 2) {
            guard let high = Self.nibble(digits[index]), let low = Self.nibble(digits[index + 1])
            else { return nil }
            bytes.append(high << 4 | low)
        }
        self.init(bytes: bytes)
    }

    /// Hashes all bytes at once: an array would hash them one by one, and every address is hashed
    /// with its image's build id.
    package func hash(into hasher: inout Hasher) {
        // Safety: the bytes are read only inside the call.
        unsafe bytes.withUnsafeBytes { unsafe hasher.combine(bytes: $0) }
    }

    /// Lower-case hexadecimal digits.
    package var description: String {
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        text.reserveCapacity(bytes.count * 2)
        for byte in bytes {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }

    private static func nibble(_ digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}

/// Which image a sampled address lies in.
///
/// One reference, because every location of a profile holds one: copying it is counting once, and
/// those of one profile are mostly the same object.
package struct ImageID: Hashable, Sendable {
    private final class Content: Sendable {
        let buildID: BuildID?
        let path: String
        /// Hashed once: a table of locations hashes its image with each of them.
        let hash: Int

        init(_ buildID: BuildID?, _ path: String) {
            self.buildID = buildID
            self.path = path
            var hasher = Hasher()
            hasher.combine(buildID)
            hasher.combine(path)
            hash = hasher.finalize()
        }
    }

    private let content: Content

    /// The build id, when the sender knew it.
    package var buildID: BuildID? { content.buildID }
    /// The path that the sender gave, for people and for images without a build id.
    package var path: String { content.path }

    /// An image from its build id and path.
    package init(buildID: BuildID?, path: String) { content = Content(buildID, path) }

    package static func == (left: Self, right: Self) -> Bool {
        left.content === right.content
            || left.content.hash == right.content.hash && left.path == right.path
                && left.buildID == right.buildID
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(content.hash)
    }

    /// Which object this is, as long as it is held: the same one is the same image, another may be.
    package var identity: ObjectIdentifier { ObjectIdentifier(content) }

    /// The last component of the path: what a person calls this image.
    package var name: String {
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return path }
        return String(path[path.utf8.index(after: slash)...])
    }
}
