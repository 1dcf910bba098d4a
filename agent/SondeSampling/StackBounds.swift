// SPDX-License-Identifier: Apache-2.0
// Verifies where threads' stacks lie, so that the handler may read them with plain loads.

/// Finds the bounds of stacks in a map of this process.
///
/// A stack is believed only where nothing that the host does to other memory can make a hole in it
/// while its thread lives: the main stack, or a region with a guard below it and the thread's
/// control block in it, which is the stack's end. Fibers and alternate stacks are neither, and are
/// read with guarded reads for ever.
struct StackBoundsFinder {
    /// A thread whose stack is looked for.
    struct Request: Hashable {
        /// Which thread; the caller's own number.
        var slot: UInt32
        /// A stack pointer of the thread.
        var stackPointer: UInt64
        /// Its thread pointer (`fs`): the address of its control block.
        var threadPointer: UInt64
    }

    /// What was found: `[low, high)` of each slot.
    private(set) var found: [UInt32: Range<UInt64>] = [:]

    private var requests: [Request]
    private var next = 0
    private var previous: MemoryRegion?

    /// A search for some threads.
    init(_ requests: [Request]) {
        self.requests = requests.sorted { $0.stackPointer < $1.stackPointer }
    }

    /// Looks at the next region; regions come by ascending address.
    mutating func look(at region: MemoryRegion) {
        while next < requests.count, requests[next].stackPointer < region.end {
            let request = requests[next]
            next += 1
            guard request.stackPointer >= region.start, region.isReadWrite else { continue }
            if let range = bounds(of: request, in: region) { found[request.slot] = range }
        }
        previous = region
    }

    private func bounds(of request: Request, in region: MemoryRegion) -> Range<UInt64>? {
        if region.isMainStack { return region.start..<region.end }
        guard let previous, previous.isGuard, previous.end == region.start else { return nil }
        let top = request.threadPointer & ~7
        guard top > request.stackPointer, top < region.end else { return nil }
        return region.start..<top
    }
}
