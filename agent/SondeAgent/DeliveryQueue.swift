// SPDX-License-Identifier: Apache-2.0
// Pushes that wait for delivery, within limits of bytes and age.

/// A push that waits for delivery; its body is the same at each attempt.
struct PendingPush: Sendable {
    /// The whole body of the request.
    var body: [UInt8]
    /// How many profiles or lines are in it: what is counted when it is lost.
    var items: Int
    /// When it was made, by the monotonic clock, in nanoseconds.
    var created: UInt64
    /// Its place in the order of all pushes of its queue; given by the queue.
    fileprivate(set) var number: UInt64 = 0

    /// A push from its parts.
    init(body: [UInt8], items: Int, created: UInt64) {
        self.body = body
        self.items = items
        self.created = created
    }
}

/// A queue that drops its oldest entries when it grows too large, and those that are too old.
struct DeliveryQueue: Sendable {
    private var entries: [PendingPush] = []
    private var lastNumber: UInt64 = 0
    /// The bytes of all entries.
    private(set) var byteCount = 0
    /// What is in all entries.
    private(set) var itemCount = 0

    private let maximumBytes: Int
    private let maximumAge: UInt64

    /// A queue with its limits.
    init(maximumBytes: Int, maximumAgeSeconds: Double) {
        self.maximumBytes = maximumBytes
        maximumAge = UInt64(min(max(maximumAgeSeconds, 0), 1e6) * 1e9)
    }

    /// The number of entries.
    var count: Int { entries.count }

    /// The oldest entry.
    var first: PendingPush? { entries.first }

    /// Adds an entry and makes room for it.
    ///
    /// - Parameters:
    ///   - push: The entry.
    ///   - kept: The number of an entry that stays, because it is just being sent: whether it
    ///     arrives is not known yet.
    /// - Returns: How many items were dropped because of the limit of bytes; the new ones are among
    ///   them when there is no room for their push.
    mutating func append(_ push: PendingPush, keeping kept: UInt64? = nil) -> Int {
        guard push.body.count <= maximumBytes else { return push.items }
        let oldest = entries.first?.number == kept ? 1 : 0
        var dropped = 0
        while byteCount + push.body.count > maximumBytes {
            guard entries.count > oldest else { return dropped + push.items }
            dropped += remove(at: oldest)
        }
        lastNumber &+= 1
        var numbered = push
        numbered.number = lastNumber
        entries.append(numbered)
        byteCount += push.body.count
        itemCount += push.items
        return dropped
    }

    /// Drops what is too old.
    ///
    /// - Parameter now: The monotonic time, in nanoseconds.
    /// - Returns: How many items were dropped.
    mutating func dropOutdated(at now: UInt64) -> Int {
        var dropped = 0
        while let oldest = entries.first, now > oldest.created, now - oldest.created > maximumAge {
            dropped += removeFirst()
        }
        return dropped
    }

    /// Removes the oldest entry.
    ///
    /// - Returns: How many items were in it.
    @discardableResult
    mutating func removeFirst() -> Int {
        entries.isEmpty ? 0 : remove(at: 0)
    }

    private mutating func remove(at index: Int) -> Int {
        let gone = entries.remove(at: index)
        byteCount -= gone.body.count
        itemCount -= gone.items
        return gone.items
    }
}
