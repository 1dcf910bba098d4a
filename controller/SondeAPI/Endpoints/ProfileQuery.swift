// SPDX-License-Identifier: Apache-2.0
// What the reading endpoints have in common: selector, profile type and range of time.

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

    /// Reads `selector`, `type`, `from` and `until`.
    ///
    /// - Parameters:
    ///   - request: The request.
    ///   - services: The store, which knows what short names of types may mean.
    /// - Throws: ``APIError`` that says which one cannot be read.
    init(_ request: APIRequest, _ services: Services) throws(APIError) {
        range = try Self.range(request, services)
        selector = try Self.selector(request)
        type = try Self.type(request, in: range, services)
    }

    private static func type(
        _ request: APIRequest, in range: TimeRange, _ services: Services
    ) throws(APIError) -> ProfileType {
        let text = request.query("type") ?? "cpu"
        var known: Set<ProfileType> = []
        // Only a short name needs to know which types there are.
        if text != "cpu", ProfileType(text) == nil {
            let series = try reading { () throws(StoreError) in
                try services.profiles.series(in: range)
            }
            known = Set(series.map(\.type))
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
        ProfileSelection(type, in: range) { [selector, type] in selector.matches($0, type: type) }
    }

    /// The sum of the profiles that are asked for.
    func merged(_ services: Services) throws(APIError) -> MergedStacks {
        let merged = try Self.reading { () throws(StoreError) in
            try services.profiles.merge(selection)
        }
        if let problem = selector.problem { throw APIError(problem) }
        return merged
    }

    /// Asks the store.
    static func reading<Answer>(
        _ body: () throws(StoreError) -> Answer
    ) throws(APIError) -> Answer {
        do throws(StoreError) { return try body() } catch { throw APIError(error) }
    }
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
