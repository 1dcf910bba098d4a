// SPDX-License-Identifier: Apache-2.0
// What is to be compiled: a place, a text with values, a condition, and how much a value may hold.

package import SondeProbeLanguage

/// What is to be compiled for one image.
package struct ProbeRequest: Hashable, Sendable {
    /// The place.
    package var location: ProbeLocation
    /// The text, with expressions in braces.
    package var template: String
    /// The condition, or `nil` to fire on every hit.
    package var condition: String?
    /// How much of a value is captured.
    package var capture = CaptureLimits()
    /// How large the texts may be.
    package var language = LanguageLimits()

    /// A request with the default limits.
    package init(location: ProbeLocation, template: String, condition: String? = nil) {
        self.location = location
        self.template = template
        self.condition = condition
    }
}

/// How much of one value is captured.
package struct CaptureLimits: Hashable, Sendable {
    /// Levels of members, elements and payloads below a value.
    package var depth = 3
    /// Elements of an array; an array within another one gets a tenth.
    package var elements = 100
    /// Bytes of a string.
    package var stringBytes = 256
    /// Members and elements of one value, counted in its type.
    package var parts = 512

    /// The default limits.
    package init() {}

    /// The next smaller limits, for a program that is over its budget; `nil` when there are none.
    package var smaller: CaptureLimits? {
        var limits = self
        if elements > 25 {
            limits.elements = 25
        } else if depth > 2 {
            limits.depth = 2
        } else if elements > 10 {
            limits.elements = 10
        } else if stringBytes > 128 {
            limits.stringBytes = 128
        } else if depth > 1 {
            limits.depth = 1
        } else if stringBytes > 32 {
            limits.stringBytes = 32
        } else if elements > 2 {
            limits.elements = 2
        } else {
            return nil
        }
        return limits
    }
}
