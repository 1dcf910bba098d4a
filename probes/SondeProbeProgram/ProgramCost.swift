// SPDX-License-Identifier: Apache-2.0
// What one hit can cost at most, and how much it may.

/// What one hit of a program can cost at most; the worst of all its sites.
package struct ProgramCost: Hashable, Sendable {
    /// Steps: an instruction is one, one that looks at many bytes is one more for each 16.
    package var steps = 0
    /// Bytes read from the service's memory.
    package var bytesRead = 0
    /// Bytes of the record's body.
    package var recordBytes = 0
    /// Guards within each other.
    package var guardDepth = 0
    /// Loops within each other.
    package var loopDepth = 0

    /// No cost.
    package init() {}

    /// The worse of two, part by part.
    package func worst(_ other: ProgramCost) -> ProgramCost {
        var cost = self
        cost.steps = max(steps, other.steps)
        cost.bytesRead = max(bytesRead, other.bytesRead)
        cost.recordBytes = max(recordBytes, other.recordBytes)
        cost.guardDepth = max(guardDepth, other.guardDepth)
        cost.loopDepth = max(loopDepth, other.loopDepth)
        return cost
    }
}

/// What a hit may cost, and what the machine has; the same on both ends.
package enum MachineBounds {
    /// The worst case of one hit.
    package static let steps = 65_536
    package static let bytesRead = 262_144
    package static let recordBytes = 65_536
    package static let guardDepth = 16
    package static let loopDepth = 4

    /// The machine's registers and spans.
    package static let registers = 32
    package static let spans = 8
    /// The most bytes of each side that a comparison of spans looks at.
    package static let comparedBytes = 4096
    /// The longest text that `spanContains` looks for.
    package static let soughtBytes = 255
    /// The most rounds of one loop.
    package static let rounds = 65_536

    /// Shapes within each other.
    package static let shapeDepth = 32
    /// Values that one value can consist of, an array's element counted once.
    package static let shapeValues = 65_536
}
