// SPDX-License-Identifier: Apache-2.0
// `sonde probes` and `sonde probe`: which log points there are, how they are, and taking them out.

extension CommandDescription {
    /// `sonde probes`.
    package static let probes: CommandDescription = {
        var command = CommandDescription("probes", "all probes, with state, hits, drops and cost")
        command.discussion = [
            "STATE is active when an agent said that the probe is in its service's code; waiting until"
                + " then; tripped when a limit took it out; held when the service died at its install;"
                + " expired, disabled, failed or refused as it says; sonde probe show ID has the"
                + " reasons. HITS counts how often the place was"
                + " reached, LINES what was said, DROPPED what was lost on the way, COST the CPU time"
                + " that the hits cost the service."
        ]
        command.options =
            [
                OptionDescription("service", "NAME", .service, "Only those of this service."),
                OptionDescription("tag", "NAME", .text, "Only those of this group."),
                .json,
            ] + OptionDescription.controller
        command.examples = [.init("sonde probes", "All of them.")]
        command.run = { try runProbes($0, $1) }
        return command
    }()

    /// `sonde probe`.
    package static let probe: CommandDescription = {
        var command = CommandDescription("probe", "show, remove, enable or disable probes")
        command.subcommands = [probeShow, probeRemove, probeEnable, probeDisable]
        command.examples = [
            .init("sonde probe show p-4w1xq7k2", "How one is, instance by instance."),
            .init("sonde probe rm --all", "Take all of them out of all services."),
        ]
        return command
    }()

    private static let probeShow: CommandDescription = {
        var command = CommandDescription("show", "how one probe is, instance by instance")
        command.arguments = [.probeID]
        command.options = [.json] + OptionDescription.controller
        command.examples = [.init("sonde probe show p-4w1xq7k2", "One of them.")]
        command.run = { try showProbe($0, $1) }
        return command
    }()

    private static let probeRemove = changing(
        "rm", "take probes out of their services' code, and forget them")
    private static let probeEnable = changing(
        "enable", "put disabled probes back; try those again that are held, tripped or failed")
    private static let probeDisable = changing(
        "disable", "take probes out of their services' code, but keep them for later")

    private static func changing(_ verb: String, _ summary: String) -> CommandDescription {
        var command = CommandDescription(verb, summary)
        command.arguments = [.probeIDs]
        command.options =
            [
                OptionDescription("tag", "NAME", .text, "All of this group."),
                OptionDescription("all", nil, .text, "All probes of all services."), .json,
            ] + OptionDescription.controller
        command.examples = [
            .init("sonde probe \(verb) p-4w1xq7k2", "One of them."),
            .init("sonde probe \(verb) --tag night", "A group."),
        ]
        command.run = { try changeProbes(verb, $0, $1) }
        return command
    }
}

extension ArgumentDescription {
    fileprivate static let probeID = ArgumentDescription(
        "ID", "The probe's id, as sonde probes shows it.")
    fileprivate static let probeIDs = ArgumentDescription(
        "ID", "The probes' ids, as sonde probes shows them.", .text, .many)
}

private func runProbes(_ invocation: Invocation, _ surroundings: Surroundings) throws {
    let controller = try Controller(invocation, surroundings.environment)
    let body = try controller.send(
        .get(
            "/api/v1/probes",
            [("service", invocation.values["service"]), ("tag", invocation.values["tag"])]))
    if invocation.isSet(.json) { return try surroundings.writeJSON(body) }
    let probes = try controller.decode(ProbesAnswer.self, from: body).probes
    guard !probes.isEmpty else {
        surroundings.note("there are no probes")
        surroundings.note("  add one with: sonde log LOCATION 'TEMPLATE' --service NAME")
        return
    }
    let now = Quantity.nowMilliseconds()
    try surroundings.output.write(probesTable(probes, now: now).text(for: surroundings.output))
    for note in heldNotes(probes) { surroundings.note(note.forTerminal) }
}

