// SPDX-License-Identifier: Apache-2.0
// `sonde source`: the source files that the controller shows with the cost of each line.

internal import SondeFormats
internal import SondeModel
internal import SondeWire

extension CommandDescription {
    /// `sonde source`.
    package static let source: CommandDescription = {
        var command = CommandDescription(
            "source", "the source files that the page shows with the cost of each line")
        command.discussion = [
            "The controller shows the text of a file from the folders of source.roots in its"
                + " configuration; where it cannot reach those, from the bundle that was sent for the"
                + " build. A text that is not the one that was compiled is marked, as far as debug info"
                + " tells: C's has an MD5 of each file, Swift's has none, and then the file's time"
                + " counts."
        ]
        command.subcommands = [sourcePush, sourceList, sourceRemove]
        command.examples = [
            .init(
                "sonde source push --binary .build/release/bookmaker",
                "After a build: the files of this folder that the program is made of."),
            .init("sonde source list", "What there is."),
        ]
        return command
    }()

    private static let sourcePush: CommandDescription = {
        var command = CommandDescription("push", "send the source files of a build")
        command.discussion = [
            "With --binary the files that its line table names, as far as they lie below DIR; of a"
                + " recorded path the longest end that is found there counts. Without, all source files"
                + " below DIR but for hidden ones: for the build that --build-id names, or that all"
                + " connected instances of --service run.",
            "What was sent before for the same build is replaced. Needs a token of role developer where"
                + " the controller asks for tokens.",
        ]
        command.arguments = [
            ArgumentDescription(
                "DIR", "The folder of the source files; this one unless given.", .folder, .optional)
        ]
        command.options =
            [
                OptionDescription("binary", "FILE", .file, "The program, with debug info."),
                OptionDescription("build-id", "ID", .text, "The program's build id."),
                OptionDescription(
                    "service", "NAME", .service, "The service that it is of, for the list."),
                OptionDescription(
                    "prefix", "PATH", .text,
                    "The beginning of recorded paths that DIR stands for, such as /build/app/; files"
                        + " elsewhere are left out then. Goes with --binary."),
                OptionDescription("dry-run", nil, .text, "Only say what would be sent."),
                .json,
            ] + OptionDescription.controller
        command.examples = [
            .init("sonde source push --binary .build/release/bookmaker", "After a build."),
            .init(
                "sonde source push --binary app --prefix /build/app/ ~/app",
                "Built elsewhere, in /build/app."),
        ]
        command.run = { try pushSource($0, $1) }
        return command
    }()

    private static let sourceList: CommandDescription = {
        var command = CommandDescription("list", "the builds whose source files were sent")
        command.discussion = [
            "A text is kept once, however many builds have it. When there is more than"
                + " source.bundle_bytes, the builds whose source came first lose it. The answer comes"
                + " from the controller (GET /api/v1/sources)."
        ]
        command.options = [.json] + OptionDescription.controller
        command.examples = [.init("sonde source list", "All of them.")]
        command.run = { try listSources($0, $1) }
        return command
    }()

    private static let sourceRemove: CommandDescription = {
        var command = CommandDescription("rm", "remove the source files of a build")
        command.arguments = [
            ArgumentDescription(
                "BUILD-ID", "The build id, or its beginning as far as it is unique.")
        ]
        command.options = OptionDescription.controller
        command.examples = [.init("sonde source rm 4f1c20", "The bundle of one build.")]
        command.run = { try removeSource($0, $1) }
        return command
    }()
}

/// `GET /api/v1/sources`.
private struct SourcesAnswer: Decodable {
    var bundles: [Bundle]
    var bytes: Int64
    var limitBytes: Int64
    var removed: Int

    struct Bundle: Decodable {
        var buildID: String
        var service: String
        var by: String
        var files: Int
        var textBytes: Int64
        var receivedMs: Int64
    }
}

/// `PUT /api/v1/sources/<build id>`.
private struct SourcePushAnswer: Decodable {
    var buildID: String
    var files: Int
    var textBytes: Int64
    var leftOut: Int
    var removed: [String]
}

private func pushSource(_ invocation: Invocation, _ surroundings: Surroundings) throws {
    let folder = invocation.arguments.first ?? "."
    let binary = invocation.values["binary"]
    let prefix = invocation.values["prefix"]
    guard binary == nil || invocation.values["build-id"] == nil else {
        throw CommandFailure.usage("--binary and --build-id: want one of them, not both")
    }
    guard prefix == nil || binary != nil else {
        throw CommandFailure.usage("--prefix goes with --binary, whose line table has the paths")
    }
    let controller = try Controller(invocation, surroundings.environment)
    let gathered =
        try binary.map { binary in
            try SourceGathering(binary: binary, below: folder, prefix: prefix)
        } ?? SourceGathering(below: folder)
    let buildID = try gathered.buildID ?? chosenBuild(invocation, controller)
    guard !gathered.files.isEmpty else {
        throw CommandFailure(
            "no source file below \(folder.forTerminal)"
                + (binary.map { " that the line table of \($0.forTerminal) names" } ?? ""),
            advice: gathered.missing.first.map { ["it names files such as \($0.forTerminal)"] }
                ?? [])
    }
    note(gathered, below: folder, surroundings)
    let size = ValueFormat(unit: "bytes").string(
        gathered.files.reduce(Int64(0)) { $0 + Int64($1.bytes.count) })
    if invocation.values["dry-run"] != nil {
        for file in gathered.files {
            try surroundings.output.write(file.path.forTerminal + "\n")
        }
        return surroundings.note(
            "would send \(Quantity.count(gathered.files.count, "file")), \(size), of build \(buildID)"
        )
    }
    var request = ControllerRequest(
        "PUT", "/api/v1/sources/\(buildID)",
        query: [
            ("service", invocation.values["service"]),
            ("built", gathered.builtMilliseconds.map { "\($0)" }),
        ],
        body: try Gzip.compress(SourceBundle(gathered.files).tar))
    request.contentType = "application/x-tar"
    request.contentEncoding = "gzip"
    request.timeoutSeconds = 600
    let body = try controller.send(request)
    if invocation.isSet(.json) { return try surroundings.writeJSON(body) }
    let answer = try controller.decode(SourcePushAnswer.self, from: body)
    try surroundings.output.write(
        "sent \(Quantity.count(answer.files, "file")), \(size), of build \(answer.buildID.forTerminal)\n"
    )
    if !answer.removed.isEmpty {
        surroundings.note(
            "to make room the controller removed the source of "
                + Quantity.count(answer.removed.count, "older build"))
    }
}

