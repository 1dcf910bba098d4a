// SPDX-License-Identifier: Apache-2.0
// How readers of profiles turn addresses into names without knowing where debug info comes from.

/// Turns stored addresses into names.
package protocol SymbolResolver: Sendable {
    /// The functions at an offset of an image, outermost first: inlined calls follow the function
    /// they were inlined into.
    ///
    /// - Returns: At least one frame; one of kind ``Frame/Kind/unresolved`` when nothing is known.
    ///   Answers are cached, and may become better when debug info arrives later.
    func frames(image: ImageID, offset: FileOffset) -> [Frame]
}