/// What is said below the table of probes that some instances do not apply by themselves.
package func heldNotes(_ probes: [ProbeAnswer]) -> [String] {
    probes.compactMap { probe in
        let connected = probe.instances.filter(\.connected)
        let held = connected.filter { $0.state == "held" }
        guard let first = held.first else { return nil }
        let count = "\(held.count) of \(connected.count) instances"
        return "\(probe.id) is held back in \(count): \(first.reason)"
    }
}

/// The table of `sonde probes`.
package func probesTable(_ probes: [ProbeAnswer], now: Int64) -> Table {
    var table = Table([
        .init("ID"), .init("STATE"), .init("SERVICE", isCuttable: true, dispensability: 2),
        .init("LOCATION", isCuttable: true), .init("HITS", isNumber: true),
        .init("LINES", isNumber: true), .init("DROPPED", isNumber: true, dispensability: 1),
        .init("COST", isNumber: true, dispensability: 3),
        .init("LEFT", isNumber: true, dispensability: 4),
        .init("TAG", isCuttable: true, dispensability: 6),
        .init("MESSAGE", isCuttable: true, dispensability: 5),
    ])
    for probe in probes {
        table.rows.append([
            .init(probe.id, .bold), .init(probe.state, stateStyle(probe.state)),
            .init(probe.service), .init(probe.location), .init("\(probe.hits)"),
            .init("\(probe.lines)"),
            .init("\(probe.dropped)", probe.dropped > 0 ? .yellow : nil),
            .init(milliseconds(probe.ownCPUNanos)),
            .init(left(probe.expiresMs - now)), .init(probe.tag), .init(probe.template),
        ])
    }
    return table
}

private func stateStyle(_ state: String) -> Style? {
    switch state {
    case "active", "installed": .green
    case "failed", "refused": .red
    case "tripped", "waiting", "held": .yellow
    default: nil
    }
}

private func milliseconds(_ nanoseconds: UInt64) -> String {
    Quantity.decimal(Double(nanoseconds) / 1e6, places: 1) + " ms"
}

private func left(_ milliseconds: Int64) -> String {
    if milliseconds <= 0 { return "over" }
    let seconds = (milliseconds + 999) / 1000
    if seconds < 120 { return "\(seconds) s" }
    return seconds < 7200 ? "\(seconds / 60) min" : "\(seconds / 3600) h"
}

private func showProbe(_ invocation: Invocation, _ surroundings: Surroundings) throws {
    let controller = try Controller(invocation, surroundings.environment)
    let id = ControllerRequest.percentEncoded(invocation.arguments[0])
    let body = try controller.send(.get("/api/v1/probes/\(id)"))
    if invocation.isSet(.json) { return try surroundings.writeJSON(body) }
    let probe = try controller.decode(ProbeAnswer.self, from: body)
    try surroundings.output.write(
        facts(of: probe).map { name, value in
            let padded = name + String(repeating: " ", count: max(0, 11 - name.count))
            // A message of several lines stays one, each line below the other.
            let lines = value.split(separator: "\n", omittingEmptySubsequences: false)
            let text = lines.map { String($0).forTerminal }
            return padded + text.joined(separator: "\n" + String(repeating: " ", count: 11)) + "\n"
        }.joined())
    guard !probe.instances.isEmpty else {
        surroundings.note("no instance of \(probe.service.forTerminal) is connected")
        return
    }
    var table = Table([
        .init("INSTANCE"), .init("HOST", isCuttable: true, dispensability: 3),
        .init("PID", isNumber: true, dispensability: 4), .init("STATE"),
        .init("SITES", isNumber: true), .init("HITS", isNumber: true),
        .init("LINES", isNumber: true), .init("FALSE", isNumber: true, dispensability: 2),
        .init("ERRORS", isNumber: true, dispensability: 1),
        .init("COST", isNumber: true, dispensability: 5),
    ])
    for one in probe.instances {
        let sites = one.trapSites == 0 ? "" : " (\(one.trapSites) by trap)"
        table.rows.append([
            .init(String(one.instance.prefix(8)), .bold), .init(one.host), .init("\(one.pid)"),
            .init(one.connected ? one.state : "away", stateStyle(one.state)),
            .init("\(one.jumpSites &+ one.trapSites)\(sites)"), .init("\(one.hits)"),
            .init("\(one.lines)"), .init("\(one.conditionFalse)"),
            .init("\(one.conditionErrors)", one.conditionErrors > 0 ? .yellow : nil),
            .init(milliseconds(one.ownCPUNanos)),
        ])
    }
    try surroundings.output.write("\n" + table.text(for: surroundings.output))
    for one in probe.instances {
        let name = String(one.instance.prefix(8))
        if !one.reason.isEmpty {
            surroundings.note("\(name): \(one.state): \(one.reason)".forTerminal)
        }
        for (reason, count) in one.dropped.sorted(by: { $0.key < $1.key }) where count > 0 {
            surroundings.note("\(name): \(count) lost: \(reason)".forTerminal)
        }
    }
}

