// SPDX-License-Identifier: Apache-2.0
// A variable that a line of source can name.

/// A variable that is visible at a place.
package struct VisibleVariable: Hashable, Sendable {
    /// The name in the source.
    package var name: String
    /// What it is.
    package var kind: Kind
    /// The line that declares it; 0 when debug info has none.
    package var declaredLine: UInt32
    /// Its type.
    package var type: TypeID
    /// Where its value is.
    package var location: VariableLocation
    /// How much of its value can be read.
    package var availability: Availability
    /// The function that the place's own was inlined into, and whose variable it is, for people.
    ///
    /// `nil` for a global, and for a variable of the function that the place's line is written in.
    package var inlinedInto: String?

    /// What a variable is.
    package enum Kind: Hashable, Sendable {
        /// A parameter of the function, `self` included.
        case parameter
        /// A variable of the function.
        case local
        /// A variable of an enclosing function, in a closure.
        case capture
        /// A variable outside of functions.
        case global
    }

    /// A variable of the place's own function, readable as far as its location says.
    package init(
        name: String, kind: Kind, declaredLine: UInt32, type: TypeID, location: VariableLocation
    ) {
        self.name = name
        self.kind = kind
        self.declaredLine = declaredLine
        self.type = type
        self.location = location
        availability = location.availability
    }
}
