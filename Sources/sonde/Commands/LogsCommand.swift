// SPDX-License-Identifier: Apache-2.0
// `sonde logs`: log lines of a range of time.

extension CommandDescription {
    /// `sonde logs`.
    package static let logs: CommandDescription = {
        var command = CommandDescription("logs", "log lines of a range of time")
        command.discussion = [
            "Prints the lines that a query finds, oldest first: time (this machine's), level, service"
                + " and message. Where there are more than --limit, the newest are kept.",
            "A query is LogQL: a selector of streams in braces, then filters from left to right."
                + " |= \"text\" and != \"text\" keep the lines with and without a text, |~ and !~ do so"
                + " with a regular expression; \"a\" or \"b\" stands for either. | name = \"value\""
                + " (also != =~ !~ == > >= < <=, and, or, brackets) asks for a label or a line's"
                + " metadata: probe_id, file, line, function, thread, trace_id, and the captured values"
                + " of log points, v_total for {total}. --metadata shows what there is. A bare name is"
                + " a service's; nothing means every stream.",
            "The answer comes from the controller (GET /api/v1/logs), which keeps lines for 31 days"
                + " unless configured otherwise.",
        ]
        command.arguments = [.logQuery]
        command.options =
            [
                OptionDescription(
                    "limit", "N", .integer(1...1_000_000), "How many lines to print at most.",
                    standard: "100", group: .output),
                OptionDescription(
                    "oldest", nil, .text, "Keep the oldest lines where there are too many.",
                    group: .output),
                .metadata,
            ] + OptionDescription.range + [.json] + OptionDescription.controller
        command.examples = [
            .init("sonde logs bookmaker", "The last hour of one service."),
            .init(
                "sonde logs '{service_name=\"bookmaker\"} |= \"settle\" != \"test\"' --from 2d",
                "Lines with one text and without another."),
            .init(
                "sonde logs '{level=~\"warn|error\"} | v_stake > 100' --metadata",
                "By level and by a captured value, of every service."),
        ]
        command.run = { try runLogs($0, $1) }
        return command
    }()
}

extension OptionDescription {
    /// Whether metadata are shown behind each line.
    static let metadata = OptionDescription(
        "metadata", nil, .text,
        "Show each line's metadata behind it: file, line, probe_id, trace_id, captured values.",
        group: .output)
}

extension ArgumentDescription {
    /// Which log lines to read.
    static let logQuery = ArgumentDescription(
        "QUERY", "A service's name, or LogQL: '{service_name=\"bookmaker\"} |= \"settle\"'.",
        .selector, .optional)
}

private func runLogs(_ invocation: Invocation, _ surroundings: Surroundings) throws {
    let controller = try Controller(invocation, surroundings.environment)
    let query = invocation.arguments.first
    let keep = invocation.values["oldest"] == nil ? nil : "oldest"
    let limit = invocation.values["limit"] ?? "100"
    let body = try controller.send(
        .get(
            "/api/v1/logs",
            [("query", query)] + invocation.rangeQuery + [("limit", limit), ("keep", keep)]))
    if invocation.isSet(.json) { return try surroundings.writeJSON(body) }
    let answer = try controller.decode(LogsAnswer.self, from: body)
    guard !answer.lines.isEmpty else {
        let what = query.map { " of " + $0.forTerminal } ?? ""
        throw CommandFailure(
            "no lines\(what) \(invocation.rangeInWords)",
            advice: [
                "look further back with --from 7d, or wait for new ones with: sonde tail",
                "all lines of all services: sonde logs --from 7d",
            ])
    }
    var text = LogText(hasMetadata: invocation.isSet(.metadata))
    text.fit(answer.lines)
    for line in answer.lines {
        try surroundings.output.write(text.text(of: line, in: surroundings.output))
    }
    guard answer.more else { return }
    let which = keep == nil ? "newest" : "oldest"
    surroundings.note("the \(which) \(limit) lines; more with a larger --limit")
}
