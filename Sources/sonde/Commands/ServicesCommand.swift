// SPDX-License-Identifier: Apache-2.0
// `sonde services`: what there is to look at.

extension CommandDescription {
    /// `sonde services`.
    package static let services: CommandDescription = {
        var command = CommandDescription(
            "services", "the services that have profiles or a connected agent")
        command.discussion = [
            "Lists each service with its agents that are connected now and the types of profiles it"
                + " has in the range. The names are what sonde top and sonde flame take.",
            "The answer comes from the controller (GET /api/v1/services).",
        ]
        command.options =
            [
                OptionDescription(
                    "names", nil, .text, "Print only the names, one a line.", group: .output)
            ] + OptionDescription.range + [.json] + OptionDescription.controller
        command.examples = [
            .init("sonde services", "The last hour."),
            .init("sonde services --from 30d", "Everything that a month holds."),
        ]
        command.run = { try runServices($0, $1) }
        return command
    }()
}

private func runServices(_ invocation: Invocation, _ surroundings: Surroundings) throws {
    let controller = try Controller(invocation, surroundings.environment)
    var request = ControllerRequest.get("/api/v1/services", invocation.rangeQuery)
    let namesOnly = invocation.values["names"] != nil
    // Shell completion asks for names: nobody waits long at a tab.
    if namesOnly { request.timeoutSeconds = 3 }
    let body = try controller.send(request)
    if invocation.isSet(.json) { return try surroundings.writeJSON(body) }
    let answer = try controller.decode(ServicesAnswer.self, from: body)
    if namesOnly {
        return try surroundings.output.write(
            answer.services.map { $0.name.forTerminal + "\n" }.joined())
    }
    var table = Table([
        .init("SERVICE", isCuttable: true), .init("AGENTS", isNumber: true),
        .init("PROFILES", isCuttable: true, dispensability: 2),
    ])
    for service in answer.services {
        let types = service.profileTypes.map { "\($0.name) (\($0.unit))" }
        table.rows.append([
            .init(service.name, .bold), .init("\(service.agents)"),
            types.isEmpty ? .init("none yet", .dim) : .init(types.joined(separator: ", ")),
        ])
    }
    guard !table.rows.isEmpty else {
        surroundings.note(
            "no service has profiles \(invocation.rangeInWords), and no agent is connected")
        surroundings.note("  start one with: sonde run --service NAME -- PROGRAM")
        surroundings.note("  or look further back: sonde services --from 30d")
        return
    }
    try surroundings.output.write(table.text(for: surroundings.output))
}
