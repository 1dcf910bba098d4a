// SPDX-License-Identifier: Apache-2.0
// `sonde log`: adds a log point to running services.

internal import FoundationEssentials
internal import Glibc

extension CommandDescription {
    /// `sonde log`.
    package static let log: CommandDescription = {
        var command = CommandDescription("log", "add a log point to a running service")
        command.discussion = [
            "Every instance of the service says a line whenever the place is reached, from now on and"
                + " without a restart: instances that start later too. It ends by itself after --for,"
                + " or after --hits lines in an instance, and can be taken out at once with sonde probe"
                + " rm. The service's code is as it was before, then.",
            "In the template, {braces} hold Swift expressions over the names that exist at the place:"
                + " {bet.user.name}, {odds:.3f}, {items.count}. They read; they call nothing and change"
                + " nothing. {{ is a brace. sonde where LOCATION shows the names. --if takes the same"
                + " expressions.",
            "What cannot work is refused before anything is touched, with the names and lines that"
                + " would. Needs a token of role developer where the controller asks for tokens.",
        ]
        command.arguments = [
            ArgumentDescription(
                "LOCATION", "FILE:LINE (the end of a path), Type.method, or 0xADDRESS@BUILD-ID."),
            ArgumentDescription("TEMPLATE", "What to say."),
        ]
        command.options =
            [
                .probeService,
                OptionDescription(
                    "if", "EXPRESSION", .text, "Say it only when this is true there."),
                OptionDescription(
                    "follow", letter: "f", nil, .text,
                    "Then show the lines as they come, until Ctrl-C."),
                OptionDescription(
                    "for", "TIME", .lifetime, "How long it stays: 10m, 2h, at most 24h.",
                    standard: "30m"),
                OptionDescription(
                    "hits", "N", .integer(1...1_000_000), "Lines that each instance may say.",
                    standard: "1000"),
                OptionDescription(
                    "rate", "N", .integer(1...5000), "Lines a second that each instance may say.",
                    standard: "100"),
                OptionDescription(
                    "instance", "ID", .text,
                    "Only instances whose id begins so; sonde agents shows the ids."),
                OptionDescription(
                    "label", "K=V[,K=V]", .text, "Only agents that have these labels."),
                OptionDescription(
                    "level", "LEVEL", .choice(["trace", "debug", "info", "warn", "error"]),
                    "How serious its lines are.", standard: "info"),
                OptionDescription(
                    "tag", "NAME", .text,
                    "A name for a group of probes: their lines' label probe, and what sonde probe"
                        + " rm --tag takes."),
                OptionDescription("reason", "TEXT", .text, "Why; kept in the audit log."),
                .json,
            ] + OptionDescription.controller
        command.examples = [
            .init(
                "sonde log Settlement.swift:88 'settle {bet.id}: {odds:.3f} x {bet.stake}'"
                    + " --service bookmaker --follow", "Add one and read its lines."),
            .init(
                "sonde log Settlement.swift:88 '{bet}' --if 'bet.stake > 100' --for 5m",
                "Only the large ones, for five minutes."),
        ]
        command.run = { try runLog($0, $1) }
        return command
    }()
}

extension OptionDescription {
    /// Which service a probe is for.
    package static let probeService = OptionDescription(
        "service", "NAME", .service, "The service.",
        standard: "the only one that is connected, or SONDE_SERVICE")
}

private struct NewProbeRequest: Encodable {
    var kind = "log"
    var location: String
    var template: String
    var condition: String?
    var service: String
    var instance: String?
    var labels: [String: String]?
    var level: String?
    var tag: String?
    var reason: String?
    var seconds: Int64?
    var hits: Int?
    var rate: Int?
}

