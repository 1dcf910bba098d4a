// SPDX-License-Identifier: Apache-2.0
// `sonde top`: the functions that take the most.

internal import SondeFormats

extension CommandDescription {
    /// `sonde top`.
    package static let top: CommandDescription = {
        var command = CommandDescription("top", "the functions that take the most time")
        command.discussion = [
            "Adds up all profiles of the range and lists the functions by the time that was spent in"
                + " themselves (self), with the time that was spent in them and in what they called"
                + " (total). A function that calls itself counts once.",
            "The answer comes from the controller (GET /api/v1/top): names are looked up there when"
                + " you ask, so debug info that arrived after a profile still counts.",
        ]
        command.arguments = [.selector]
        command.options =
            [
                OptionDescription(
                    "limit", "N", .integer(1...100_000), "How many functions to list.",
                    standard: "20", group: .output)
            ] + OptionDescription.range + [.type] + OptionDescription.stacks + [.json]
            + OptionDescription.controller
        command.examples = [
            .init("sonde top bookmaker", "The last hour of one service."),
            .init("sonde top bookmaker --from 5m --limit 5", "What it does right now."),
            .init(
                "sonde top '{service_name=\"bookmaker\", host=\"a\"}' --from 2h --until 1h",
                "One machine, in the hour before the last."),
        ]
        command.run = { try runTop($0, $1) }
        return command
    }()
}

private func runTop(_ invocation: Invocation, _ surroundings: Surroundings) throws {
    let controller = try Controller(invocation, surroundings.environment)
    let selector = invocation.arguments.first ?? ""
    let limit = invocation.values["limit"] ?? "20"
    let request = ControllerRequest.get(
        "/api/v1/top",
        [("selector", selector), ("type", invocation.text(.type))] + invocation.rangeQuery
            + invocation.stacksQuery + [("limit", limit)])
    let body = try controller.send(request)
    if invocation.isSet(.json) { return try surroundings.writeJSON(body) }
    let answer = try controller.decode(TopAnswer.self, from: body)
    guard answer.profiles > 0 else { throw NoData.failure(selector, invocation, controller) }
    try surroundings.output.write(topText(answer, invocation, surroundings.output))
    surroundings.note(notes: answer.notes)
}

private func topText(
    _ answer: TopAnswer, _ invocation: Invocation, _ outlet: Outlet
) -> String {
    var table = Table([
        .init("SELF", isNumber: true), .init("%", isNumber: true, dispensability: 1),
        .init("TOTAL", isNumber: true, dispensability: 3),
        .init("%", isNumber: true, dispensability: 2),
        .init("FUNCTION", isCuttable: true), .init("WHERE", isCuttable: true, dispensability: 4),
    ])
    for function in answer.functions {
        let part = answer.total > 0 ? Double(function.`self`) / Double(answer.total) : 0
        let place =
            function.file.isEmpty
            ? function.module
            : lastComponent(function.file) + (function.line > 0 ? ":\(function.line)" : "")
        table.rows.append([
            .init(outlet.value(function.`self`, unit: answer.unit)),
            .init(ValueFormat.share(function.`self`, of: answer.total), Style.forShare(part)),
            .init(outlet.value(function.total, unit: answer.unit)),
            .init(ValueFormat.share(function.total, of: answer.total)),
            .init(function.name, function.kind >= 2 ? .dim : nil),
            .init(place, .dim),
        ])
    }
    let heading =
        "\(outlet.value(answer.total, unit: answer.unit)) in"
        + " \(Quantity.count(answer.profiles, "profile")), \(invocation.rangeInWords)"
    let columns = outlet.width ?? .max
    return DisplayWidth.cut(heading, to: columns) + "\n\n" + table.text(for: outlet)
}

/// The last component of a path.
func lastComponent(_ path: String) -> String {
    path.split(separator: "/").last.map(String.init) ?? path
}
