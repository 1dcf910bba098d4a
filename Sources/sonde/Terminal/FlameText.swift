// SPDX-License-Identifier: Apache-2.0
// A flame graph as an indented text tree, fitted to a terminal: its width, colours and characters.

internal import SondeFormats

/// Merged stacks as lines of text.
package struct FlameText {
    /// Which nodes are shown.
    package struct Limits: Sendable {
        /// Nodes with a smaller part of the whole are left out; 0...1.
        package var minimumShare: Double
        /// Nodes further from the root are left out.
        package var depth: Int
        package init(minimumShare: Double = 0.01, depth: Int = .max) {
            self.minimumShare = minimumShare
            self.depth = depth
        }
    }

    private let answer: FlameAnswer
    private let limits: Limits
    private let outlet: Outlet
    private var children: [[Int]] = []
    private var lines: [String] = []
    private var isCutByShare = 0
    private var isCutByDepth = 0

    /// The tree as lines, each with a newline.
    ///
    /// A frame stands under its caller. Lines are only indented where a caller has several visible
    /// callees, so that a deep stack without branches stays at the left.
    ///
    /// - Parameters:
    ///   - answer: The controller's answer.
    ///   - limits: Which nodes are shown.
    ///   - outlet: Where the text goes; lines are cut to its width.
    /// - Returns: A heading, one line a node, and what was left out.
    /// - Throws: ``CommandFailure`` when the answer's columns do not fit together.
    package static func text(
        _ answer: FlameAnswer, _ limits: Limits, for outlet: Outlet
    ) throws(CommandFailure) -> String {
        var tree = FlameText(answer: answer, limits: limits, outlet: outlet)
        try tree.connect()
        tree.draw()
        return tree.lines.joined()
    }

    private init(answer: FlameAnswer, limits: Limits, outlet: Outlet) {
        self.answer = answer
        self.limits = limits
        self.outlet = outlet
    }

    /// Finds each node's children, checking every index, for the answer comes from outside.
    private mutating func connect() throws(CommandFailure) {
        let nodes = answer.nodes, frames = answer.frames
        let count = nodes.parent.count
        let isSound =
            count > 0 && nodes.frame.count == count && nodes.`self`.count == count
            && nodes.total.count == count && frames.kind.count == frames.name.count
            && frames.module.count == frames.name.count
            && (frames.name + frames.module).allSatisfy { answer.strings.indices.contains($0) }
        guard isSound else { throw Self.unsound }
        children = [[Int]](repeating: [], count: count)
        for node in nodes.parent.indices.dropFirst() {
            let parent = nodes.parent[node]
            guard (0..<node).contains(parent), frames.name.indices.contains(nodes.frame[node])
            else { throw Self.unsound }
            children[parent].append(node)
        }
    }

    private static let unsound = CommandFailure(
        "cannot read the flame graph: got columns that do not fit together;"
            + " want those of docs/http-api.md")

    private mutating func draw() {
        let heading = "  share" + numbers(total: "total", own: "self") + "function"
        lines.append(Style.bold.apply(cut(heading, outlet.width ?? .max), in: outlet) + "\n")
        // A stack of its own instead of recursion: an answer may be thousands of frames deep.
        var pending: [(node: Int, depth: Int, before: String, below: String)] = []
        pending.append((0, 0, "", ""))
        while let (node, depth, before, below) = pending.popLast() {
            lines.append(line(node, before))
            let visible = visibleChildren(of: node, depth: depth)
            for (place, child) in visible.enumerated().reversed() {
                if visible.count == 1 {
                    pending.append((child, depth + 1, below, below))
                } else if place == visible.count - 1 {
                    pending.append((child, depth + 1, below + mark("└ ", "` "), below + "  "))
                } else {
                    pending.append(
                        (child, depth + 1, below + mark("├ ", "+ "), below + mark("│ ", "| ")))
                }
            }
        }
        if isCutByShare > 0 {
            let share = Quantity.decimal(limits.minimumShare * 100, places: 1)
            let branches = Quantity.count(isCutByShare, "branch", "branches")
            note("not shown: \(branches) below \(share)%; --min-share 0 shows all")
        }
        if isCutByDepth > 0 {
            let branches = Quantity.count(isCutByDepth, "branch", "branches")
            note("not shown: what \(branches) called below depth \(limits.depth); --depth sets it")
        }
    }

    private mutating func visibleChildren(of node: Int, depth: Int) -> [Int] {
        guard depth < limits.depth else {
            isCutByDepth += children[node].isEmpty ? 0 : 1
            return []
        }
        let least = limits.minimumShare * Double(answer.nodes.total[0])
        let visible = children[node].filter { Double(answer.nodes.total[$0]) >= least }
        isCutByShare += children[node].count - visible.count
        return visible.sorted { left, right in
            let totals = answer.nodes.total
            return totals[left] != totals[right] ? totals[left] > totals[right] : left < right
        }
    }

    private func line(_ node: Int, _ before: String) -> String {
        let total = answer.nodes.total[node], whole = answer.nodes.total[0]
        let own = answer.nodes.`self`[node]
        let share = ValueFormat.share(total, of: whole).leftPadded(7)
        let values = numbers(
            total: outlet.value(total, unit: answer.unit),
            own: own == 0 ? "" : outlet.value(own, unit: answer.unit))
        let (name, kind) = label(node)
        let room = (outlet.width ?? .max) - DisplayWidth.of(share + values)
        let indent = cut(before, max(0, room - 16))
        // Its marks and the ellipsis take a column each.
        let remaining = room - indent.unicodeScalars.count
        let shown = cut(name, max(1, remaining))
        let part = whole > 0 ? Double(total) / Double(whole) : 0
        var text = Style.forShare(part)?.apply(share, in: outlet) ?? share
        text += values + Style.dim.apply(indent, in: outlet)
        text += kind >= 2 ? Style.dim.apply(shown, in: outlet) : shown
        let tail = self.tail(node, kind)
        if !tail.isEmpty, remaining - DisplayWidth.of(shown) > DisplayWidth.of(tail) + 2 {
            text += Style.dim.apply("  " + tail, in: outlet)
        }
        return text + "\n"
    }

    /// The columns behind the share; a narrow terminal has no room for all of them.
    private func numbers(total: String, own: String) -> String {
        let width = outlet.width ?? .max
        var text = width < 50 ? "" : total.leftPadded(11)
        if width >= 70 { text += own.leftPadded(11) }
        return text + "  "
    }

    private func label(_ node: Int) -> (name: String, kind: Int) {
        guard node > 0 else { return ("all", 0) }
        let frame = answer.nodes.frame[node]
        return (
            answer.strings[answer.frames.name[frame]].forTerminal, answer.frames.kind[frame]
        )
    }

    private func module(_ node: Int) -> String {
        guard node > 0 else { return "" }
        return answer.strings[answer.frames.module[answer.nodes.frame[node]]].forTerminal
    }

    /// What is said behind a name: that the call is inlined, or the module where it is another one
    /// than the caller's.
    private func tail(_ node: Int, _ kind: Int) -> String {
        guard node > 0, kind < 2 else { return "" }
        if kind == 1 { return "(inlined)" }
        let module = module(node)
        return module == self.module(answer.nodes.parent[node]) ? "" : module
    }

    private func cut(_ text: String, _ columns: Int) -> String {
        DisplayWidth.cut(text, to: columns, ellipsis: outlet.hasUnicode ? "…" : "~")
    }

    private func mark(_ unicode: String, _ ascii: String) -> String {
        outlet.hasUnicode ? unicode : ascii
    }

    private mutating func note(_ text: String) {
        lines.append(Style.dim.apply(cut(text, outlet.width ?? .max), in: outlet) + "\n")
    }
}

extension String {
    /// The text with spaces before it, up to some columns.
    fileprivate func leftPadded(_ columns: Int) -> String {
        DisplayWidth.pad(self, to: columns, right: true)
    }
}
