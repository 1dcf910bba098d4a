// SPDX-License-Identifier: Apache-2.0
// Colours, where they are wanted.

/// How a piece of text looks on a terminal.
package enum Style: String, Sendable {
    case bold = "1"
    case dim = "2"
    case red = "31"
    case green = "32"
    case yellow = "33"
    case hot = "1;31"

    /// Text in this style, or as it is where there are no colours.
    package func apply(_ text: String, in outlet: Outlet) -> String {
        guard outlet.hasColour, !text.isEmpty else { return text }
        return "\u{1B}[\(rawValue)m\(text)\u{1B}[0m"
    }

    /// The style for a share of the whole: what is worth looking at stands out.
    package static func forShare(_ share: Double) -> Style? {
        if share >= 0.25 { return .hot }
        if share >= 0.05 { return .yellow }
        return share < 0.005 ? .dim : nil
    }
}
