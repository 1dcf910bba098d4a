// SPDX-License-Identifier: Apache-2.0
// What one entry of a stored stack is, before and after its names are known.

/// One entry of a stored stack.
package enum Location: Hashable, Sendable {
    /// An address whose names are looked up when the profile is read. For every frame but the leaf
    /// it is the return address minus one, so that it lies inside the call.
    case address(image: ImageID, offset: FileOffset)
    /// Names that the sender had already looked up, outermost first: a call that was inlined
    /// follows its caller.
    case symbolized([Frame])
}

/// One function in a stack, by name.
package struct Frame: Hashable, Sendable {
    /// The name for people: demangled, without a return type.
    package var name: String
    /// The linker's name, or empty when unknown.
    package var systemName: String
    /// The source file's path as the compiler recorded it, or empty when unknown.
    package var file: String
    /// The line on which the function begins, or 0 when unknown.
    package var startLine: Int32
    /// The name of the image, such as `bookmaker` or `libc.so.6`; may be empty.
    package var module: String
    /// How the name came about.
    package var kind: Kind

    /// How a frame's name came about.
    package enum Kind: UInt8, Hashable, Sendable {
        /// A function of its own, by debug info or symbol table.
        case function
        /// A call that the compiler inlined into the frame before it.
        case inlined
        /// No name could be found: the name is the image and an address.
        case unresolved
        /// Several nodes folded into one, because the answer was limited.
        case other
    }

    /// A frame from its parts.
    package init(
        name: String, systemName: String = "", file: String = "", startLine: Int32 = 0,
        module: String = "", kind: Kind = .function
    ) {
        self.name = name
        self.systemName = systemName
        self.file = file
        self.startLine = startLine
        self.module = module
        self.kind = kind
    }
}

/// Stacks by address or name, as the store keeps and merges them.
package typealias LocationTree = StackTree<Location>

/// Stacks by name, as a flame graph shows them.
package typealias FrameTree = StackTree<Frame>
