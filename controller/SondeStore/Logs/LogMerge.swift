// SPDX-License-Identifier: Apache-2.0
// Puts the lines of several chunks into one order of time.

internal import SondeModel

/// A heap of chunks by the time of the next line of each.
struct LogMerge {
    private struct Cursor {
        var entries: [LogEntry]
        var next = 0
        var labels: LabelSet
        var chunk: Int64
    }

    private let newestFirst: Bool
    private var heap: [Cursor] = []

    init(newestFirst: Bool) { self.newestFirst = newestFirst }

    /// Whether a chunk whose first line in this order has such a time has to be added before
    /// ``next()`` is asked.
    func isReached(_ time: Int64) -> Bool {
        guard let top = heap.first else { return true }
        let front = top.entries[top.next].time.unixNanoseconds
        return newestFirst ? time >= front : time <= front
    }

    /// Adds a chunk's lines, which are in the order that is wanted.
    mutating func add(_ entries: [LogEntry], _ labels: LabelSet, chunk: Int64) {
        guard !entries.isEmpty else { return }
        heap.append(Cursor(entries: entries, labels: labels, chunk: chunk))
        var place = heap.count - 1
        while place > 0, precedes(place, (place - 1) / 2) {
            heap.swapAt(place, (place - 1) / 2)
            place = (place - 1) / 2
        }
    }

    /// The next line; `nil` when there is none left.
    mutating func next() -> (LabelSet, LogEntry)? {
        guard let top = heap.first else { return nil }
        let entry = top.entries[top.next]
        if top.next + 1 < top.entries.count {
            heap[0].next += 1
        } else {
            heap.swapAt(0, heap.count - 1)
            heap.removeLast()
        }
        sink()
        return (top.labels, entry)
    }

    private mutating func sink() {
        var place = 0
        while true {
            var least = place
            for child in [2 * place + 1, 2 * place + 2]
            where child < heap.count && precedes(child, least) {
                least = child
            }
            guard least != place else { return }
            heap.swapAt(place, least)
            place = least
        }
    }

    /// Of lines of one time, those of the later chunk were received later.
    private func precedes(_ left: Int, _ right: Int) -> Bool {
        let (left, right) = (heap[left], heap[right])
        let (first, second) = (left.entries[left.next].time, right.entries[right.next].time)
        if first != second { return newestFirst ? first > second : first < second }
        return newestFirst ? left.chunk > right.chunk : left.chunk < right.chunk
    }
}
