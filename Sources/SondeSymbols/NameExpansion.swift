// SPDX-License-Identifier: Apache-2.0
// How large a mangled name may become: back references let 300 bytes stand for terabytes.

/// An upper bound for the length of a demangled name.
///
/// Both Swift's and C++'s mangling may refer back to what was named before, and the runtime's
/// demanglers print all of it. The bound is generous, since which part a reference means is only
/// known to a demangler: the part with a number ends before it is referred to for the first time, so
/// it holds at most all that stands before that, its own references included. Names of real
/// programs stay far below ``limit``; of forged ones, what passes expands to some megabytes.
enum NameExpansion {
    /// The bound above which a name is not demangled.
    static let limit = 0x1p36

    /// Whether a Swift name cannot become huge.
    static func isModest(swift name: String) -> Bool {
        var scanner = Scanner(name)
        return scanner.swiftBound() <= limit
    }

    /// Whether a C++ name cannot become huge.
    static func isModest(cxx name: String) -> Bool {
        var scanner = Scanner(name)
        return scanner.cxxBound() <= limit
    }
}

private struct Scanner {
    private let bytes: [UInt8]
    private var position = 0
    private var total: Double
    /// How much each part that was referred to may hold.
    private var sizes: [Int: Double] = [:]
    /// The numbers of the parts that were referred to, with how often.
    private var counts: [Int: Double] = [:]

    init(_ name: String) {
        bytes = Array(name.utf8)
        total = Double(bytes.count)
    }

    private func byte(_ offset: Int = 0) -> UInt8 {
        position + offset < bytes.count ? bytes[position + offset] : 0
    }

    private func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
    private func isLower(_ byte: UInt8) -> Bool { (0x61...0x7A).contains(byte) }
    private func isUpper(_ byte: UInt8) -> Bool { (0x41...0x5A).contains(byte) }

    private mutating func refer(to part: Int, times: Double = 1) {
        if sizes[part] == nil {
            // A template's argument (below 0) may hold all that was there when it is used first.
            var size = part < 0 ? total : Double(bytes.count)
            // A part holds only references to parts that were complete before it.
            for (other, count) in counts where other < part {
                size += count * (sizes[other] ?? 0)
            }
            sizes[part] = size
        }
        counts[part, default: 0] += times
        total += times * (sizes[part] ?? 0)
    }

    /// A decimal number, cut off at the name's length.
    private mutating func number() -> Int {
        var value = 0
        while isDigit(byte()) {
            value = min(value * 10 + Int(byte() - 0x30), bytes.count)
            position += 1
        }
        return value
    }

    /// Passes over an identifier behind its length.
    ///
    /// What may be another number is not passed over, so that nothing can hide behind it: its
    /// letters then count as if they were references.
    private mutating func identifier(notBefore stops: [UInt8]) {
        let length = number()
        guard !stops.contains(byte()), length <= bytes.count - position else { return }
        position += length
    }

    mutating func swiftBound() -> Double {
        while position < bytes.count, total <= NameExpansion.limit {
            switch byte() {
            case UInt8(ascii: "A"):
                position += 1
                substitutions()
            case UInt8(ascii: "S"):
                // Known types, perhaps repeated: S2i.
                position += 1
                _ = number()
            case UInt8(ascii: "T"):
                // Specializations have a digit behind their letters: Tg5, Tf4, Tt0g5.
                position += 1
                while isLower(byte()) || isUpper(byte()) { position += 1 }
                if isDigit(byte()) { position += 1 }
                if isLower(byte()), isDigit(byte(1)) { position += 2 }
            case let digit where isDigit(digit):
                identifier(notBefore: [UInt8(ascii: "_")])
            default:
                position += 1
            }
        }
        return total
    }

    /// `A`, then letters: small ones go on, a capital one ends; each may have a repetition before it.
    private mutating func substitutions() {
        while position < bytes.count {
            let repetitions = isDigit(byte()) ? number() : 1
            let letter = byte()
            position += 1
            if isLower(letter) {
                refer(to: Int(letter - 0x61), times: Double(max(1, repetitions)))
            } else if isUpper(letter) {
                refer(to: Int(letter - 0x41), times: Double(max(1, repetitions)))
                return
            } else {
                // "A_" is part 26, "A0_" is 27 and so on.
                refer(to: 26 + repetitions)
                return
            }
        }
    }

    mutating func cxxBound() -> Double {
        while position < bytes.count, total <= NameExpansion.limit {
            switch byte() {
            case UInt8(ascii: "S"):
                position += 1
                guard isDigit(byte()) || isUpper(byte()) || byte() == UInt8(ascii: "_") else {
                    continue
                }
                var part = 0
                while isDigit(byte()) || isUpper(byte()) {
                    let digit = isDigit(byte()) ? Int(byte()) - 0x30 : Int(byte()) - 0x41 + 10
                    part = min(part * 36 + digit + 1, 1 << 20)
                    position += 1
                }
                refer(to: part)
            case UInt8(ascii: "T"):
                position += 1
                // A template's parameter stands for an argument, which is before it.
                if isDigit(byte()) || byte() == UInt8(ascii: "_") { refer(to: -1) }
            case let digit where isDigit(digit):
                identifier(notBefore: [UInt8(ascii: "_"), UInt8(ascii: "E")])
            default:
                position += 1
            }
        }
        return total
    }
}
