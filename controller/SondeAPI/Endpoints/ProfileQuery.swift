// SPDX-License-Identifier: Apache-2.0
// What the reading endpoints have in common: selector, profile type, range of time and stacks.

internal import SondeModel
internal import SondeQuery
internal import SondeStore

/// Which profiles a request asks for.
struct ProfileQuery: Sendable {
    /// The range of time.
    var range: TimeRange
    /// The series.
    var selector: Selector
    /// The profile type.
    var type: ProfileType
    /// Which stacks count; `nil` when all do.
    var stacks: StackFilter?
    /// Who asks.
    let reading: ProfileReading

    /// Reads `selector`, `type`, `from`, `until`, `stack` and `focus`.
    ///
    /// - Parameters:
    ///   - request: The request.
    ///   - services: The store, which knows what short names of types may mean.
    /// - Throws: ``APIError`` that says which one cannot be read.
    init(_ request: APIRequest, _ services: Services) throws(APIError) {
        try self.init(request, ProfileReading(request, services))
    }

    /// Reads the same of one side of a comparison, whose parameters begin with a word of their own.
    ///
    /// - Parameters:
    ///   - request: The request.
    ///   - reading: Who asks.
    ///   - side: What the names begin with: `left` reads `leftSelector`, `leftFrom` and so on; what
    ///     is absent there is read without it.
    /// - Throws: ``APIError`` that says which one cannot be read.
    init(
        _ request: APIRequest, _ reading: ProfileReading, side: String = ""
    ) throws(APIError) {
        func value(_ name: String) -> String? {
            guard !side.isEmpty else { return request.query(name) }
            let own = side + name.prefix(1).uppercased() + name.dropFirst()
            // An empty value of the side's own is an answer too: everything.
            if let item = request.target.query.first(where: { $0.name == own }) {
                return item.value.isEmpty ? nil : item.value
            }
            return request.query(name)
        }
        self.reading = reading
        do throws(QueryError) {
            range = try TimeExpression.range(
                from: value("from"), until: value("until"), now: reading.services.now())
            selector = try Selector(value("selector") ?? "")
            stacks = try Self.stacks(value("stack"), value("focus"), reading.services)
        } catch { throw APIError(error) }
        type = try Self.type(value("type") ?? "cpu", in: range, reading)
    }

    private static func stacks(
        _ stack: String?, _ focus: String?, _ services: Services
    ) throws(QueryError) -> StackFilter? {
        var beginning: StackFilter?
        if let stack {
            let names = stack.split(separator: ";").map(String.init)
            guard names.count <= StackChoice.maximumCallSite else {
                throw QueryError(
                    .invalidArgument,
                    "cannot read stack: got \(names.count) functions; "
                        + "want at most \(StackChoice.maximumCallSite)")
            }
            beginning = StackChoice.beginning(with: names, services.symbols)
        }
        var holding: StackFilter?
        if let focus { holding = try StackChoice.holding(focus, services.symbols) }
        return StackChoice.both(beginning, holding)
    }

    private static func type(
        _ text: String, in range: TimeRange, _ reading: ProfileReading
    ) throws(APIError) -> ProfileType {
        var known: Set<ProfileType> = []
        // Only a short name needs to know which types there are.
        if text != "cpu", ProfileType(text) == nil {
            known = Set(try reading.series(in: range).map(\.type))
        }
        do throws(QueryError) {
            return try ProfileTypeName.parse(text, known: known)
        } catch { throw APIError(error) }
    }

    /// Reads `from` and `until`.
    static func range(_ request: APIRequest, _ services: Services) throws(APIError) -> TimeRange {
        do throws(QueryError) {
            return try TimeExpression.range(
                from: request.query("from"), until: request.query("until"), now: services.now())
        } catch { throw APIError(error) }
    }

    /// Reads `selector`.
    static func selector(_ request: APIRequest) throws(APIError) -> Selector {
        do throws(QueryError) {
            return try Selector(request.query("selector") ?? "")
        } catch { throw APIError(error) }
    }

    /// What the store is asked for.
    var selection: ProfileSelection {
        var selection = reading.selection(type, in: range, [selector])
        selection.stacks = stacks
        return selection
    }

    /// The sum of the profiles that are asked for.
    func merged() throws(APIError) -> MergedStacks { try reading.merge(selection, [selector]) }
}

extension APIError {
    /// The error that tells of a question that cannot be answered.
    init(_ error: QueryError) {
        switch error.code {
        case .invalidArgument: self.init(.invalidArgument, error.message)
        case .tooExpensive: self.init(.resourceExhausted, error.message)
        }
    }
}
