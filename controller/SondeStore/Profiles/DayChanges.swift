// SPDX-License-Identifier: Apache-2.0
// Which days changed when: whether what is remembered of a day is still true.

internal import Synchronization

/// Numbers the changes of days.
///
/// A day is noted before and after each change. So what was read of a day while its number stayed
/// the same is of one state of it, and is true as long as the number stays.
final class DayChanges: Sendable {
    private struct State {
        var last: UInt64 = 0
        var of: [Int64: UInt64] = [:]
    }

    private let state = Mutex(State())

    /// Notes that a day is about to change, or has changed.
    func note(_ day: UTCDay) {
        state.withLock { state in
            state.last += 1
            state.of[day.number] = state.last
        }
    }

    /// The number of the last change of any day of a window; 0 when none has changed.
    func mark(of window: DayWindow) -> UInt64 {
        state.withLock { state in
            // Few days change, those that are written to; windows may have more.
            state.of.reduce(0) { window.days.contains($1.key) ? max($0, $1.value) : $0 }
        }
    }
}

/// A power of two of days, whose number it divides: of these, few make any stretch of time.
struct DayWindow: Hashable, Sendable {
    var first: Int64
    var count: Int64

    /// The most days of one window: two months have at least one in common.
    static let longest: Int64 = 32

    /// The numbers of its days.
    var days: Range<Int64> { first..<first + count }

    /// The fewest windows that make these days, in order.
    static func cover(_ days: Range<Int64>) -> [DayWindow] {
        var result: [DayWindow] = []
        var next = days.lowerBound
        while next < days.upperBound {
            var count = longest
            // Day 0 is the first of 1970; those before are numbered down.
            while next % count != 0 || next + count > days.upperBound { count /= 2 }
            result.append(DayWindow(first: next, count: count))
            next += count
        }
        return result
    }
}