/// Says what its user should know before it is sent.
private func note(
    _ gathered: SourceGathering, below folder: String, _ surroundings: Surroundings
) {
    if let first = gathered.missing.first {
        surroundings.note(
            "\(Quantity.count(gathered.missing.count, "file")) that the line table names"
                + " \(gathered.missing.count == 1 ? "is" : "are") not below \(folder.forTerminal),"
                + " such as \(first.forTerminal)")
    }
    if let first = gathered.doubtful.first {
        surroundings.note(
            "\(Quantity.count(gathered.doubtful.count, "file")) changed since the program was built,"
                + " and will be marked so, such as \(first.forTerminal)")
    }
}

/// The build that was named, or that a service runs.
private func chosenBuild(
    _ invocation: Invocation, _ controller: Controller
) throws -> BuildID {
    if let text = invocation.values["build-id"] {
        guard let buildID = BuildID(hex: text) else {
            throw CommandFailure.usage(
                "--build-id: got \"\(text.forTerminal)\"; want 2...128 hexadecimal digits")
        }
        return buildID
    }
    guard let service = invocation.values["service"] else {
        throw CommandFailure.usage(
            "which build? want --binary FILE, --build-id ID, or --service NAME of one that runs")
    }
    struct Agents: Decodable {
        var agents: [Agent]
        struct Agent: Decodable {
            var service: String
            var state: String
            var buildIDs: [String]
        }
    }
    let agents = try controller.answer(Agents.self, to: .get("/api/v1/agents")).agents
        .filter { $0.service == service && $0.state == "connected" }
    // The program comes first, its libraries behind it.
    let builds = Set(agents.compactMap(\.buildIDs.first)).sorted()
    guard builds.count == 1, let buildID = builds.first.flatMap({ BuildID(hex: $0) }) else {
        throw CommandFailure(
            builds.isEmpty
                ? "no connected instance of \"\(service.forTerminal)\" has a build id"
                : "\"\(service.forTerminal)\" runs \(builds.count) builds",
            advice: builds.map { "--build-id \($0.forTerminal)" })
    }
    return buildID
}

private func listSources(_ invocation: Invocation, _ surroundings: Surroundings) throws {
    let controller = try Controller(invocation, surroundings.environment)
    let body = try controller.send(.get("/api/v1/sources"))
    if invocation.isSet(.json) { return try surroundings.writeJSON(body) }
    let answer = try controller.decode(SourcesAnswer.self, from: body)
    guard !answer.bundles.isEmpty else {
        surroundings.note("the controller has no source files")
        surroundings.note("  send some with: sonde source push --binary FILE DIR")
        return
    }
    let now = Quantity.nowMilliseconds()
    var table = Table([
        .init("BUILD ID", isCuttable: true), .init("SERVICE", isCuttable: true),
        .init("FILES", isNumber: true), .init("TEXT", isNumber: true),
        .init("RECEIVED", dispensability: 2), .init("BY", isCuttable: true, dispensability: 3),
    ])
    for bundle in answer.bundles {
        table.rows.append([
            .init(bundle.buildID, .bold), .init(bundle.service), .init("\(bundle.files)"),
            .init(ValueFormat(unit: "bytes").string(bundle.textBytes)),
            .init(Quantity.ago(milliseconds: bundle.receivedMs, now: now)), .init(bundle.by),
        ])
    }
    try surroundings.output.write(table.text(for: surroundings.output))
    let format = ValueFormat(unit: "bytes")
    let removed =
        answer.removed > 0
        ? "; \(Quantity.count(answer.removed, "bundle")) went to make room since it started" : ""
    surroundings.note(
        "\(format.string(answer.bytes)) of \(format.string(answer.limitBytes)) on disk\(removed)")
}

private func removeSource(_ invocation: Invocation, _ surroundings: Surroundings) throws {
    let wanted = (invocation.arguments.first ?? "").lowercased()
    let controller = try Controller(invocation, surroundings.environment)
    let bundles = try controller.answer(SourcesAnswer.self, to: .get("/api/v1/sources")).bundles
    let matching = bundles.map(\.buildID).filter { $0.hasPrefix(wanted) }
    guard matching.count == 1 || matching.contains(wanted), !wanted.isEmpty else {
        throw CommandFailure(
            matching.isEmpty
                ? "no source of a build that begins with \"\(wanted.forTerminal)\""
                : "\(matching.count) builds begin with \"\(wanted.forTerminal)\"",
            advice: matching.isEmpty ? ["see them with: sonde source list"] : matching)
    }
    let buildID = matching.contains(wanted) ? wanted : matching[0]
    _ = try controller.send(ControllerRequest("DELETE", "/api/v1/sources/\(buildID)"))
    try surroundings.output.write("removed the source files of build \(buildID)\n")
}
