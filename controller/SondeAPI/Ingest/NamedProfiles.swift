// SPDX-License-Identifier: Apache-2.0
// From formats whose stacks are names to profiles: types by the application's suffix, scaled values.

internal import SondeFormats
internal import SondeModel

/// Makes profiles of stacks that are names.
struct NamedProfiles {
    private let parameters: IngestParameters
    private let naming: SuffixNaming

    init(_ parameters: IngestParameters) {
        self.parameters = parameters
        naming = SuffixNaming(parameters.name.application, sampleRate: parameters.sampleRate)
    }

    /// Hands the profile of stacks without a type or unit of their own to an intake.
    func keep(_ stacks: FrameTree, bytes: Int, in intake: inout ProfileIntake) throws(Refusal) {
        let factor = naming.isTime ? parameters.sampleRate : 0
        try keep(stacks, naming.type, samplesPerSecond: factor, bytes: bytes, in: &intake)
    }

    /// Hands the profiles of a speedscope file to an intake, each by itself: the label
    /// `profile_name` tells them apart.
    ///
    /// Where their units differ, times are `wall` and bytes `memory`.
    func keep(
        _ profiles: [NamedStacks], bytes: Int, in intake: inout ProfileIntake
    ) throws(Refusal) {
        let differ = Set(profiles.map(\.unit)).count > 1
        for profile in profiles {
            var type = naming.type
            var factor = naming.isTime ? parameters.sampleRate : 0
            switch profile.unit {
            case "nanoseconds":
                factor = 0
                if differ || type.sampleUnit != "nanoseconds" {
                    type = SuffixNaming("a.wall", sampleRate: 100).type
                }
            case "bytes":
                factor = 0
                if type.sampleUnit != "bytes" {
                    type = SuffixNaming("a.bytes", sampleRate: 100).type
                }
            default: break
            }
            try keep(
                profile.stacks, type, samplesPerSecond: factor, name: profile.name,
                bytes: bytes / profiles.count, in: &intake)
        }
    }

    private func keep(
        _ stacks: FrameTree, _ type: ProfileType, samplesPerSecond: Int, name: String? = nil,
        bytes: Int, in intake: inout ProfileIntake
    ) throws(Refusal) {
        var sent = parameters.labels(
            metric: type.name, service: naming.service,
            application: parameters.name.application)
        if let name, !name.isEmpty, !sent.contains(where: { $0.name == "profile_name" }) {
            sent.append(Label(name: "profile_name", value: name))
        }
        let labels = try intake.checked(sent).setting(LabelName.metric, to: nil)
        let profile = Profile(
            type: type, labels: labels, start: parameters.from,
            durationNanoseconds: parameters.durationNanoseconds,
            period: samplesPerSecond > 0 ? Self.nanoseconds(1, samplesPerSecond) : 0,
            stacks: Self.located(stacks, samplesPerSecond))
        try intake.keep(profile, bytes: bytes)
    }

    /// The tree with names as locations; samples become nanoseconds where a rate is given.
    static func located(_ stacks: FrameTree, _ samplesPerSecond: Int) -> LocationTree {
        var values = stacks.selfValues
        if samplesPerSecond > 0 {
            for index in values.indices where values[index] != 0 {
                values[index] = nanoseconds(values[index], samplesPerSecond)
            }
        }
        return LocationTree(
            parents: stacks.parents, keyIndices: stacks.keyIndices, selfValues: values,
            keys: stacks.keys.map { .symbolized([$0]) }) ?? LocationTree()
    }

    /// The time that samples stand for; saturates where the range ends.
    private static func nanoseconds(_ samples: Int64, _ perSecond: Int) -> Int64 {
        let rate = Int64(perSecond)
        let product = samples.multipliedFullWidth(by: 1_000_000_000)
        guard product.high < rate, product.high >= 0 else { return samples < 0 ? 0 : .max }
        let quotient = rate.magnitude.dividingFullWidth(
            (UInt64(product.high), product.low)
        ).quotient
        return Int64(clamping: quotient)
    }
}
