// SPDX-License-Identifier: Apache-2.0
// Compiles a probe for one image: every address of its line, one record shape for all of them.

import SondeModel
import SondeProbeLanguage
package import SondeProbeProgram
import SondeSymbols

/// Compiles probes against debug info.
package enum ProbeCompiler {
    /// A compiled probe, and what is to be said about it.
    package struct Compiled: Hashable, Sendable {
        /// The program for this image.
        package var program: ImageProgram
        /// The source file as recorded.
        package var file: String
        /// The line.
        package var line: UInt32
        /// What one hit costs at most.
        package var cost: ProgramCost
        /// How much of a value is captured; less than asked for when that would cost too much.
        package var capture: CaptureLimits
    }

    /// Compiles a probe for one image.
    ///
    /// A condition that cannot be compiled at an address does not fire there, and a value that
    /// cannot be read there says so in each line; when there is no address at which it can be, the
    /// probe is refused.
    ///
    /// - Throws: ``ProbeCompileError`` with what would work instead.
    package static func compile(
        _ request: ProbeRequest, image: any DebugInfoSource
    ) throws(ProbeCompileError) -> Compiled {
        let template: Template
        var condition: (expression: Expression, source: SourceText)?
        do throws(LanguageError) {
            template = try Template(parsing: request.template, limits: request.language)
            if let text = request.condition {
                let source = SourceText(text, role: .condition)
                condition = (
                    try ExpressionParser.parse(source, limits: request.language), source
                )
            }
        } catch {
            throw ProbeCompileError(error)
        }
        let found = try ProbePlaces(request.location, in: image)
        var limits = request.capture
        while true {
            let line = LineCompiler(
                found, template: template, condition: condition, limits: limits, info: image)
            if let (program, cost) = try line.compile() {
                return Compiled(
                    program: program, file: found.file, line: found.line, cost: cost,
                    capture: limits)
            }
            guard let smaller = limits.smaller else {
                throw ProbeCompileError(
                    .overBudget,
                    "cannot compile the template: found more than one hit may cost; want fewer or "
                        + "smaller values, such as single members")
            }
            limits = smaller
        }
    }
}
