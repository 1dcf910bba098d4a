// SPDX-License-Identifier: Apache-2.0
// A line that a probe made, on its way to the logs.

package import SondeModel

/// One line of one hit of one probe.
package struct ProbeLine: Hashable, Sendable {
    /// When the hit was, in nanoseconds since the Unix epoch.
    package var unixNanoseconds: Int64
    /// The line's level, such as `info`.
    package var level: String
    /// The probe's tag; may be empty.
    package var tag: String
    /// The text; valid UTF-8 and bounded.
    package var text: String
    /// What is known beside it: names and values, some of them user labels; a name that stands
    /// twice counts the first time.
    package var metadata: [Label]

    /// A line from its parts.
    package init(
        unixNanoseconds: Int64, level: String, tag: String, text: String, metadata: [Label]
    ) {
        self.unixNanoseconds = unixNanoseconds
        self.level = level
        self.tag = tag
        self.text = text
        self.metadata = metadata
    }

    /// About the memory that the line holds.
    package var byteCount: Int {
        metadata.reduce(text.utf8.count &+ 64) {
            $0 &+ $1.name.utf8.count &+ $1.value.utf8.count &+ 32
        }
    }
}
