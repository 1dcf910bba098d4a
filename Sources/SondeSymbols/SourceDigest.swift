// SPDX-License-Identifier: Apache-2.0
// The MD5 by which a line table names the text of a source file.

/// The MD5 of a source file's text.
///
/// Source: DWARF 5, section 6.2.4.1, `DW_LNCT_MD5`.
package struct SourceDigest: Hashable, Sendable {
    private let high: UInt64
    private let low: UInt64

    /// A digest of its 16 bytes; `nil` for another number of them.
    package init?(_ bytes: some Collection<UInt8>) {
        guard bytes.count == 16 else { return nil }
        high = bytes.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
        low = bytes.suffix(8).reduce(0) { $0 << 8 | UInt64($1) }
    }
}
