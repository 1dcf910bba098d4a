// SPDX-License-Identifier: Apache-2.0
// Values that are hidden by what they look like, wherever they stand.

/// Patterns of values that never leave the service.
///
/// In a pattern `#` is a digit, `?` any byte but a blank, and `*` any number of bytes that are no
/// blanks; everything else stands for itself. A pattern is looked for anywhere inside of a text.
package struct RedactedValues: Hashable, Sendable {
    /// What stands in the place of a hidden value.
    package static let mark = "<redacted>"

    private let patterns: [[UInt8]]

    /// The most patterns that are kept.
    package static let maximumPatterns = 64

    /// A list of patterns; those without anything but `*` are left out, because they match nothing
    /// in particular.
    package init(_ patterns: [String] = []) {
        self.patterns = patterns.map { Array($0.utf8.prefix(256)) }.filter {
            $0.contains { $0 != UInt8(ascii: "*") }
        }.prefix(Self.maximumPatterns).map { $0 }
    }

    /// Whether there is no pattern.
    package var isEmpty: Bool { patterns.isEmpty }

    /// The text with every match replaced.
    package func redact(_ text: String) -> String {
        guard !patterns.isEmpty else { return text }
        let bytes = Array(text.utf8)
        var result: [UInt8] = []
        var start = 0
        var isChanged = false
        // Each match costs at most pattern times text, and so does each start without one.
        var steps = 0
        while start < bytes.count {
            var end: Int?
            for pattern in patterns {
                guard let found = Self.match(pattern, bytes, from: start, &steps) else { continue }
                end = max(end ?? found, found)
            }
            // A text that takes this long to look through is hidden whole: fail closed.
            if steps > Self.maximumSteps { return Self.mark }
            if let end, end > start {
                result.append(contentsOf: Self.mark.utf8)
                start = end
                isChanged = true
            } else {
                result.append(bytes[start])
                start &+= 1
            }
        }
        return isChanged ? String(decoding: result, as: UTF8.self) : text
    }

    private static let maximumSteps = 4_000_000

    /// The end of the longest match at a place, or `nil`.
    private static func match(
        _ pattern: [UInt8], _ text: [UInt8], from start: Int, _ steps: inout Int
    ) -> Int? {
        var at = 0
        var place = start
        // Where to go on when what follows the last `*` does not match: it takes one byte more.
        var resume: (at: Int, place: Int)?
        while true {
            steps &+= 1
            if steps > maximumSteps { return nil }
            if at < pattern.count, pattern[at] == UInt8(ascii: "*") {
                at &+= 1
                if at == pattern.count {
                    while place < text.count, !isBlank(text[place]) { place &+= 1 }
                    return place
                }
                resume = (at, place)
            } else if at == pattern.count {
                return place
            } else if place < text.count, fits(pattern[at], text[place]) {
                at &+= 1
                place &+= 1
            } else if let last = resume, last.place < text.count, !isBlank(text[last.place]) {
                resume = (last.at, last.place &+ 1)
                at = last.at
                place = last.place &+ 1
            } else {
                return nil
            }
        }
    }

    private static func fits(_ pattern: UInt8, _ byte: UInt8) -> Bool {
        switch pattern {
        case UInt8(ascii: "#"): (0x30...0x39).contains(byte)
        case UInt8(ascii: "?"): !isBlank(byte)
        default: pattern == byte
        }
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte <= 0x20 }
}
