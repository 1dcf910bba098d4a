// SPDX-License-Identifier: Apache-2.0
// `sonde flame`: the flame graph, in the terminal or as a file for another program.

internal import SondeFormats

extension CommandDescription {
    /// `sonde flame`.
    package static let flame: CommandDescription = {
        var command = CommandDescription(
            "flame", "the flame graph: which calls the time is spent in")
        command.discussion = [
            "Adds up all profiles of the range into one tree of calls. As text, a frame stands under"
                + " its caller with its share of the whole, its value with all that it called (total)"
                + " and its own (self); lines are indented only where a caller has several callees.",
            "Other formats are made by the controller (GET /api/v1/flame) for other programs: folded"
                + " (one stack a line), pprof (go tool pprof), speedscope (speedscope.app), svg (any"
                + " browser), json (docs/http-api.md).",
        ]
        command.arguments = [.selector]
        command.options =
            [.format, .outputFile, .minimumShare, .depth, .maxNodes]
            + OptionDescription.range + [.type] + OptionDescription.stacks + [.json]
            + OptionDescription.controller
        command.examples = [
            .init("sonde flame bookmaker --from 15m", "The last quarter of an hour, as text."),
            .init("sonde flame bookmaker --min-share 5 --depth 20", "Only what is large."),
            .init(
                "sonde flame bookmaker -o cpu.svg", "A picture; the file's name chooses the format."
            ),
            .init(
                "sonde flame bookmaker --format pprof -o cpu.pb.gz && go tool pprof -top cpu.pb.gz",
                "Into another tool."),
        ]
        command.run = { try runFlame($0, $1) }
        return command
    }()
}

extension OptionDescription {
    fileprivate static let format = OptionDescription(
        "format", "FORMAT", .choice(FlameFormat.allCases.map(\.rawValue)),
        "text, folded, pprof, speedscope, svg or json.",
        standard: "what the name of --output ends in (.svg, .folded, .pb.gz, .speedscope.json,"
            + " .json), otherwise text", group: .output)
    fileprivate static let outputFile = OptionDescription(
        "output", letter: "o", "FILE", .file,
        "Write to a file, which appears only when it is whole; - is standard output.",
        standard: "-",
        group: .output)
    fileprivate static let minimumShare = OptionDescription(
        "min-share", "PERCENT", .percent, "As text: leave out frames with less of the whole.",
        standard: "1", group: .output)
    fileprivate static let depth = OptionDescription(
        "depth", "N", .integer(1...10_000), "As text: leave out frames further from the root.",
        standard: "no limit", group: .output)
    fileprivate static let maxNodes = OptionDescription(
        "max-nodes", "N", .integer(1...1_048_576),
        "Keep the largest nodes of the tree; the rest becomes \"other\".", standard: "16384",
        group: .output)
}

/// What a flame graph is written as.
package enum FlameFormat: String, CaseIterable, Sendable {
    case text, folded, pprof, speedscope, svg, json

    /// The format that a file's name ends in.
    package init?(fileName: String) {
        let endings: [(String, FlameFormat)] = [
            (".svg", .svg), (".folded", .folded), (".pb.gz", .pprof), (".pprof", .pprof),
            (".speedscope.json", .speedscope), (".json", .json), (".txt", .text),
        ]
        guard let format = endings.first(where: { fileName.hasSuffix($0.0) }) else { return nil }
        self = format.1
    }
}

private func runFlame(_ invocation: Invocation, _ surroundings: Surroundings) throws {
    let controller = try Controller(invocation, surroundings.environment)
    let selector = invocation.arguments.first ?? ""
    let file = invocation.text(.outputFile).flatMap { $0 == "-" ? nil : $0 }
    let format = try chosenFormat(invocation, file)
    if format == .pprof, file == nil, surroundings.output.isTerminal {
        throw CommandFailure.usage(
            "cannot write pprof to a terminal: it is binary; want a file or a pipe",
            advice: ["try: sonde flame \(selector) --format pprof -o cpu.pb.gz"])
    }
    let question: [(String, String?)] =
        [("selector", selector), ("type", invocation.text(.type))] + invocation.rangeQuery
        + invocation.stacksQuery
    if format != .text, format != .json {
        // A file of another format does not say that it is empty.
        let timeline = try controller.answer(
            TimelineAnswer.self, to: .get("/api/v1/timeline", question))
        guard !timeline.points.isEmpty else {
            throw NoData.failure(selector, invocation, controller)
        }
    }
    let wire = format == .text ? FlameFormat.json : format
    let body = try controller.send(
        .get(
            "/api/v1/flame",
            question + [("maxNodes", invocation.text(.maxNodes)), ("format", wire.rawValue)]))
    guard format == .text else {
        if let file { return try OutputFile.write(body, to: file) }
        return format == .json
            ? try surroundings.writeJSON(body) : try surroundings.output.write(body)
    }
    let answer = try controller.decode(FlameAnswer.self, from: body)
    guard answer.profiles > 0 else { throw NoData.failure(selector, invocation, controller) }
    let outlet = file == nil ? surroundings.output : Outlet(descriptor: -1)
    let text = try flameText(answer, selector, invocation, outlet)
    if let file {
        try OutputFile.write(Array(text.utf8), to: file)
    } else {
        try surroundings.output.write(text)
    }
    surroundings.note(notes: answer.notes)
}

private func chosenFormat(_ invocation: Invocation, _ file: String?) throws -> FlameFormat {
    let named = invocation.text(.format).flatMap { FlameFormat(rawValue: $0) }
    if invocation.isSet(.json) {
        guard named == nil || named == .json else {
            throw CommandFailure.usage(
                "--json and --format \(invocation.text(.format) ?? "") contradict each other; want one of them"
            )
        }
        return .json
    }
    return named ?? file.flatMap { FlameFormat(fileName: $0) } ?? .text
}

private func flameText(
    _ answer: FlameAnswer, _ selector: String, _ invocation: Invocation, _ outlet: Outlet
) throws -> String {
    let limits = FlameText.Limits(
        minimumShare: (invocation.decimal(.minimumShare) ?? 1) / 100,
        depth: invocation.integer(.depth) ?? .max)
    var heading =
        "\(selector.forTerminal): \(outlet.value(answer.total, unit: answer.unit)) in"
        + " \(Quantity.count(answer.profiles, "profile")),"
        + " \(Quantity.clock(milliseconds: answer.from)) to"
        + " \(Quantity.clock(milliseconds: answer.until))"
    if answer.unresolved > 0 {
        heading += ", \(ValueFormat.share(answer.unresolved, of: answer.total)) without a name"
    }
    let head = HelpText.wrap(heading, width: outlet.width ?? 100)
    return try head + "\n\n" + FlameText.text(answer, limits, for: outlet)
}
