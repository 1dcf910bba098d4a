// SPDX-License-Identifier: Apache-2.0
// Turns a pprof profile into the profiles that the store keeps, one for each sample type.

package import SondeModel

extension PprofDocument {
    /// The profiles of a series' sample, one for each sample type.
    ///
    /// Values of 0 and below are dropped, stacks that are equal are merged, and a stack that is too
    /// deep loses its leaf side. Of the samples' labels, spans and traces are kept. Names follow
    /// Pyroscope: the profile is named by `__name__`; `godeltaprof_memory` is `memory`, with the
    /// other name as the label `__name_replaced__`; a `wall` profile that counts `cpu` is
    /// `process_cpu`; labels that are derived from the type are left out, and `service_name` is
    /// `unknown_service` when absent.
    ///
    /// - Parameters:
    ///   - seriesLabels: The labels of the series, `__name__` among them.
    ///   - receivedAt: When the profile began if the document does not say.
    ///   - maxStackDepth: The most entries of a stack to keep.
    /// - Returns: One profile for each sample type, in their order; some may be empty.
    /// - Throws: ``PprofError`` when there is no sample type, or a name that no profile type can
    ///   have.
    package func profiles(
        seriesLabels: LabelSet, receivedAt: Timestamp, maxStackDepth: Int = 1000
    ) throws(PprofError) -> [Profile] {
        guard !sampleTypes.isEmpty else { throw .noSampleTypes }
        let types = try profileTypes(seriesName: seriesLabels[LabelName.metric] ?? "")
        let labels = Self.storedLabels(of: seriesLabels)
        let trees = try PprofStackMerger.trees(of: self, maxStackDepth: max(1, maxStackDepth))
        return zip(types, trees).map { type, tree in
            var profile = Profile(
                type: type, labels: labels,
                start: timeNanos > 0 ? Timestamp(unixNanoseconds: timeNanos) : receivedAt,
                durationNanoseconds: max(0, durationNanos), period: max(0, period),
                stacks: tree.stacks)
            profile.spans = tree.spans
            return profile
        }
    }

    private func profileTypes(seriesName: String) throws(PprofError) -> [ProfileType] {
        var name = seriesName
        if name.hasPrefix(Self.deltaPrefix) { name.removeFirst(Self.deltaPrefix.count) }
        try Self.check(name, "series name (__name__)")
        let period = periodType ?? ValueType(type: "", unit: "")
        if period.type.contains(":") {
            throw .badName(what: "period type", name: period.type)
        }
        if period.unit.contains(":") {
            throw .badName(what: "period unit", name: period.unit)
        }
        var types: [ProfileType] = []
        for type in sampleTypes {
            try Self.check(type.type, "sample type")
            if type.unit.contains(":") { throw .badName(what: "sample unit", name: type.unit) }
            types.append(
                ProfileType(
                    name: name == "wall" && type.type == "cpu" ? "process_cpu" : name,
                    sampleType: type.type, sampleUnit: type.unit.isEmpty ? "count" : type.unit,
                    periodType: period.type, periodUnit: period.unit))
        }
        return types
    }

    /// What Alloy calls differences that were computed in the process itself.
    private static let deltaPrefix = "godeltaprof_"

    private static func check(_ name: String, _ what: String) throws(PprofError) {
        if name.isEmpty || name.contains(":") { throw .badName(what: what, name: name) }
    }

    /// Labels that state the profile type over again, or that only steer a receiver.
    private static let derivedLabels: [String] = [
        LabelName.metric, LabelName.profileType, "__type__", "__unit__", "__period_type__",
        "__period_unit__", "__service_name__", "__delta__", "__otel__", "__sampled__",
        "__session_id__", "__tenant__",
    ]

    private static func storedLabels(of series: LabelSet) -> LabelSet {
        var labels = series
        if let name = series[LabelName.metric], name.hasPrefix(deltaPrefix) {
            labels = labels.setting("__name_replaced__", to: name)
        }
        for name in derivedLabels where labels[name] != nil {
            labels = labels.setting(name, to: nil)
        }
        if labels[LabelName.service] == nil {
            labels = labels.setting(LabelName.service, to: "unknown_service")
        }
        return labels
    }
}
