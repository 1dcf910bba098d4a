// SPDX-License-Identifier: Apache-2.0
// Labels: the sorted name and value pairs that name a series.

/// One label of a series.
package struct Label: Hashable, Sendable {
    /// The name, such as `service_name`.
    package var name: String
    /// The value; never empty inside a ``LabelSet``.
    package var value: String

    /// A label from its name and value.
    package init(name: String, value: String) {
        self.name = name
        self.value = value
    }
}

/// The labels of a series, sorted by name's bytes, each name once.
package struct LabelSet: Hashable, Sendable {
    /// The labels in order of their names' bytes.
    package let labels: [Label]

    /// No labels.
    package init() { labels = [] }

    /// Labels from pairs in any order.
    ///
    /// Empty values mean "absent" and are left out.
    ///
    /// - Throws: ``LabelError`` when a name is empty or stands twice.
    package init(_ pairs: some Sequence<Label>) throws(LabelError) {
        let sorted = pairs.filter { !$0.value.isEmpty }.sorted { left, right in
            left.name.utf8.lexicographicallyPrecedes(right.name.utf8)
        }
        for (index, label) in sorted.enumerated() {
            guard !label.name.isEmpty else { throw .emptyName(value: label.value) }
            if index > 0, sorted[index - 1].name == label.name {
                throw .duplicateName(label.name)
            }
        }
        labels = sorted
    }

    /// Labels that are in order already, as those that were stored are.
    ///
    /// Returns `nil` when they are not in order of their names' bytes, or one has no name or value.
    package init?(inOrder labels: [Label]) {
        var before: String?
        for label in labels {
            guard !label.name.isEmpty, !label.value.isEmpty else { return nil }
            if let before, !before.utf8.lexicographicallyPrecedes(label.name.utf8) { return nil }
            before = label.name
        }
        self.labels = labels
    }

    /// The value of the label of this name, or `nil` when absent.
    package subscript(name: String) -> String? {
        labels.first { $0.name == name }?.value
    }

    /// The same labels with one set, or removed when `value` is `nil` or empty.
    package func setting(_ name: String, to value: String?) -> LabelSet {
        var rest = labels.filter { $0.name != name }
        if let value, !value.isEmpty, !name.isEmpty {
            let place = rest.firstIndex { name.utf8.lexicographicallyPrecedes($0.name.utf8) }
            rest.insert(Label(name: name, value: value), at: place ?? rest.endIndex)
        }
        return LabelSet(sorted: rest)
    }

    private init(sorted: [Label]) { labels = sorted }
}

/// Why a list of pairs is no label set.
package enum LabelError: Error, Hashable, CustomStringConvertible {
    /// A label has an empty name.
    case emptyName(value: String)
    /// A name stands twice.
    case duplicateName(String)

    package var description: String {
        switch self {
        case .emptyName(let value):
            "cannot read labels: got an empty name for the value \"\(value)\"; want a name"
        case .duplicateName(let name):
            "cannot read labels: got the name \"\(name)\" twice; want each name once"
        }
    }
}

/// Names of labels that have a meaning of their own.
package enum LabelName {
    /// The service that a series belongs to.
    package static let service = "service_name"
    /// The profile's name: the first part of a ``ProfileType``.
    package static let metric = "__name__"
    /// The whole profile type id.
    package static let profileType = "__profile_type__"
}
