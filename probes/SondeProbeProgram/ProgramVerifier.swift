// SPDX-License-Identifier: Apache-2.0
// Decides whether a program may run, and what a hit costs at most.

internal import SondeModel

/// Decides whether a program may run.
///
/// A verified program reads only what it set before, jumps only forward and never into or out of a
/// guard or a loop, runs each loop a bounded number of times, writes only between `accept` and
/// `commit`, and ends. So the steps, the bytes read and the bytes recorded of one hit have a worst
/// case, which is computed here, on both ends, and must be within ``MachineBounds``.
///
/// What a record's bytes mean is not decided here: whoever renders a record treats its body as
/// bytes from anywhere.
package enum ProgramVerifier {
    /// Verifies a program.
    ///
    /// - Parameter program: A program that was decoded or compiled.
    /// - Returns: What one hit can cost at most.
    /// - Throws: ``ProgramError`` that says which instruction or element is wrong and why.
    /// - Complexity: O(instructions + shapes), whatever the program is.
    package static func verify(_ program: ProbeProgram) throws(ProgramError) -> ProgramCost {
        var sites = 0
        var worst = ProgramCost()
        for image in program.images {
            sites &+= image.sites.count
            guard sites <= ProgramBounds.sites else {
                throw .tooMany("sites", sites, limit: ProgramBounds.sites)
            }
            worst = worst.worst(try verify(image))
        }
        return worst
    }

    private static func verify(_ image: ImageProgram) throws(ProgramError) -> ProgramCost {
        try ProgramReader.check(image.code.count, "instructions", ProgramBounds.instructions)
        try ProgramReader.check(image.constants.count, "constants", ProgramBounds.constants)
        try ProgramReader.check(image.strings.count, "strings", ProgramBounds.strings)
        try verifyRelocations(image)
        try ShapeVerifier.verify(image)
        let entries = try entries(of: image)
        var worst = ProgramCost()
        for (number, entry) in entries.enumerated() {
            let end = number &+ 1 < entries.count ? entries[number &+ 1] : image.code.count
            let nesting = try CodeNesting(image, entry..<end)
            var course = CodeCourse(image, entry..<end, nesting)
            worst = worst.worst(try course.follow())
        }
        return worst
    }

    /// The first instructions of the sites' programs, each of which ends where the next begins.
    private static func entries(of image: ImageProgram) throws(ProgramError) -> [Int] {
        var entries: Set<Int> = []
        for site in image.sites {
            guard site.entry < image.code.count else {
                throw .invalid(
                    "a site at instruction \(site.entry)",
                    want: "one of \(image.code.count) instructions")
            }
            guard site.functionStart <= site.address, site.address < site.functionEnd else {
                throw .invalid(
                    "a site at \(site.address.rawValue) outside of its function",
                    want: "one in \(site.functionStart.rawValue)..<\(site.functionEnd.rawValue)")
            }
            entries.insert(Int(site.entry))
        }
        let sorted = entries.sorted()
        let first = sorted.first ?? image.code.count
        guard first == 0 else {
            throw .invalid("\(first) instructions before the first site's", want: "none")
        }
        return sorted
    }

    private static func verifyRelocations(_ image: ImageProgram) throws(ProgramError) {
        var seen = [Bool](repeating: false, count: image.constants.count)
        for index in image.relocations {
            guard index < seen.count else {
                throw .invalid(
                    "a relocation of constant \(index)", want: "one of \(seen.count) constants")
            }
            guard !seen[Int(index)] else {
                throw .invalid("two relocations of constant \(index)", want: "one")
            }
            seen[Int(index)] = true
        }
    }
}

extension ProgramError {
    static func invalid(_ found: String, want: String) -> ProgramError {
        ProgramError(.invalid, "cannot use the probe program: got \(found); want \(want)")
    }

    static func invalid(
        at index: Int, _ instruction: Instruction, _ found: String, want: String
    ) -> ProgramError {
        .invalid("\(found) at instruction \(index), \(instruction.op)", want: want)
    }
}
