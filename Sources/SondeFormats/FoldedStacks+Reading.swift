// SPDX-License-Identifier: Apache-2.0
// Reads folded text, and text with one stack on each line.

package import SondeModel

extension FoldedStacks {
    /// Reads folded text: on each line the stack, root first, `;` between its frames, and after the
    /// last blank its value.
    ///
    /// Lines of the same stack add up. Empty lines, and lines without a blank, are passed over, as
    /// Pyroscope passes over them; values of 0 add nothing. A carriage return before the line break
    /// is white space. An empty frame is called `unknown`.
    ///
    /// - Parameters:
    ///   - bytes: The text, from untrusted hands.
    ///   - limits: What may be held in memory at most.
    /// - Returns: The stacks; values are as the text has them.
    /// - Throws: ``FormatError`` with the line's number.
    package static func read(
        _ bytes: some Collection<UInt8>, limits: FormatLimits = FormatLimits()
    ) throws(FormatError) -> FrameTree {
        try read(Array(bytes), "folded text", limits, hasValues: true)
    }

    /// Reads text that has one stack on each line, root first, each of which counts 1.
    ///
    /// - Parameters:
    ///   - bytes: The text, from untrusted hands.
    ///   - limits: What may be held in memory at most.
    /// - Returns: The stacks; a value is how often the stack occurs.
    /// - Throws: ``FormatError`` with the line's number.
    package static func readLines(
        _ bytes: some Collection<UInt8>, limits: FormatLimits = FormatLimits()
    ) throws(FormatError) -> FrameTree {
        try read(Array(bytes), "lines of stacks", limits, hasValues: false)
    }

    private static func read(
        _ bytes: [UInt8], _ format: String, _ limits: FormatLimits, hasValues: Bool
    ) throws(FormatError) -> FrameTree {
        try limits.check(bytes: bytes.count, format)
        var builder = FrameTreeBuilder(format, limits)
        var number = 0
        var start = 0
        while start < bytes.count {
            let end = bytes[start...].firstIndex(of: 10) ?? bytes.count
            var line = bytes[start..<end]
            if line.last == 13 { line.removeLast() }
            start = end + 1
            number += 1
            var value: Int64 = 1
            if hasValues {
                guard let blank = line.lastIndex(of: 32) else { continue }
                let text = line[(blank + 1)...]
                guard let count = Self.number(text), count >= 0 else {
                    let found = String(decoding: text.prefix(40), as: UTF8.self)
                    throw .malformed(
                        format,
                        got: "the value \(found.debugDescription) in line \(number)",
                        want: "a whole number from 0 after the last blank")
                }
                value = count
                line = line[..<blank]
            }
            // A return would become a blank when it is written, and be gone when that is read.
            while line.last == 32 || line.last == 13 { line.removeLast() }
            guard !line.isEmpty, value > 0 else { continue }
            let node = try builder.node(of: line, limits, at: "line \(number)")
            builder.add(value, to: node)
        }
        return builder.tree
    }

    private static func number(_ text: ArraySlice<UInt8>) -> Int64? {
        var digits = text
        if digits.first == UInt8(ascii: "-") { digits.removeFirst() }
        guard !digits.isEmpty, digits.count <= 19,
            digits.allSatisfy({ $0 >= 48 && $0 <= 57 })
        else { return nil }
        return Int64(String(decoding: text, as: UTF8.self))
    }
}

extension FrameTreeBuilder {
    /// The node of a stack whose frames stand between semicolons, root first.
    mutating func node(
        of stack: ArraySlice<UInt8>, _ limits: FormatLimits, at place: @autoclosure () -> String
    ) throws(FormatError) -> Int32 {
        var node: Int32 = 0
        var depth = 0
        var start = stack.startIndex
        while start <= stack.endIndex, depth < limits.stackDepth {
            let end = stack[start...].firstIndex(of: UInt8(ascii: ";")) ?? stack.endIndex
            node = try child(of: node, key(stack[start..<end], at: place()))
            depth += 1
            start = end + 1
        }
        return node
    }
}
