// SPDX-License-Identifier: Apache-2.0
// Where a profile of an id is stored: the id says so itself, so that no index is needed.

internal import SondeModel

extension ProfileID {
    /// The id of a day's row: a UUID of version 8, whose bytes are free to choose (RFC 9562, 5.8).
    ///
    /// A row's number is less than 2^56: no store lives to see more.
    init(day: UTCDay, row: Int64) {
        let day = UInt64(UInt32(truncatingIfNeeded: day.number))
        self.init(
            high: day << 32 | 0x8000,
            low: 0x8000_0000_0000_0000 | UInt64(bitPattern: row) & 0x00FF_FFFF_FFFF_FFFF)
    }

    /// The day whose row this may be.
    var day: UTCDay { UTCDay(number: Int64(Int32(truncatingIfNeeded: high >> 32))) }

    /// The row that this may be.
    var row: Int64 { Int64(bitPattern: low & 0x00FF_FFFF_FFFF_FFFF) }
}
