// SPDX-License-Identifier: Apache-2.0
// How much a foreign profile may hold before it is refused.

/// The most that the readers of foreign formats accept of each thing.
///
/// They bound memory and time: what is read needs at most about 100 bytes for each of ``nodes``, on
/// top of the names, and time in proportion to ``bytes`` and ``steps``.
package struct FormatLimits: Hashable, Sendable {
    /// Bytes of the profile, not compressed.
    package var bytes = 64 << 20
    /// Entries of one stack; what is deeper is cut off at the leaf, and its value kept.
    package var stackDepth = 1024
    /// Bytes of one name; of a longer one, the end is kept.
    package var nameBytes = 65_535
    /// Distinct nodes of all stacks together.
    package var nodes = 4 << 20
    /// Entries of all stacks together, each time they occur.
    package var steps = 64 << 20
    /// Profiles in one file, and groups of samples in one profile.
    package var profiles = 4096
    /// Spans of one profile whose stacks are kept apart; those of further ones are not.
    package var spans = 1 << 16
    /// Entries of each table: names, stacks, classes, attributes.
    package var tableEntries = 1 << 20

    /// The default limits: far above what profilers send, low enough for a controller to bear.
    package init() {}

    func check(bytes count: Int, _ format: String) throws(FormatError) {
        guard count <= bytes else { throw .tooMany(format, "bytes", limit: bytes) }
    }
}
