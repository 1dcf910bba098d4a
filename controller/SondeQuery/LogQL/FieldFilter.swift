// SPDX-License-Identifier: Apache-2.0
// Conditions on fields: labels and structured metadata, as texts or as numbers.

/// `| name="value" and (size > 10KB or took >= 1.5s)`.
indirect enum FieldFilter: Sendable {
    /// A field's text.
    case matcher(Selector.Matcher)
    /// A field's number.
    case comparison(FieldComparison)
    /// Both have to hold; the right one is not looked at when the left one does not.
    case both(FieldFilter, FieldFilter)
    /// One has to hold.
    case either(FieldFilter, FieldFilter)

    /// Whether the condition holds.
    func accepts(_ fields: inout LogFields) -> Bool {
        switch self {
        case .matcher(let matcher): matcher.accepts(fields.value(of: matcher.name))
        case .comparison(let comparison): comparison.accepts(&fields)
        case .both(let left, let right): left.accepts(&fields) && right.accepts(&fields)
        case .either(let left, let right): left.accepts(&fields) || right.accepts(&fields)
        }
    }

    var exceededPattern: String? {
        switch self {
        case .matcher(let matcher): matcher.exceeded ? matcher.description : nil
        case .comparison: nil
        case .both(let left, let right), .either(let left, let right):
            left.exceededPattern ?? right.exceededPattern
        }
    }
}

/// A field compared with a number, a duration or a size.
struct FieldComparison: Sendable {
    /// How the two are compared.
    enum Operation: String, Sendable, CaseIterable {
        // In the order in which they have to be tried: the longer ones first.
        case equal = "=="
        case notEqual = "!="
        case atLeast = ">="
        case atMost = "<="
        case greater = ">"
        case less = "<"
        case equalToo = "="
    }

    let name: String
    let operation: Operation
    let quantity: FieldQuantity

    /// Whether the condition holds.
    ///
    /// An absent field satisfies none. One that is no number of this kind satisfies all, and the
    /// line is marked: that is what Loki does, so that a mistake in a query shows.
    func accepts(_ fields: inout LogFields) -> Bool {
        guard fields.problem == nil else { return true }
        let text = fields.value(of: name)
        guard !text.isEmpty else { return false }
        guard let value = quantity.kind.read(text) else {
            fields.problem = LogFieldProblem(
                details: "cannot compare \(name): got \"\(text.prefix(100))\"; "
                    + "want \(quantity.kind.rawValue)")
            return true
        }
        let wanted = quantity.value
        return switch operation {
        case .equal, .equalToo: value == wanted
        case .notEqual: value != wanted
        case .greater: value > wanted
        case .atLeast: value >= wanted
        case .less: value < wanted
        case .atMost: value <= wanted
        }
    }
}
