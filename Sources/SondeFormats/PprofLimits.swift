// SPDX-License-Identifier: Apache-2.0
// How much a foreign pprof may hold before it is refused.

/// The most that ``PprofDocument/init(decoding:limits:)`` accepts of each thing.
///
/// They bound the memory of a decoded document: at most about 8 bytes for each of ``elements``, 100
/// for each location, function and mapping, and 24 for each sample, on top of the strings. Merging
/// its stacks takes up to 80 bytes for each entry of a stack, for a moment.
package struct PprofLimits: Hashable, Sendable {
    /// Bytes of the document, not compressed.
    package var bytes = 32 << 20
    /// Samples.
    package var samples = 1 << 19
    /// Entries of one sample's stack.
    package var stackDepth = 1 << 14
    /// Entries of the string table.
    package var strings = 1 << 19
    /// Locations, and functions, and comments, each.
    package var locations = 1 << 19
    /// Mappings.
    package var mappings = 1 << 14
    /// Kinds of values.
    package var sampleTypes = 64
    /// Machine words in samples and locations together: one for each entry of a stack and each
    /// value, eight for each label, three for each line.
    package var elements = 4 << 20

    /// The default limits: far above what profilers send, low enough for a controller to bear.
    package init() {}
}
