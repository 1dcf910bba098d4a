// SPDX-License-Identifier: Apache-2.0
// `sonde store`: what the controller keeps, whether it is whole, and a copy of it.

internal import FoundationEssentials

extension CommandDescription {
    /// `sonde store`.
    package static let store: CommandDescription = {
        var command = CommandDescription("store", "figures, check and backup of what is stored")
        command.discussion = [
            "The controller keeps profiles in one database a day, and adds them up in the background."
                + " It removes what is older, or more, than its configuration keeps; sonde store stats"
                + " shows what went."
        ]
        command.subcommands = [storeStats, storeCheck, storeBackup]
        command.examples = [
            .init("sonde store stats", "Profiles and bytes of each service."),
            .init("sonde store backup /backup/sonde-monday", "A copy that can be served as it is."),
        ]
        return command
    }()

    private static let storeStats: CommandDescription = {
        var command = CommandDescription("stats", "profiles, series, stacks and bytes by service")
        command.discussion = [
            "VALUES are the bytes of the profiles' values on disk, STACKS those of the stacks that"
                + " they share. The total also has merged blocks and what databases add.",
            "The answer comes from the controller (GET /api/v1/store).",
        ]
        command.options = [.json] + OptionDescription.controller
        command.examples = [.init("sonde store stats", "All services.")]
        command.run = { try showStore($0, $1) }
        return command
    }()

    private static let storeCheck: CommandDescription = {
        var command = CommandDescription("check", "read everything and say what is damaged")
        command.discussion = [
            "Reads all profiles, and compares what was added up with the profiles it stands for. It"
                + " takes a while; the controller goes on meanwhile. Exits with 1 when something is"
                + " damaged. Needs an admin's token where tokens are needed."
        ]
        command.options = [.json] + OptionDescription.controller
        command.examples = [.init("sonde store check", "Everything.")]
        command.run = { try checkStore($0, $1) }
        return command
    }()

    private static let storeBackup: CommandDescription = {
        var command = CommandDescription("backup", "copy the data folder while it is in use")
        command.discussion = [
            "The controller writes the copy, on its own machine: profiles, logs, tokens, settings,"
                + " source files and debug info, with everything that it had acknowledged. sonde serve --data DIR serves"
                + " it. Needs an admin's token where tokens are needed."
        ]
        command.arguments = [
            ArgumentDescription(
                "DIR", "A folder on the controller's machine that is empty or does not exist yet.")
        ]
        command.options = [.json] + OptionDescription.controller
        command.examples = [.init("sonde store backup /backup/sonde-monday", "Make one.")]
        command.run = { try backUpStore($0, $1) }
        return command
    }()
}

/// `GET /api/v1/store`.
private struct StoreAnswer: Decodable {
    var profiles: Int64
    var bytes: Int64
    var oldestMs: Int64?
    var services: [Service]
    var sources: Sources?
    var removed: [Removed]

    struct Sources: Decodable {
        var bundles: Int
        var files: Int
        var bytes: Int64
        var limitBytes: Int64
        var removed: Int
    }

    struct Service: Decodable {
        var name: String
        var profiles: Int64
        var series: Int64
        var profileBytes: Int64
        var stackNodes: Int64
        var stackBytes: Int64
    }

    struct Removed: Decodable {
        var timeMs: Int64
        var day: String
        var reason: String
        var rule: String?
        var profiles: Int64?
        var bytes: Int64
    }
}

private struct CheckAnswer: Decodable {
    var databases: Int
    var profiles: Int
    var blocks: Int
    var problems: [String]
}

private struct BackupAnswer: Decodable {
    var databases: Int
    var bytes: Int64
}

private struct BackupRequest: Encodable {
    var folder: String
}

private func megabytes(_ bytes: Int64) -> String {
    Quantity.decimal(Double(bytes) / 1_048_576, places: 1)
}

