// SPDX-License-Identifier: Apache-2.0
// Which series a question is about: label matchers as PromQL writes them.

package import SondeModel

/// A set of label matchers, all of which a series has to satisfy.
///
///     let selector = try Selector(#"{service_name="bookmaker",region=~"eu-.*"}"#)
///     selector.matches(series.labels, type: series.type)
///
/// A series without a label is matched as if the label were empty, as in PromQL: `a=""` asks for
/// its absence and `a!=""` for its presence. Beside a series' own labels the names that Pyroscope
/// derives from its profile type can be asked for: `__name__`, `__profile_type__`, `__type__`,
/// `__unit__`, `__period_type__`, `__period_unit__` and `__service_name__`.
package struct Selector: Sendable {
    /// The matchers, in the order in which they were written.
    package let matchers: [Matcher]

    /// A selector that every series satisfies.
    package init() { matchers = [] }

    /// A selector from matchers, as where several selectors have to hold at once.
    package init(_ matchers: [Matcher]) { self.matchers = matchers }

    /// The series of one service.
    package init(service: String) {
        matchers = [Matcher(name: LabelName.service, equals: service)]
    }

    /// Reads a selector.
    ///
    /// `{a="b",c!="d",e=~"re",f!~"re",}` as in PromQL; a metric name may stand in front, and then
    /// means `__name__`, or `__profile_type__` when it is a whole profile type. A bare word is the
    /// name of a service. Nothing at all means everything.
    ///
    /// - Throws: ``QueryError`` that names the place.
    package init(_ text: String) throws(QueryError) {
        var parser = try SelectorParser(text)
        matchers = try parser.selector()
    }

    /// Whether a series satisfies all matchers.
    ///
    /// - Parameters:
    ///   - labels: The labels of the series.
    ///   - type: The profile type of the series, for the labels that derive from it.
    /// - Returns: Whether all do.
    package func matches(_ labels: LabelSet, type: ProfileType? = nil) -> Bool {
        matchers.allSatisfy { matcher in
            matcher.accepts(Self.value(of: matcher.name, in: labels, type: type))
        }
    }

    /// What went wrong while matching: a regular expression took too long.
    ///
    /// Answers given after that are not complete, so ask for this when all series are matched.
    package var problem: QueryError? {
        for matcher in matchers where matcher.exceeded {
            return QueryError(
                .tooExpensive,
                "cannot match \(matcher): got a regular expression that takes more than "
                    + "\(Pattern.maximumSteps) steps for one value or \(Pattern.maximumSeconds) s "
                    + "for all; want a simpler one")
        }
        return nil
    }

    /// The value that the selector demands of a label by equality, such as the one service it asks
    /// for; `nil` when it leaves a choice.
    package func requiredValue(of name: String) -> String? {
        matchers.first { $0.name == name && $0.operation == .equal && !$0.value.isEmpty }?.value
    }

    private static func value(
        of name: String, in labels: LabelSet, type: ProfileType?
    ) -> String {
        if let value = labels[name] { return value }
        if name == "__service_name__" { return labels[LabelName.service] ?? "" }
        guard let type else { return "" }
        switch name {
        case LabelName.metric: return type.name
        case LabelName.profileType: return type.description
        case "__type__": return type.sampleType
        case "__unit__": return type.sampleUnit
        case "__period_type__": return type.periodType
        case "__period_unit__": return type.periodUnit
        default: return ""
        }
    }
}

extension Selector {
    /// One condition on one label.
    package struct Matcher: Sendable, CustomStringConvertible {
        /// The label's name.
        package let name: String
        /// How the label's value is compared.
        package let operation: Operation
        /// What it is compared with.
        package let value: String
        private let pattern: Pattern?

        /// A matcher that asks for a value.
        package init(name: String, equals value: String) {
            self.name = name
            self.operation = .equal
            self.value = value
            pattern = nil
        }

        init(name: String, operation: Operation, value: String) throws(PatternError) {
            self.name = name
            self.operation = operation
            self.value = value
            switch operation {
            case .equal, .notEqual: pattern = nil
            case .matches, .notMatches: pattern = try Pattern(value)
            }
        }

        /// Whether a value satisfies the condition; an absent label's value is empty.
        package func accepts(_ candidate: String) -> Bool {
            switch operation {
            case .equal: candidate == value
            case .notEqual: candidate != value
            case .matches: pattern?.matches(candidate) ?? false
            // A pattern that ran into its bound accepts nothing, here too.
            case .notMatches: pattern.map { !$0.matches(candidate) && !$0.exceeded } ?? false
            }
        }

        /// Whether the regular expression ran into its bound.
        var exceeded: Bool { pattern?.exceeded ?? false }

        /// The matcher as PromQL writes it.
        package var description: String {
            let isPlain =
                !name.isEmpty && name.utf8.allSatisfy(SelectorParser.isNameByte)
                && !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(name.utf8.first ?? 0)
            return (isPlain ? name : Self.quoted(name)) + operation.rawValue + Self.quoted(value)
        }

        private static func quoted(_ text: String) -> String {
            var result = "\""
            for scalar in text.unicodeScalars {
                switch scalar {
                case "\"": result += "\\\""
                case "\\": result += "\\\\"
                case "\n": result += "\\n"
                default: result.unicodeScalars.append(scalar)
                }
            }
            return result + "\""
        }
    }

    /// How a label's value is compared.
    package enum Operation: String, Sendable {
        case equal = "="
        case notEqual = "!="
        case matches = "=~"
        case notMatches = "!~"
    }
}
