// SPDX-License-Identifier: Apache-2.0
// `sonde agents`: who is connected, what the agent does there, and what it costs.

extension CommandDescription {
    /// `sonde agents`.
    package static let agents: CommandDescription = {
        var command = CommandDescription(
            "agents", "who is connected, and what the agent costs there")
        command.discussion = [
            "Lists the agents that are connected, and those that went away a short time ago. CPU is"
                + " the sampling rate; an arrow shows a setting that the agent has not taken yet. COST"
                + " is the agent's own CPU time in percent of one core, as it measures itself."
                + " LOST counts what it had to drop; --json has the reasons.",
            "The answer comes from the controller (GET /api/v1/agents), which hears from each agent"
                + " every few seconds.",
        ]
        command.arguments = [
            ArgumentDescription(
                "SELECTOR", "Only these: a service's name, or labels in braces.", .selector,
                .optional)
        ]
        command.options = [.json] + OptionDescription.controller
        command.subcommands = [agentsSet]
        command.examples = [
            .init("sonde agents", "All of them."),
            .init(
                "sonde agents set --service bookmaker --hertz 49", "Sample a service less often."),
        ]
        command.run = { try runAgents($0, $1) }
        return command
    }()

    /// `sonde agents set`.
    package static let agentsSet: CommandDescription = {
        var command = CommandDescription("set", "change what agents do while their services run")
        command.discussion = [
            "Sets what the agents of a service, or one instance, should do. It holds for instances"
                + " that start later too, until it is given back with --cpu default. An agent takes a"
                + " new setting within a second; sonde agents shows when it did. For one instance the"
                + " instance's own setting wins over its service's.",
            "Needs a token of role developer where the controller asks for tokens.",
        ]
        command.options =
            [
                OptionDescription(
                    "service", "NAME", .service, "All instances of this service."),
                OptionDescription(
                    "instance", "ID", .text,
                    "One instance; the beginning of its id, as sonde agents shows it, is enough."),
                OptionDescription(
                    "cpu", "STATE", .choice(["on", "off", "default"]),
                    "CPU profiles on or off; default gives the choice back to the agent's own"
                        + " configuration.", standard: "on, when --hertz is given"),
                OptionDescription(
                    "hertz", "N", .decimal(1...1000),
                    "Samples per second of CPU time.", standard: "100"),
                .json,
            ] + OptionDescription.controller
        command.examples = [
            .init("sonde agents set --service bookmaker --hertz 199", "Look more closely."),
            .init("sonde agents set --service bookmaker --cpu off", "Stop sampling."),
            .init(
                "sonde agents set --instance 5f0c12ab --cpu default", "As the service itself says."),
        ]
        command.run = { try runAgentsSet($0, $1) }
        return command
    }()
}

private func runAgents(_ invocation: Invocation, _ surroundings: Surroundings) throws {
    let controller = try Controller(invocation, surroundings.environment)
    let selector = invocation.arguments.first
    let body = try controller.send(
        .get("/api/v1/agents", [("selector", selector)]))
    if invocation.isSet(.json) { return try surroundings.writeJSON(body) }
    let agents = try controller.decode(AgentsAnswer.self, from: body).agents
    guard !agents.isEmpty else {
        let whose = selector.map { " of \($0.forTerminal)" } ?? ""
        surroundings.note("no agent\(whose) is connected to \(controller.address)")
        surroundings.note("  start one with: sonde run --service NAME -- PROGRAM")
        return
    }
    let now = Quantity.nowMilliseconds()
    try surroundings.output.write(agentsTable(agents, now: now).text(for: surroundings.output))
    for agent in agents {
        let name = "\(agent.service)/\(agent.instance.prefix(8))".forTerminal
        for problem in agent.problems {
            let line = "\(name): \(problem.forTerminal)"
            surroundings.note(Style.yellow.apply(line, in: surroundings.errors))
        }
        for image in agent.missingDebugInfo.prefix(3) {
            surroundings.note(
                "\(name): no debug info of \(image.forTerminal); sonde debuginfo push FILE sends it"
            )
        }
        if agent.missingDebugInfo.count > 3 {
            surroundings.note("\(name): and \(agent.missingDebugInfo.count - 3) more without")
        }
    }
}

