// SPDX-License-Identifier: Apache-2.0
// The public API: what a piece of work belongs to, for the lines that probes make in it.

internal import SondeProbeRuntime

extension Sonde {
    /// Runs work as a part of a trace.
    ///
    /// Lines that probes make meanwhile carry `trace_id` and `span_id`, also in tasks that the work
    /// starts. Costs a fraction of a microsecond, whether there are probes or not.
    ///
    ///     try Sonde.withTrace(traceparent: request.headers["traceparent"]) { try handle(request) }
    ///
    /// - Parameters:
    ///   - traceparent: The W3C `traceparent` field, such as
    ///     `00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01`. One that is not valid changes
    ///     nothing and is counted in ``Status/losses``; `nil` changes nothing.
    ///   - body: The work.
    /// - Returns: What the work returns.
    /// - Throws: What the work throws.
    public static func withTrace<Result, Failure: Error>(
        traceparent: String?, _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        guard let traceparent else { return try body() }
        return try WorkScope.with(traceParent: traceparent).run(body)
    }

    /// Runs asynchronous work as a part of a trace.
    ///
    /// As ``withTrace(traceparent:_:)-(_,()->Result)``, on whatever threads the work gets.
    ///
    /// - Parameters:
    ///   - traceparent: The W3C `traceparent` field; `nil` changes nothing.
    ///   - isolation: The actor that the work stays on, the caller's.
    ///   - body: The work.
    /// - Returns: What the work returns.
    /// - Throws: What the work throws.
    public static func withTrace<Result>(
        traceparent: String?, isolation: isolated (any Actor)? = #isolation,
        _ body: () async throws -> Result
    ) async rethrows -> Result {
        guard let traceparent else { return try await body() }
        return try await WorkScope.with(traceParent: traceparent).run(isolation: isolation, body)
    }

    /// Runs work with labels.
    ///
    /// Lines that probes make meanwhile carry them as structured metadata, also in tasks that the
    /// work starts. Scopes nest; of two labels with the same name the inner one counts.
    ///
    /// - Parameters:
    ///   - labels: At most 16 with those around them. A name of other characters than letters,
    ///     digits and `_` is left out; a value is cut after 512 bytes.
    ///   - body: The work.
    /// - Returns: What the work returns.
    /// - Throws: What the work throws.
    public static func withLabels<Result, Failure: Error>(
        _ labels: [String: String], _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try WorkScope.with(labels: labels).run(body)
    }

    /// Runs asynchronous work with labels.
    ///
    /// - Parameters:
    ///   - labels: At most 16 with those around them, as for synchronous work.
    ///   - isolation: The actor that the work stays on, the caller's.
    ///   - body: The work.
    /// - Returns: What the work returns.
    /// - Throws: What the work throws.
    public static func withLabels<Result>(
        _ labels: [String: String], isolation: isolated (any Actor)? = #isolation,
        _ body: () async throws -> Result
    ) async rethrows -> Result {
        try await WorkScope.with(labels: labels).run(isolation: isolation, body)
    }
}
