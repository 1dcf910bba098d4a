// SPDX-License-Identifier: Apache-2.0
// Finds an interned address by its image and offset: once for each distinct location of a profile.

/// An open hash table from (image, offset) to the index of a location.
///
/// At most half of the slots are taken, so a probe ends soon.
struct AddressIndex {
    private struct Slot {
        var offset: UInt64 = 0
        var image: Int32 = 0
        /// -1 in a free slot.
        var location: Int32 = -1
    }

    /// A power of two of them.
    private var slots = [Slot](repeating: Slot(), count: 16)
    private var taken = 0

    /// Mixed into each hash, so that a sender cannot choose addresses that all fall into one slot.
    private static let seed = UInt64.random(in: .min ... .max)

    /// The location of an address, or `nil` when it is not there.
    func location(image: Int32, offset: UInt64) -> Int32? {
        let found = slots[place(image, offset)].location
        return found < 0 ? nil : found
    }

    /// Adds an address that is not there.
    mutating func insert(_ location: Int32, image: Int32, offset: UInt64) {
        slots[place(image, offset)] = Slot(offset: offset, image: image, location: location)
        taken += 1
        guard taken * 2 > slots.count else { return }
        let old = slots
        slots = [Slot](repeating: Slot(), count: old.count * 4)
        for slot in old where slot.location >= 0 { slots[place(slot.image, slot.offset)] = slot }
    }

    /// The slot of an address, or the free one where it belongs.
    @inline(__always)
    private func place(_ image: Int32, _ offset: UInt64) -> Int {
        let mask = slots.count - 1
        let mixed = (offset ^ Self.seed) &+ UInt64(UInt32(bitPattern: image)) << 40
        let product = mixed.multipliedFullWidth(by: 0x9E37_79B9_7F4A_7C15)
        var place = Int(truncatingIfNeeded: product.high ^ product.low) & mask
        while slots[place].location >= 0,
            slots[place].offset != offset || slots[place].image != image
        {
            place = (place + 1) & mask
        }
        return place
    }
}