private func showStore(_ invocation: Invocation, _ surroundings: Surroundings) throws {
    let controller = try Controller(invocation, surroundings.environment)
    let body = try controller.send(.get("/api/v1/store"))
    if invocation.isSet(.json) { return try surroundings.writeJSON(body) }
    let answer = try controller.decode(StoreAnswer.self, from: body)
    var table = Table([
        .init("SERVICE", isCuttable: true), .init("PROFILES", isNumber: true),
        .init("SERIES", isNumber: true), .init("VALUES MiB", isNumber: true),
        .init("A PROFILE", isNumber: true, dispensability: 2),
        .init("STACK NODES", isNumber: true), .init("STACKS MiB", isNumber: true),
    ])
    for service in answer.services {
        let each = service.profiles > 0 ? service.profileBytes / service.profiles : 0
        table.rows.append([
            .init(service.name, .bold), .init("\(service.profiles)"), .init("\(service.series)"),
            .init(megabytes(service.profileBytes)), .init("\(each) B"),
            .init("\(service.stackNodes)"), .init(megabytes(service.stackBytes)),
        ])
    }
    if table.rows.isEmpty {
        surroundings.note("nothing is stored yet")
    } else {
        try surroundings.output.write(table.text(for: surroundings.output))
    }
    let since = answer.oldestMs.map { ", from \(Quantity.clock(milliseconds: $0))" } ?? ""
    surroundings.note(
        "\(answer.profiles) profiles in \(megabytes(answer.bytes)) MiB on disk\(since)")
    if let sources = answer.sources, sources.bundles > 0 || sources.removed > 0 {
        let removed = sources.removed > 0 ? "; \(sources.removed) went to make room" : ""
        surroundings.note(
            "source of \(Quantity.count(sources.bundles, "build")), "
                + "\(Quantity.count(sources.files, "file")), in \(megabytes(sources.bytes)) of "
                + "\(megabytes(sources.limitBytes)) MiB\(removed)")
    }
    for one in answer.removed {
        let why =
            switch one.reason {
            case "age": "too old"
            case "bytes": "too many bytes"
            default: "by the rule \((one.rule ?? "").forTerminal)"
            }
        let count = one.profiles.map { "\($0) profiles" } ?? "an unreadable day"
        surroundings.note(
            "removed at \(Quantity.clock(milliseconds: one.timeMs)): \(count) of "
                + "\(one.day.forTerminal), \(megabytes(one.bytes)) MiB, \(why)")
    }
}

private func checkStore(_ invocation: Invocation, _ surroundings: Surroundings) throws {
    let controller = try Controller(invocation, surroundings.environment)
    var request = ControllerRequest("POST", "/api/v1/store/check")
    request.timeoutSeconds = 86_400
    let body = try controller.send(request)
    let answer = try controller.decode(CheckAnswer.self, from: body)
    if invocation.isSet(.json) {
        try surroundings.writeJSON(body)
    } else {
        for problem in answer.problems {
            try surroundings.output.write(problem.forTerminal + "\n")
        }
    }
    guard answer.problems.isEmpty else {
        throw CommandFailure(
            "the store is damaged: got \(answer.problems.count) problems in \(answer.databases)"
                + " databases; want them restored from a backup or moved away")
    }
    if !invocation.isSet(.json) {
        try surroundings.output.write(
            "all is well: \(answer.databases) databases, \(answer.profiles) profiles, "
                + "\(answer.blocks) blocks\n")
    }
}

private func backUpStore(_ invocation: Invocation, _ surroundings: Surroundings) throws {
    let folder = invocation.arguments.first ?? ""
    guard folder.hasPrefix("/") else {
        throw CommandFailure.usage(
            "cannot back up to \"\(folder.forTerminal)\": want an absolute path, for the controller"
                + " may run elsewhere")
    }
    let controller = try Controller(invocation, surroundings.environment)
    var request = ControllerRequest(
        "POST", "/api/v1/store/backup",
        body: Array(try JSONEncoder().encode(BackupRequest(folder: folder))))
    request.timeoutSeconds = 86_400
    let body = try controller.send(request)
    if invocation.isSet(.json) { return try surroundings.writeJSON(body) }
    let answer = try controller.decode(BackupAnswer.self, from: body)
    try surroundings.output.write(
        "copied \(answer.databases) databases and \(megabytes(answer.bytes)) MiB to "
            + "\(folder.forTerminal)\n")
}
