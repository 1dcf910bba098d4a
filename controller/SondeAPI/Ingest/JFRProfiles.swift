// SPDX-License-Identifier: Apache-2.0
// From a JFR recording and the labels beside it to profiles with their spans.

internal import SondeFormats
internal import SondeModel

/// Makes profiles of recordings of JDK Flight Recorder.
struct JFRProfiles {
    private let parameters: IngestParameters
    private let labels: LabelsSnapshot

    init(_ parameters: IngestParameters, labels: LabelsSnapshot) {
        self.parameters = parameters
        self.labels = labels
    }

    /// What a sample stands for, unless the recording says so itself.
    static func samplePeriod(_ parameters: IngestParameters) -> Int64 {
        Int64(1_000_000_000 / (parameters.sampleRate > 0 ? parameters.sampleRate : 100))
    }

    /// Hands a recording's profiles to an intake: one for each kind of value.
    func keep(
        _ profiles: [JFRProfile], bytes: Int, in intake: inout ProfileIntake
    ) throws(Refusal) {
        for profile in profiles {
            intake.attempt { intake throws(Refusal) in
                try keep(profile, bytes: bytes / profiles.count, in: &intake)
            }
        }
    }

    private func keep(
        _ recorded: JFRProfile, bytes: Int, in intake: inout ProfileIntake
    ) throws(Refusal) {
        let application = parameters.name.application
        var sent = parameters.labels(
            metric: recorded.type.name, service: application, application: application)
        if !recorded.event.isEmpty, !sent.contains(where: { $0.name == "jfr_event" }) {
            sent.append(Label(name: "jfr_event", value: recorded.event))
        }
        let series = try intake.checked(sent).setting(LabelName.metric, to: nil)
        var profile = Profile(
            type: recorded.type, labels: series,
            start: parameters.hasTimes ? parameters.from : recorded.start,
            durationNanoseconds: parameters.hasTimes
                ? parameters.durationNanoseconds : recorded.durationNanoseconds,
            period: max(0, recorded.period), stacks: LocationTree())
        var placeOf: [SpanID: Int] = [:]
        for part in recorded.contexts {
            let stacks = NamedProfiles.located(part.stacks, 0)
            profile.stacks.merge(stacks)
            let (span, dropped) = span(of: part.context)
            intake.dropped(sampleLabels: dropped)
            guard let span else { continue }
            if let place = placeOf[span] {
                profile.spans[place].stacks.merge(stacks)
            } else {
                placeOf[span] = profile.spans.count
                profile.spans.append(SpanStacks(span: span, stacks: stacks))
            }
        }
        try intake.keep(profile, bytes: bytes)
    }

    /// The span that a context names, and how many other labels it has.
    private func span(of context: JFRContext) -> (SpanID?, dropped: Int) {
        let all = labels.labels(of: context.contextID)
        let named = all.first { $0.name == "span_id" } ?? all.first { $0.name == "profile_id" }
        let dropped = all.count { !["span_id", "profile_id"].contains($0.name) }
        if context.spanID != 0 { return (SpanID(context.spanID), dropped) }
        return (named.flatMap { SpanID($0.value) }, dropped)
    }
}
