// SPDX-License-Identifier: Apache-2.0
// The labels that Pyroscope derives from a profile's type, beside those that were sent.

package import SondeModel

/// The labels of a series with those that derive from its profile type.
package enum DerivedLabels {
    /// All labels of a series, sorted by name.
    package static func all(_ labels: LabelSet, type: ProfileType) -> LabelSet {
        var all = labels
        for (name, value) in derived(labels, type) { all = all.setting(name, to: value) }
        return all
    }

    private static func derived(
        _ labels: LabelSet, _ type: ProfileType
    ) -> [(String, String?)] {
        [
            (LabelName.metric, type.name), (LabelName.profileType, type.description),
            ("__type__", type.sampleType), ("__unit__", type.sampleUnit),
            ("__period_type__", type.periodType), ("__period_unit__", type.periodUnit),
            ("__service_name__", labels[LabelName.service]),
        ]
    }

    /// The labels of these names, sorted; names that a series lacks are left out.
    package static func projection(
        _ labels: LabelSet, type: ProfileType, onto names: [String]
    ) -> LabelSet {
        let all = all(labels, type: type)
        let wanted = Set(names)
        return LabelSet(inOrder: all.labels.filter { wanted.contains($0.name) }) ?? LabelSet()
    }

    /// Whether a name is an identifier: readers that do not say otherwise know no other names.
    package static func isIdentifier(_ name: String) -> Bool {
        guard let first = name.utf8.first, !(48...57).contains(first) else { return false }
        return name.utf8.allSatisfy(SelectorParser.isNameByte)
    }
}
