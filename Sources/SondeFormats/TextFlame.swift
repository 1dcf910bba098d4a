// SPDX-License-Identifier: Apache-2.0
// Writes merged stacks as an indented tree for a terminal.

package import SondeModel

/// A tree for a terminal: share, value and name on each line, the largest child first.
///
/// A line is indented only where the stacks branch; below an only child the tree goes straight
/// down, so that deep stacks stay on the screen:
///
///     100.0%     12.3 s  main
///      60.2%      7.4 s  ├ run()
///      60.2%      7.4 s  │ step()
///      39.8%      4.9 s  └ idle()
package struct TextFlame: Sendable {
    /// The longest line, in columns, at least 40; longer names are cut and end in `…`.
    package var width = 120
    /// The smallest share of the whole that is shown, 0...1.
    package var minimumShare = 0.005
    /// The most lines; what is left out then is said on the last one.
    package var maximumLines = 10_000

    /// A writer with a width of 120 that leaves out what is below half a percent.
    package init() {}

    /// The tree as lines; empty when the stacks have no value.
    package func text(_ tree: FrameTree, unit: String) -> String {
        let totals = tree.totals
        guard totals[0] > 0 else { return "" }
        let format = ValueFormat(unit: unit)
        let children = tree.childrenByTotal(totals)
        let threshold = Double(totals[0]) * min(max(minimumShare, 0), 1)
        var text = ""
        var lines = 0
        var pending = [Entry(node: 0, lead: "", continuation: "")]
        while let entry = pending.popLast() {
            guard lines < maximumLines else {
                text += "… more than \(maximumLines) lines\n"
                break
            }
            lines += 1
            text += line(
                share: ValueFormat.share(entry.value(totals), of: totals[0]),
                value: format.string(entry.value(totals)),
                name: entry.lead + entry.label(tree))
            if entry.hiddenCount == 0 {
                pending += below(entry, children, totals, threshold).reversed()
            }
        }
        return text
    }

    /// A line to come.
    private struct Entry {
        var node: Int
        /// What stands before its own name.
        var lead: String
        /// What stands before the names of the nodes below it.
        var continuation: String
        /// For a line about children that are too small: how many, and their sum.
        var hiddenCount = 0
        var hiddenValue: Int64 = 0

        func value(_ totals: [Int64]) -> Int64 { hiddenCount > 0 ? hiddenValue : totals[node] }

        func label(_ tree: FrameTree) -> String {
            if hiddenCount > 0 { return hiddenCount == 1 ? "1 more" : "\(hiddenCount) more" }
            return tree.frame(node)?.name ?? "total"
        }
    }

    private func below(
        _ entry: Entry, _ children: ChildLists, _ totals: [Int64], _ threshold: Double
    ) -> [Entry] {
        var shown: [Entry] = []
        var rest = Entry(node: entry.node, lead: "", continuation: "")
        for child in children[entry.node] {
            let total = totals[Int(child)]
            if total > 0, Double(total) >= threshold {
                shown.append(Entry(node: Int(child), lead: "", continuation: ""))
            } else if total > 0 {
                rest.hiddenCount += 1
                rest.hiddenValue += total
            }
        }
        if rest.hiddenCount > 0, Double(rest.hiddenValue) >= threshold { shown.append(rest) }
        let branches = shown.count > 1
        for index in shown.indices {
            let isLast = index == shown.count - 1
            shown[index].lead = entry.continuation + (branches ? isLast ? "└ " : "├ " : "")
            shown[index].continuation = entry.continuation + (branches ? isLast ? "  " : "│ " : "")
        }
        return shown
    }

    private func line(share: String, value: String, name: String) -> String {
        let head = Self.padded(share, to: 6) + Self.padded(value, to: 11) + "  "
        let room = max(40, width) - head.count
        let plain =
            name.contains { $0.isNewline } ? String(name.map { $0.isNewline ? " " : $0 }) : name
        return head + (plain.count > room ? plain.prefix(room - 1) + "…" : plain[...]) + "\n"
    }

    private static func padded(_ text: String, to width: Int) -> String {
        String(repeating: " ", count: max(0, width - text.count)) + text
    }
}
