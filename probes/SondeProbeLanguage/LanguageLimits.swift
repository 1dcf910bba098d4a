// SPDX-License-Identifier: Apache-2.0
// How large a template or a condition may be.

/// How large a template or a condition may be.
///
/// They bound what parsing, checking and compiling cost, whoever sends the text.
package struct LanguageLimits: Hashable, Sendable {
    /// Bytes of a template or a condition.
    package var textBytes = 8192
    /// How deeply brackets and prefixes may be nested.
    package var nesting = 64
    /// How deep the tree may be, and so how long a chain of members or of `||` may be.
    package var depth = 256
    /// Names, literals, operators and so on of one expression.
    package var nodes = 512
    /// Texts and values of a template.
    package var segments = 128

    /// The default limits, which nothing that a person types comes near.
    package init() {}
}
