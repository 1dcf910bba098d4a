// SPDX-License-Identifier: Apache-2.0
// `sonde limits`: what tenants may send, what was refused, and changing it at run time.

extension CommandDescription {
    /// `sonde limits`.
    package static let limits: CommandDescription = {
        var command = CommandDescription(
            "limits", "what may be sent, by whom, and what was refused")
        command.discussion = [
            "Shows the limits of profiles: those of everybody, or of one tenant, what it sent and what"
                + " was refused of it since the controller started. Without tenancy there is one"
                + " tenant, anonymous. docs/configuration.md says what each limit means.",
            "The answer comes from the controller (GET /api/v1/limits).",
        ]
        command.options =
            [
                OptionDescription(
                    "tenant", "NAME", .text, "The limits of this tenant.", standard: "everybody"),
                .json, .url, .token, .caFile,
            ]
        command.subcommands = [limitsSet]
        command.examples = [
            .init("sonde limits", "What counts for everybody, and who sent what."),
            .init("sonde limits set --tenant night series=50000", "More series for one tenant."),
        ]
        command.run = { try runLimits($0, $1) }
        return command
    }()

    /// `sonde limits set`.
    package static let limitsSet: CommandDescription = {
        var command = CommandDescription("set", "change limits while the controller runs")
        command.discussion = [
            "Changes limits from now on, also for a controller that is started again. What is set for"
                + " a tenant wins over its part of the configuration, what is set for everybody over"
                + " the configuration's defaults. default takes back what was set.",
            "Needs a token of role admin where the controller asks for tokens.",
        ]
        command.arguments = [
            ArgumentDescription(
                "LIMIT=VALUE", "A limit's name, as sonde limits shows it, and a whole number.",
                .text, .oneOrMore)
        ]
        command.options =
            [
                OptionDescription(
                    "tenant", "NAME", .text, "For this tenant.", standard: "everybody"),
                .json, .url, .token, .caFile,
            ]
        command.examples = [
            .init("sonde limits set profile_bytes_per_second=134217728", "128 MiB a second."),
            .init("sonde limits set --tenant night labels=default", "As everybody else."),
        ]
        command.run = { try runLimitsSet($0, $1) }
        return command
    }()
}

private func runLimits(_ invocation: Invocation, _ surroundings: Surroundings) throws {
    let controller = try Controller(invocation, surroundings.environment)
    let body = try controller.send(.get("/api/v1/limits"))
    if invocation.isSet(.json) { return try surroundings.writeJSON(body) }
    let answer = try controller.decode(LimitsAnswer.self, from: body)
    try surroundings.output.write(
        limitsText(answer, tenant: invocation.values["tenant"], for: surroundings.output))
}

/// What `sonde limits` prints: the limits, and who sent what.
package func limitsText(
    _ answer: LimitsAnswer, tenant name: String?, for outlet: Outlet
) throws(CommandFailure) -> String {
    var shown = (limits: answer.limits, set: answer.set)
    var tenants = answer.tenants
    if let name {
        guard let tenant = answer.tenants.first(where: { $0.tenant == name }) else {
            throw CommandFailure(
                "cannot show the limits of \"\(name.forTerminal)\": the controller knows no such"
                    + " tenant; want one that sent something or has limits of its own")
        }
        shown = (tenant.limits, tenant.set)
        tenants = [tenant]
    }
    var table = Table([.init("LIMIT"), .init("VALUE", isNumber: true), .init("SET")])
    for (limit, value) in shown.limits.sorted(by: { $0.key < $1.key }) {
        table.rows.append([
            .init(limit), .init("\(value)"),
            .init(shown.set[limit] == nil ? "" : "at run time", .yellow),
        ])
    }
    guard !tenants.isEmpty else { return table.text(for: outlet) }
    var senders = Table([
        .init("TENANT", isCuttable: true), .init("SERIES", isNumber: true),
        .init("PROFILES", isNumber: true), .init("BYTES", isNumber: true),
        .init("REFUSED", isCuttable: true),
    ])
    for tenant in tenants {
        let refused = tenant.refused.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }
        senders.rows.append([
            .init(tenant.tenant, .bold), .init("\(tenant.series)"), .init("\(tenant.profiles)"),
            .init("\(tenant.profileBytes)"),
            .init(refused.joined(separator: ", "), refused.isEmpty ? nil : .yellow),
        ])
    }
    return table.text(for: outlet) + "\n" + senders.text(for: outlet)
}

private func runLimitsSet(_ invocation: Invocation, _ surroundings: Surroundings) throws {
    var members: [String] = []
    for argument in invocation.arguments {
        let halves = argument.split(separator: "=", maxSplits: 1)
        let isName = halves.first?.utf8.allSatisfy {
            $0 == UInt8(ascii: "_") || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0)
        }
        guard halves.count == 2, isName == true, halves[1] == "default" || Int(halves[1]) != nil
        else {
            throw CommandFailure.usage(
                "limits set: got \"\(argument.forTerminal)\"; want LIMIT=NUMBER or LIMIT=default,"
                    + " such as series=50000")
        }
        members.append("\"\(halves[0])\": \(Int(halves[1]).map { "\($0)" } ?? "null")")
    }
    let controller = try Controller(invocation, surroundings.environment)
    let tenant = invocation.values["tenant"]
    let body = try controller.send(
        ControllerRequest(
            "PUT", "/api/v1/limits", query: [("tenant", tenant)],
            body: Array("{\(members.joined(separator: ", "))}".utf8)))
    if invocation.isSet(.json) { return try surroundings.writeJSON(body) }
    let whom = tenant.map { "tenant \($0.forTerminal)" } ?? "everybody"
    try surroundings.output.write("set for \(whom)\n")
}
