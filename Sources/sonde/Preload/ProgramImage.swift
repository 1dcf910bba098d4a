// SPDX-License-Identifier: Apache-2.0
// Whether a library can be preloaded into a program, judged by the start of its file.

/// The kind of program that a file holds.
package enum ProgramImage: Hashable, Sendable {
    /// A script, which its interpreter runs.
    case script(interpreter: String)
    /// A program that this loader starts, such as `/lib64/ld-linux-x86-64.so.2`.
    case dynamic(loader: String)
    /// A program without a loader.
    case isStatic
    /// A program for another processor or word size, in words.
    case foreign(String)
    /// No program that is known here.
    case unknown

    /// How many bytes of the file are enough.
    package static let headBytes = 64 << 10

    /// Judges a program by the first bytes of its file.
    ///
    /// Source of the layout: System V ABI, chapter 4 "Object Files", ELF-64.
    ///
    /// - Parameter head: The file's beginning, ``headBytes`` long or the whole file.
    package init(head: [UInt8]) {
        if head.starts(with: [UInt8(ascii: "#"), UInt8(ascii: "!")]) {
            let line = head.dropFirst(2).prefix { $0 != UInt8(ascii: "\n") }
            let words = String(decoding: line, as: UTF8.self).split { $0 == " " || $0 == "\t" }
            self = words.first.map { .script(interpreter: String($0)) } ?? .unknown
            return
        }
        guard head.starts(with: [0x7F, UInt8(ascii: "E"), UInt8(ascii: "L"), UInt8(ascii: "F")]),
            head.count >= 64
        else {
            self = .unknown
            return
        }
        guard head[4] == 2, head[5] == 1 else {
            self = .foreign(head[4] == 1 ? "a 32-bit program" : "a big-endian program")
            return
        }
        let machine = Self.number(head, at: 18, bytes: 2) ?? 0
        guard machine == 62 else {  // EM_X86_64
            self = .foreign("a program for another processor (ELF machine \(machine))")
            return
        }
        self = Self.loader(head).map { .dynamic(loader: $0) } ?? .isStatic
    }

    /// The path in the segment PT_INTERP, which names the loader.
    private static func loader(_ head: [UInt8]) -> String? {
        guard let table = number(head, at: 32, bytes: 8), let size = number(head, at: 54, bytes: 2),
            let count = number(head, at: 56, bytes: 2), table < headBytes, size >= 56
        else { return nil }
        for index in 0..<count {
            let entry = table + index * size
            guard number(head, at: entry, bytes: 4) == 3 else { continue }  // PT_INTERP
            guard let offset = number(head, at: entry + 8, bytes: 8),
                let length = number(head, at: entry + 32, bytes: 8),
                offset < head.count, length > 0, length <= head.count - offset
            else { return nil }
            let path = head[offset..<(offset + length)].prefix { $0 != 0 }
            return String(decoding: path, as: UTF8.self)
        }
        return nil
    }

    /// A little-endian number, or `nil` where the file is too short or the number too large.
    private static func number(_ bytes: [UInt8], at offset: Int, bytes count: Int) -> Int? {
        guard offset >= 0, count <= bytes.count, offset <= bytes.count - count else { return nil }
        let value = bytes[offset..<(offset + count)].reversed().reduce(UInt64(0)) {
            $0 << 8 | UInt64($1)
        }
        return value < 1 << 48 ? Int(value) : nil
    }
}
