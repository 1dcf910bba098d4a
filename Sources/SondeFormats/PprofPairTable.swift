// SPDX-License-Identifier: Apache-2.0
// A hash table from pairs of numbers to small numbers: what reading pprof looks up most.

/// An open hash table from (group, number) to a number that is not negative.
///
/// The general dictionary takes most of the time of naming locations. At most half of the slots
/// are taken, and a secret factor keeps a sender from choosing numbers that all fall into one.
struct PprofPairTable {
    private struct Slot {
        var number: UInt64 = 0
        var group: Int32 = 0
        /// -1 in a free slot.
        var value: Int32 = -1
    }

    /// A power of two of them.
    private var slots: [Slot]
    private var taken = 0

    private static let seed = UInt64.random(in: .min ... .max)

    init(roomFor count: Int) {
        var capacity = 16
        while capacity < count * 2, capacity < 1 << 20 { capacity *= 2 }
        slots = [Slot](repeating: Slot(), count: capacity)
    }

    /// The value of a pair; `value` becomes it when there is none.
    mutating func value(of group: Int, _ number: UInt64, orInsert value: Int32) -> Int32 {
        let group = Int32(truncatingIfNeeded: group)
        let mask = slots.count - 1
        var place = Self.hash(group, number) & mask
        while slots[place].value >= 0 {
            if slots[place].number == number, slots[place].group == group {
                return slots[place].value
            }
            place = (place + 1) & mask
        }
        slots[place] = Slot(number: number, group: group, value: value)
        taken += 1
        if taken * 2 > slots.count { grow() }
        return value
    }

    private static func hash(_ group: Int32, _ number: UInt64) -> Int {
        let mixed = (number ^ seed) &+ UInt64(UInt32(bitPattern: group)) &* 0xD6E8_FEB8_6659_FD93
        let product = (mixed ^ seed >> 7).multipliedFullWidth(by: 0x9E37_79B9_7F4A_7C15)
        return Int(truncatingIfNeeded: product.high ^ product.low)
    }

    private mutating func grow() {
        let old = slots
        slots = [Slot](repeating: Slot(), count: old.count * 2)
        let mask = slots.count - 1
        for slot in old where slot.value >= 0 {
            var place = Self.hash(slot.group, slot.number) & mask
            while slots[place].value >= 0 { place = (place + 1) & mask }
            slots[place] = slot
        }
    }
}
