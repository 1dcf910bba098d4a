// SPDX-License-Identifier: Apache-2.0
// What a command has around it, and how it speaks to it.

/// What a command has around it.
package struct Surroundings: Sendable {
    /// The environment's variables.
    package var environment: [String: String]
    /// Standard output: answers.
    package var output: Outlet
    /// Standard error: all else.
    package var errors: Outlet

    package init(environment: [String: String], output: Outlet, errors: Outlet) {
        self.environment = environment
        self.output = output
        self.errors = errors
    }

    /// Writes a line to standard error; what cannot be written there is lost.
    ///
    /// On a terminal it is broken at spaces, and goes on under its own beginning.
    package func note(_ line: String) {
        let indent = line.prefix { $0 == " " }.count
        // Several lines belong together as they are.
        let text =
            line.contains("\n")
            ? nil
            : errors.width.map {
                HelpText.wrap(line, width: $0, indent: indent, hanging: 2)
            }
        try? errors.write((text ?? line) + "\n")
    }

    /// Writes the controller's notes to standard error, where they do not disturb an answer.
    package func note(notes: [String]) {
        for line in notes { note("note: " + line.forTerminal) }
    }

    /// Writes the controller's JSON as it is, with a newline at the end.
    package func writeJSON(_ body: [UInt8]) throws {
        try output.write(body.last == UInt8(ascii: "\n") ? body : body + [UInt8(ascii: "\n")])
    }
}
