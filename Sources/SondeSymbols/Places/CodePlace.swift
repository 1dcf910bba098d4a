// SPDX-License-Identifier: Apache-2.0
// A place in code at which a probe can be set.

package import SondeModel

/// One instruction that belongs to a source line, and where it stands.
package struct CodePlace: Hashable, Sendable {
    /// The instruction's address; a statement of the line begins with it.
    package var address: ImageAddress
    /// The source file, as the compiler recorded it.
    package var file: String
    /// The source line, from 1.
    package var line: UInt32
    /// The column, from 1; 0 when the compiler recorded none.
    package var column: UInt32
    /// The function that the line is written in, for people: a function that was inlined here has
    /// its own name, not its caller's.
    package var function: String
    /// The linker's name of ``function``; empty when debug info has none.
    package var linkageName: String
    /// The functions that ``function`` was inlined into, for people, innermost first.
    ///
    /// The last one is the one that the machine calls. Empty when nothing was inlined.
    package var inlinedInto: [String]
    /// Where the machine's function begins.
    package var functionStart: ImageAddress
    /// The address behind the machine's function, or behind its part that holds ``address``.
    package var functionEnd: ImageAddress
    /// Whether the machine's function is a part of an `async` function that runs after a suspension.
    package var isAsyncFunclet: Bool

    /// A place without a name, in a function whose bounds are not known.
    package init(address: ImageAddress, file: String, line: UInt32, column: UInt32) {
        self.address = address
        self.file = file
        self.line = line
        self.column = column
        function = ""
        linkageName = ""
        inlinedInto = []
        functionStart = address
        functionEnd = address
        isAsyncFunclet = false
    }
}