private func runLog(_ invocation: Invocation, _ surroundings: Surroundings) throws {
    let controller = try Controller(invocation, surroundings.environment)
    var request = NewProbeRequest(
        location: invocation.arguments[0], template: invocation.arguments[1],
        service: try probeService(invocation, controller, surroundings))
    request.condition = invocation.values["if"]
    request.instance = invocation.values["instance"]
    request.labels = try invocation.values["label"].map { try probeLabels($0) }
    request.level = invocation.values["level"]
    request.tag = invocation.values["tag"]
    request.reason = invocation.values["reason"]
    request.hits = invocation.values["hits"].flatMap { Int($0) }
    request.rate = invocation.values["rate"].flatMap { Int($0) }
    if let text = invocation.values["for"] {
        guard let milliseconds = TimeExpression.duration(text) else {
            throw CommandFailure.usage("--for: got \"\(text)\"; want 24h at most, such as 30m")
        }
        request.seconds = max(1, milliseconds / 1000)
    }
    let body = try controller.send(
        ControllerRequest(
            "POST", "/api/v1/probes", body: Array(try JSONEncoder().encode(request))))
    let added = try controller.decode(ProbeAnswer.self, from: body)
    let (probe, latest) = try settled(added, controller)
    if invocation.isSet(.json) {
        try surroundings.writeJSON(latest ?? body)
    } else {
        try say(probe, surroundings)
    }
    if invocation.values["follow"] != nil {
        return try TailFollower(
            probe: probe, controller, asJSON: invocation.isSet(.json), surroundings
        ).follow()
    }
    // One that has said all its lines already has done what was asked for.
    let isIn = probe.instances.contains { $0.state == "installed" || $0.lines > 0 }
    if !isIn, !probe.instances.isEmpty, probe.isSettled {
        throw CommandFailure(
            "the log point \(probe.id) is in no instance",
            advice: ["sonde probe show \(probe.id) says why; sonde probe rm \(probe.id) drops it"])
    }
}

/// Waits a moment for the agents to say how the probe is with them.
private func settled(
    _ added: ProbeAnswer, _ controller: Controller
) throws -> (ProbeAnswer, [UInt8]?) {
    var probe = added
    var body: [UInt8]?
    let deadline = Quantity.nowMilliseconds() + 5000
    var pause: UInt32 = 5000
    while !probe.isSettled, Quantity.nowMilliseconds() < deadline {
        usleep(pause)
        pause = min(100_000, pause * 2)
        let bytes = try controller.send(.get("/api/v1/probes/\(probe.id)"))
        probe = try controller.decode(ProbeAnswer.self, from: bytes)
        body = bytes
    }
    return (probe, body)
}

private func say(_ probe: ProbeAnswer, _ surroundings: Surroundings) throws {
    let installed = probe.instances.filter { $0.state == "installed" }
    let places = installed.reduce(0) { $0 + Int(clamping: $1.jumpSites &+ $1.trapSites) }
    let instances = Quantity.count(installed.count, "instance")
    let minutes = max(1, (probe.expiresMs - probe.createdMs + 59_999) / 60_000)
    let lines = probe.lines
    let state =
        !installed.isEmpty
        ? "is in \(instances) at \(Quantity.count(places, "address", "addresses"))"
        : lines > 0 ? "has said \(lines) lines already" : "is in no instance yet"
    try surroundings.output.write(
        "\(probe.id) \(state), for \(minutes) min or \(probe.hitLimit) lines each\n")
    for one in probe.instances where one.state != "installed" {
        let name = String(one.instance.prefix(8))
        let reason = one.reason.isEmpty ? "" : ": \(one.reason)"
        surroundings.note("\(name) on \(one.host): \(one.state)\(reason)".forTerminal)
    }
}

/// The service that a probe is for: named, or the only one that there is.
func probeService(
    _ invocation: Invocation, _ controller: Controller, _ surroundings: Surroundings
) throws -> String {
    if let service = invocation.text(.probeService) { return service }
    if let service = surroundings.environment["SONDE_SERVICE"], !service.isEmpty { return service }
    let agents = try controller.answer(AgentsAnswer.self, to: .get("/api/v1/agents")).agents
    let services = Set(agents.filter { $0.state == "connected" }.map(\.service)).sorted()
    if services.count == 1, let service = services.first { return service }
    guard services.isEmpty else {
        throw CommandFailure.usage(
            "--service is missing: \(services.count) services are connected; want one of "
                + ValueKind.list(services.map(\.forTerminal)))
    }
    throw CommandFailure(
        "no service is connected to \(controller.address)",
        advice: ["start one with: sonde run --service NAME -- PROGRAM"])
}

/// Labels such as `zone=a,tier=b`.
private func probeLabels(_ text: String) throws -> [String: String] {
    var labels: [String: String] = [:]
    for pair in text.split(separator: ",", omittingEmptySubsequences: false) {
        let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else {
            throw CommandFailure.usage(
                "--label: got \"\(text.forTerminal)\"; want K=V, or several with commas between")
        }
        labels[String(parts[0])] = String(parts[1])
    }
    return labels
}
