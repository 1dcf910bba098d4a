// SPDX-License-Identifier: Apache-2.0
// Which type a variable has, as far as DWARF names it.

/// A type of one image, to be asked for its layout.
///
/// Swift's DWARF names types and says little else, so the mangled name is the key there; C's types
/// are described by their debug entry. At least one of the two is there, unless the variable has no
/// type at all.
package struct TypeID: Hashable, Sendable {
    /// The offset of the type's entry in `.debug_info`; `nil` for a type that was found otherwise.
    package var entry: UInt64?
    /// Swift's mangled name as DWARF states it, with `$s` in front and `D` behind; `nil` for C.
    package var mangledName: String?
    /// How many bytes a value takes, when DWARF says so.
    package var byteSize: UInt64?

    /// A type from what is known of it.
    package init(entry: UInt64?, mangledName: String? = nil, byteSize: UInt64? = nil) {
        self.entry = entry
        self.mangledName = mangledName
        self.byteSize = byteSize
    }
}
