// SPDX-License-Identifier: Apache-2.0
// Names of Swift types, without an image.

/// Names of Swift types by their mangled names.
package enum SwiftTypeName {
    /// The type for people, such as `[Bet?]`; `nil` when the name is not understood.
    ///
    /// The mangled name is as debug info states it: `$s` in front and `D` behind.
    package static func readable(_ mangledName: String) -> String? {
        (try? SwiftTypeParser.type(mangledName: mangledName))?.readable
    }

    /// The mangled name without abbreviations, the same for all ways to mangle the type.
    package static func canonical(_ mangledName: String) -> String? {
        (try? SwiftTypeParser.type(mangledName: mangledName)).map { "$s\($0.mangled)D" }
    }
}