private func facts(of probe: ProbeAnswer) -> [(String, String)] {
    var facts = [
        ("probe", probe.id), ("state", probe.state), ("service", probe.service),
        ("location", probe.location), ("template", probe.template),
    ]
    if !probe.condition.isEmpty { facts.append(("if", probe.condition)) }
    if !probe.instance.isEmpty { facts.append(("instance", probe.instance + "...")) }
    if !probe.labels.isEmpty {
        let pairs = probe.labels.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        facts.append(("labels", pairs.joined(separator: ", ")))
    }
    facts.append(("level", probe.level))
    if !probe.tag.isEmpty { facts.append(("tag", probe.tag)) }
    let lines = Quantity.count(Int(clamping: probe.hitLimit), "line")
    facts.append(("limits", "\(lines), \(probe.rateLimit) a second, in each instance"))
    facts.append(("ends", Quantity.clock(milliseconds: probe.expiresMs)))
    facts.append(
        ("added", "\(Quantity.clock(milliseconds: probe.createdMs)) by \(probe.createdBy)"))
    if !probe.reason.isEmpty { facts.append(("because", probe.reason)) }
    return facts
}

private func changeProbes(
    _ verb: String, _ invocation: Invocation, _ surroundings: Surroundings
) throws {
    let ids = invocation.arguments
    let tag = invocation.values["tag"], all = invocation.values["all"] != nil
    guard [!ids.isEmpty, tag != nil, all].filter({ $0 }).count == 1 else {
        throw CommandFailure.usage(
            "probe \(verb) wants either IDs, or --tag NAME, or --all", advice: ["see: sonde probes"]
        )
    }
    let controller = try Controller(invocation, surroundings.environment)
    var bodies: [[UInt8]] = []
    func send(_ path: String, _ query: [(String, String?)] = []) throws {
        let request =
            verb == "rm"
            ? ControllerRequest("DELETE", path, query: query)
            : ControllerRequest("POST", "\(path)/\(verb)", query: query)
        bodies.append(try controller.send(request))
    }
    if ids.isEmpty {
        try send("/api/v1/probes", [("tag", tag), ("all", all ? "true" : nil)])
    }
    for id in ids { try send("/api/v1/probes/\(ControllerRequest.percentEncoded(id))") }
    if invocation.isSet(.json) { return try bodies.forEach { try surroundings.writeJSON($0) } }
    let done = try bodies.flatMap { body in
        verb == "rm"
            ? try controller.decode(RemovedProbesAnswer.self, from: body).ids
            : try controller.decode(ProbesAnswer.self, from: body).probes.map(\.id)
    }
    guard !done.isEmpty else { return surroundings.note("there is no such probe") }
    let past = ["rm": "removed", "enable": "enabled", "disable": "disabled"][verb] ?? verb
    try surroundings.output.write("\(past) \(done.joined(separator: ", "))\n")
}