/// The table of `sonde agents`.
package func agentsTable(_ agents: [AgentsAnswer.Agent], now: Int64) -> Table {
    var table = Table([
        .init("SERVICE", isCuttable: true), .init("INSTANCE"),
        .init("VERSION", isCuttable: true, dispensability: 5),
        .init("HOST", isCuttable: true, dispensability: 4),
        .init("PID", isNumber: true, dispensability: 3),
        .init("STATE"), .init("CPU"), .init("COST", isNumber: true),
        .init("THREADS", isNumber: true, dispensability: 6),
        .init("LOST", isNumber: true, dispensability: 2),
        .init("SEEN", isCuttable: true, dispensability: 7),
    ])
    for agent in agents {
        let isConnected = agent.state == "connected"
        // A sum of foreign numbers saturates rather than traps.
        let lost = agent.losses.values.reduce(UInt64(0)) { sum, next in
            let (total, overflow) = sum.addingReportingOverflow(next)
            return overflow ? .max : total
        }
        table.rows.append([
            .init(agent.service, .bold), .init(String(agent.instance.prefix(8))),
            .init(agent.version), .init(agent.host), .init("\(agent.pid)"),
            .init(agent.state, isConnected ? .green : .yellow), .init(samplerText(agent.cpu)),
            .init(agent.ownCPUPercent.map { Quantity.decimal($0, places: 2) + "%" } ?? ""),
            .init(agent.threads.map { "\($0)" } ?? ""),
            .init("\(lost)", lost > 0 ? .yellow : nil),
            .init(Quantity.ago(milliseconds: agent.lastSeenMs, now: now)),
        ])
    }
    return table
}

private func samplerText(_ sampler: AgentsAnswer.Sampler) -> String {
    // An agent states the rate that its timers really have, which is only nearly a whole number.
    func words(_ enabled: Bool, _ hertz: Double) -> String {
        let rate = Quantity.decimal(hertz, places: 1)
        return enabled ? (rate.hasSuffix(".0") ? String(rate.dropLast(2)) : rate) + " Hz" : "off"
    }
    let now = words(sampler.enabled, sampler.hertz)
    guard let desired = sampler.desired else { return now }
    let wanted = words(desired.enabled, desired.hertz)
    return wanted == now ? now : now + " -> " + wanted
}

private func runAgentsSet(_ invocation: Invocation, _ surroundings: Surroundings) throws {
    let service = invocation.values["service"],
        hertz = invocation.values["hertz"].flatMap(Double.init)
    let state = invocation.values["cpu"] ?? (hertz == nil ? nil : "on")
    guard service != nil || invocation.values["instance"] != nil else {
        throw CommandFailure.usage(
            "agents set lacks whom to set; want --service NAME or --instance ID",
            advice: ["see: sonde agents"])
    }
    guard let state else {
        throw CommandFailure.usage(
            "agents set lacks what to set; want --cpu on, off or default, or --hertz N")
    }
    guard hertz == nil || state == "on" else {
        throw CommandFailure.usage(
            "--hertz and --cpu \(state) contradict each other; want one of them")
    }
    let controller = try Controller(invocation, surroundings.environment)
    let instance = try invocation.values["instance"].map { try wholeInstance($0, controller) }
    let setting = "{\"enabled\": \(state == "on"), \"hertz\": \(hertz ?? 100)}"
    let request = ControllerRequest(
        "PATCH", "/api/v1/agents", query: [("service", service), ("instance", instance)],
        body: Array("{\"cpu\": \(state == "default" ? "null" : setting)}".utf8))
    let body = try controller.send(request)
    if invocation.isSet(.json) { return try surroundings.writeJSON(body) }
    let reached = try controller.decode(AgentsSetAnswer.self, from: body).instances
    guard !reached.isEmpty else {
        surroundings.note(
            "set, but no such instance is connected now; it holds for those that come")
        return
    }
    let count = Quantity.count(reached.count, "connected instance")
    try surroundings.output.write("set for \(count); sonde agents shows when it is taken\n")
}

/// The instance that begins with what was typed.
private func wholeInstance(_ typed: String, _ controller: Controller) throws -> String {
    let agents = try controller.answer(AgentsAnswer.self, to: .get("/api/v1/agents"))
    let found = Set(agents.agents.map(\.instance).filter { $0.hasPrefix(typed) })
    if found.count > 1, !found.contains(typed) {
        throw CommandFailure.usage(
            "--instance: got \"\(typed.forTerminal)\", with which \(found.count) instances begin;"
                + " want more of the id")
    }
    // An unknown one is taken as it is: a setting may wait for an instance that is away.
    return found.count == 1 ? found.first ?? typed : typed
}
