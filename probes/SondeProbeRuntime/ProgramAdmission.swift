// SPDX-License-Identifier: Apache-2.0
// Whether a program that came over the network may be installed here.

internal import SondeModel
internal import SondeProbeProgram
internal import SondeWire

/// Decodes, verifies and bounds a program, and asks the policy.
enum ProgramAdmission {
    /// The program of a probe, with limits that are not beyond what an agent allows.
    static func program(
        of wanted: ProbeState, _ policy: ProbePolicy, now: Int64
    ) -> Result<ProbeProgram, PatchRefusal> {
        var program: ProbeProgram
        do {
            program = try ProbeProgram(decoding: wanted.program)
            _ = try ProgramVerifier.verify(program)
        } catch {
            return .failure(PatchRefusal("the program is refused: \(error)"))
        }
        guard program.probe == wanted.id, program.revision == wanted.revision else {
            return .failure(
                PatchRefusal(
                    "the program is refused: got one of \(program.probe) revision "
                        + "\(program.revision); want \(wanted.id) revision \(wanted.revision)"))
        }
        let functions = program.images.flatMap { $0.sites.map(\.function) }
        let denial =
            policy.refusal(ofFile: program.file)
            ?? Set(functions).sorted().lazy.compactMap { policy.refusal(ofFunction: $0) }.first
        if let denial { return .failure(PatchRefusal(denial)) }
        for image in program.images {
            if let refusal = conditionRefusal(of: image, policy) {
                return .failure(PatchRefusal(refusal))
            }
        }
        program.limits = bounded(program.limits, now: now)
        return .success(program)
    }

    /// Why the condition of an image's program is refused.
    ///
    /// The names are the controller's word: what a machine's loads read has no name in the process.
    private static func conditionRefusal(
        of image: ImageProgram, _ policy: ProbePolicy
    ) -> String? {
        guard let condition = image.condition else {
            return image.hasCondition
                ? "the program is refused: got a condition without the names that it reads; want "
                    + "them, from a controller of this version" : nil
        }
        return policy.refusal(ofCondition: condition.names)
    }

    /// The limits, none of them beyond what any agent allows.
    private static func bounded(_ limits: ProbeLimits, now: Int64) -> ProbeLimits {
        var limits = limits
        let (latest, overflow) = now.addingReportingOverflow(ProbeRuntime.longestLife)
        limits.expiresUnixNanos = min(limits.expiresUnixNanos, overflow ? .max : latest)
        limits.hits = min(limits.hits, 1_000_000)
        limits.cpuMillionths = min(limits.cpuMillionths, 1_000_000)
        return limits
    }
}
