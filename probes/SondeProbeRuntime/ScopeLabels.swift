// SPDX-License-Identifier: Apache-2.0
// Numbers for sets of labels, so that a hit can note a set by one word.

internal import SondeLock
package import SondeModel

/// The label sets of scopes, each under a number; the newest are kept.
package enum ScopeLabels {
    /// The most sets that are kept; records of older ones come without their labels.
    static let maximumSets = 16_384
    /// The most labels of a set, and the most bytes of a name and of a value.
    static let maximumLabels = 16, maximumNameBytes = 128, maximumValueBytes = 512

    private struct Table {
        let process = OwnProcess()
        var numbers: [LabelSet: UInt64] = [:]
        var sets: [UInt64: LabelSet] = [:]
        var last: UInt64 = 0
        var oldest: UInt64 = 1
    }

    private static let table = Locked(Table())
    private static let process = OwnProcess()

    /// The number of a set, which holds what an outer one does and these labels.
    ///
    /// - Returns: 0 in a child of `fork`, which may not touch the lock, and for no labels at all.
    static func number(of labels: [String: String], inside outer: UInt64) -> UInt64 {
        guard process.isThisOne else { return 0 }
        return table.withLock { table in
            var all = table.sets[outer] ?? LabelSet()
            for name in labels.keys.sorted() {
                guard let value = labels[name], isUsable(name),
                    all[name] != nil || all.labels.count < maximumLabels
                else { continue }
                all = all.setting(name, to: cut(value))
            }
            guard !all.labels.isEmpty else { return 0 }
            if let known = table.numbers[all] { return known }
            table.last &+= 1
            table.numbers[all] = table.last
            table.sets[table.last] = all
            while table.sets.count > maximumSets {
                if let old = table.sets.removeValue(forKey: table.oldest) {
                    table.numbers[old] = nil
                }
                table.oldest &+= 1
            }
            return table.last
        }
    }

    /// The labels of a set; none when it is not kept any more.
    package static func labels(of number: UInt64) -> [Label] {
        guard number != 0, process.isThisOne else { return [] }
        return table.withLock { $0.sets[number]?.labels ?? [] }
    }

    /// Letters, digits and `_`, beginning with none of the digits, and no name of our own.
    private static func isUsable(_ name: String) -> Bool {
        let isDigit: (UInt8) -> Bool = { (0x30...0x39).contains($0) }
        guard let first = name.utf8.first, !isDigit(first), name.utf8.count <= maximumNameBytes
        else { return false }
        return name.utf8.allSatisfy {
            isDigit($0) || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0) || $0 == 0x5F
        }
    }

    private static func cut(_ value: String) -> String {
        var text = BoundedText(limit: maximumValueBytes)
        text.append(value)
        return text.string
    }
}
