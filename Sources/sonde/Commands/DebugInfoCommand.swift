// SPDX-License-Identifier: Apache-2.0
// `sonde debuginfo`: the ELF files that the controller finds names in.

internal import SondeFormats

extension CommandDescription {
    /// `sonde debuginfo`.
    package static let debugInfo: CommandDescription = {
        var command = CommandDescription(
            "debuginfo", "the files that the controller finds names in")
        command.discussion = [
            "Profiles hold build ids and addresses; the controller finds the names when somebody"
                + " reads them, in the ELF files it has. Agents upload what is loaded in their process;"
                + " what was stripped there is sent from the build machine. A file that comes late"
                + " still names old profiles."
        ]
        command.subcommands = [debugInfoPush, debugInfoList]
        command.examples = [
            .init("sonde debuginfo push .build/release/bookmaker", "After a build."),
            .init("sonde debuginfo list", "What there is."),
        ]
        return command
    }()

    private static let debugInfoPush: CommandDescription = {
        var command = CommandDescription("push", "send ELF files from a build machine")
        command.discussion = [
            "Sends programs, shared libraries and split-off debug files by their build ids. In a"
                + " folder, with all folders below it, everything else is passed over in silence. What"
                + " the controller has already is not sent again.",
            "Needs a token of role developer where the controller asks for tokens.",
        ]
        command.arguments = [
            ArgumentDescription("FILE", "An ELF file, or a folder to search.", .file, .oneOrMore)
        ]
        command.options =
            [
                OptionDescription(
                    "dry-run", nil, .text, "Only say what would be sent.")
            ] + OptionDescription.controller
        command.examples = [
            .init("sonde debuginfo push .build/release/bookmaker", "One program."),
            .init("sonde debuginfo push /usr/lib/debug/.build-id", "Everything below a folder."),
        ]
        command.run = { try pushDebugInfo($0, $1) }
        return command
    }()

    private static let debugInfoList: CommandDescription = {
        var command = CommandDescription("list", "the files that the controller has")
        command.discussion = [
            "Lists each image with what it holds: debug info gives functions, inlined calls and lines,"
                + " symbols give functions only. The answer comes from the controller"
                + " (GET /api/v1/debuginfo)."
        ]
        command.options = [.json] + OptionDescription.controller
        command.examples = [.init("sonde debuginfo list", "All of them.")]
        command.run = { try listDebugInfo($0, $1) }
        return command
    }()
}

private func listDebugInfo(_ invocation: Invocation, _ surroundings: Surroundings) throws {
    let controller = try Controller(invocation, surroundings.environment)
    let body = try controller.send(.get("/api/v1/debuginfo"))
    if invocation.isSet(.json) { return try surroundings.writeJSON(body) }
    let images = try controller.decode(DebugInfoAnswer.self, from: body).images
    guard !images.isEmpty else {
        surroundings.note("the controller has no files yet; agents upload what it asks them for")
        surroundings.note("  send one with: sonde debuginfo push FILE")
        return
    }
    let now = Quantity.nowMilliseconds()
    var table = Table([
        .init("NAME", isCuttable: true), .init("BUILD ID", isCuttable: true, dispensability: 2),
        .init("SIZE", isNumber: true), .init("HOLDS"),
        .init("RECEIVED", isCuttable: true, dispensability: 3),
    ])
    for image in images {
        let holds =
            image.hasDebugInfo ? "debug info" : image.hasSymbols ? "symbols only" : "no names"
        table.rows.append([
            .init(image.name, .bold), .init(image.buildID),
            .init(ValueFormat(unit: "bytes").string(image.sizeBytes)),
            .init(holds, image.hasDebugInfo ? nil : .yellow),
            .init(Quantity.ago(milliseconds: image.receivedMs, now: now)),
        ])
    }
    try surroundings.output.write(table.text(for: surroundings.output))
}

private func pushDebugInfo(_ invocation: Invocation, _ surroundings: Surroundings) throws {
    let controller = try Controller(invocation, surroundings.environment)
    let found = DebugFiles.find(invocation.arguments)
    let isDry = invocation.values["dry-run"] != nil
    var known: Set<String> = []
    if !found.files.isEmpty {
        let answer = try controller.answer(DebugInfoAnswer.self, to: .get("/api/v1/debuginfo"))
        known = Set(answer.images.filter(\.hasDebugInfo).map(\.buildID))
    }
    var table = Table([
        .init("FILE", isCuttable: true), .init("BUILD ID", isCuttable: true, dispensability: 2),
        .init("SIZE", isNumber: true, dispensability: 3), .init("RESULT"),
    ])
    var failures: [String] = []
    for file in found.files {
        let result: Table.Cell
        if known.contains(file.buildID) {
            result = .init("already there", .dim)
        } else if isDry {
            result = .init(file.hasDebugInfo ? "would be sent" : "would be sent (no debug info)")
        } else {
            do throws(CommandFailure) {
                let target = "/api/v1/debuginfo/" + file.buildID
                let isNew = try controller.upload(file: file.path, to: target)
                if file.hasDebugInfo { known.insert(file.buildID) }
                result = isNew ? .init("sent", .green) : .init("already there", .dim)
            } catch {
                failures.append("\(file.path.forTerminal): \(error.message)")
                result = .init("failed", .red)
            }
        }
        table.rows.append([
            .init(file.path), .init(file.buildID),
            .init(ValueFormat(unit: "bytes").string(file.sizeBytes)), result,
        ])
    }
    try surroundings.output.write(table.text(for: surroundings.output))
    failures += found.problems
    if found.files.isEmpty, failures.isEmpty {
        failures = [
            "no ELF file with a build id in \(ValueKind.list(invocation.arguments).forTerminal)"
        ]
    }
    guard failures.isEmpty else {
        throw CommandFailure(
            failures.count == 1 ? failures[0] : "\(failures.count) files were not sent:",
            advice: failures.count == 1 ? [] : failures)
    }
}
