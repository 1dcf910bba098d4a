// SPDX-License-Identifier: Apache-2.0
// Which lines a stream surely does not have yet, without a look at the disk.

internal import SondeModel

/// What is remembered of one stream's latest lines, so that a new line is known as new.
///
/// It never says that a line is new which is stored already; when it cannot know, it says so, and
/// the disk has to be asked. Two generations of hashes: the older one is forgotten when the newer
/// one is full, and then lines as old as those in it cannot be known any more.
struct RecentLogEntries {
    private struct Generation {
        var hashes: Set<Int> = []
        var latest = Int64.min
    }

    private let capacity: Int
    /// Of lines before this time nothing is known.
    private var firstKnown: Int64
    private var current = Generation()
    private var previous = Generation()

    /// Memory of a stream whose latest stored line has this time; `nil` when it has none.
    init(latestStored: Int64?, capacity: Int = 4096) {
        self.capacity = capacity
        firstKnown = latestStored.map { $0 == .max ? .max : $0 + 1 } ?? .min
    }

    /// Whether a line is surely not stored yet.
    func isSurelyNew(_ entry: LogEntry) -> Bool {
        guard entry.time.unixNanoseconds >= firstKnown else { return false }
        let hash = entry.hashValue
        return !current.hashes.contains(hash) && !previous.hashes.contains(hash)
    }

    /// Remembers a line.
    mutating func insert(_ entry: LogEntry) {
        if current.hashes.count >= capacity {
            if !previous.hashes.isEmpty, previous.latest >= firstKnown {
                firstKnown = previous.latest == .max ? .max : previous.latest + 1
            }
            previous = current
            current = Generation()
        }
        current.hashes.insert(entry.hashValue)
        current.latest = max(current.latest, entry.time.unixNanoseconds)
    }
}
