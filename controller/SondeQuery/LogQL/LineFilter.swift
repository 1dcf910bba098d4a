// SPDX-License-Identifier: Apache-2.0
// Filters of whole lines: a text or a regular expression that is in them or is not.

internal import Glibc

/// `|= "a" or "b"` and its three relatives.
struct LineFilter: Sendable {
    /// How a line is compared.
    enum Operation: String, Sendable, CaseIterable {
        case contains = "|="
        case excludes = "!="
        case matches = "|~"
        case excludesMatches = "!~"

        /// Whether lines with the text are the ones that are left out.
        var isNegative: Bool { self == .excludes || self == .excludesMatches }
        /// Whether the text is a regular expression.
        var takesPattern: Bool { self == .matches || self == .excludesMatches }
    }

    /// One of the texts that `or` joins.
    enum Needle: Sendable {
        case text([UInt8])
        case pattern(Pattern, source: String)
    }

    let operation: Operation
    let needles: [Needle]

    /// Whether the filter keeps a line.
    ///
    /// With a negative operation none of the texts may be in the line, with a positive one any.
    func accepts(_ line: String) -> Bool {
        var line = line
        let isFound = needles.contains { needle in
            switch needle {
            case .text(let bytes):
                line.withUTF8 { Self.find(bytes, in: UnsafeRawBufferPointer($0)) }
            case .pattern(let pattern, _): pattern.matches(line)
            }
        }
        // A pattern that ran into its bound decides nothing: no line is kept for its sake.
        return isFound != operation.isNegative && exceededPattern == nil
    }

    /// Whether the filter may keep a line of these bytes; a regular expression may keep any.
    func mayAccept(_ line: UnsafeRawBufferPointer) -> Bool {
        var isFound = false
        for needle in needles {
            guard case .text(let bytes) = needle else { return true }
            isFound = isFound || Self.find(bytes, in: line)
        }
        return isFound != operation.isNegative
    }

    var exceededPattern: String? {
        for case .pattern(let pattern, let source) in needles where pattern.exceeded {
            return "\(operation.rawValue) \"\(source)\""
        }
        return nil
    }

    /// Looks for the needle's first byte, which libc does many bytes at a time, then compares.
    private static func find(_ needle: [UInt8], in line: UnsafeRawBufferPointer) -> Bool {
        guard let first = needle.first else { return true }
        guard let start = line.baseAddress, needle.count <= line.count else { return false }
        return needle.withUnsafeBufferPointer { needle in
            guard let text = needle.baseAddress else { return true }
            var place = 0
            let last = line.count - needle.count
            while place <= last {
                // Safety: `place + needle.count` never exceeds the line's count.
                guard let hit = memchr(start + place, Int32(first), last - place + 1) else {
                    return false
                }
                place = UnsafeRawPointer(hit) - start
                if memcmp(start + place, text, needle.count) == 0 { return true }
                place += 1
            }
            return false
        }
    }
}
