// SPDX-License-Identifier: Apache-2.0
// `sonde where`: what can be probed at a place, in a running service or in a file.

internal import FoundationEssentials
internal import SondeModel
internal import SondeProbeCompiler
internal import SondeSymbols

extension CommandDescription {
    /// `sonde where`.
    package static let `where`: CommandDescription = {
        var command = CommandDescription("where", "what can be probed at a place in the code")
        command.discussion = [
            "Shows the addresses of a line, one for each copy that the compiler made of it, and every"
                + " name that can be read there, with its Swift type. A name that cannot be read says"
                + " why, and names the nearest lines where it can. sonde log takes the same places and"
                + " names.",
            "With --binary it asks a file in place of a running service: the same answer, so that"
                + " places and names can be checked before a release. Exit status 1 when there is"
                + " nothing to be probed.",
        ]
        command.arguments = [
            ArgumentDescription(
                "LOCATION", "FILE:LINE (the end of a path), Type.method, or 0xADDRESS@BUILD-ID.")
        ]
        command.options =
            [
                .probeService,
                OptionDescription(
                    "instance", "ID", .text, "Only instances whose id begins so."),
                OptionDescription("binary", "FILE", .file, "Ask this file with debug info."),
                .json,
            ] + OptionDescription.controller
        command.examples = [
            .init("sonde where Settlement.swift:88 --service bookmaker", "In a running service."),
            .init(
                "sonde where Settlement.swift:88 --binary .build/release/bookmaker",
                "In a file, without a controller."),
        ]
        command.run = { try runWhere($0, $1) }
        return command
    }()
}

/// `GET /api/v1/where`.
package struct WhereReply: Codable, Sendable {
    package var location: String
    package var service: String
    package var builds: [Build]

    package struct Build: Codable, Sendable {
        package var image: String
        package var instances: Int
        package var problem: String?
        package var buildID: String?
        package var file: String?
        package var line: UInt32?
        package var text: String?
        package var note: String?
        package var places: [Place]?
        package var names: [Name]?
    }

    package struct Place: Codable, Sendable {
        package var address: String
        package var column: UInt32
        package var function: String
        package var inlinedInto: [String]
    }

    package struct Name: Codable, Sendable {
        package var name: String
        package var type: String
        package var kind: String
        package var declaredLine: UInt32
        package var availability: String
        package var readableAt: Int
        package var reason: String
        package var nearestLines: [UInt32]
    }
}

private func runWhere(_ invocation: Invocation, _ surroundings: Surroundings) throws {
    let location = invocation.arguments[0]
    if let path = invocation.values["binary"] {
        let reply = try lookIntoFile(path, location)
        if invocation.isSet(.json) {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys]
            return try surroundings.writeJSON(Array(try encoder.encode(reply)))
        }
        return try show(reply, isFile: true, surroundings)
    }
    let controller = try Controller(invocation, surroundings.environment)
    let service = try probeService(invocation, controller, surroundings)
    let body = try controller.send(
        .get(
            "/api/v1/where",
            [
                ("service", service), ("location", location),
                ("instance", invocation.values["instance"]),
            ]))
    if invocation.isSet(.json) { return try surroundings.writeJSON(body) }
    try show(controller.decode(WhereReply.self, from: body), isFile: false, surroundings)
}

private func lookIntoFile(_ path: String, _ location: String) throws -> WhereReply {
    let image: ProbeImage
    do throws(SymbolError) { image = try ProbeImage(path: path) } catch {
        throw CommandFailure(error.description)
    }
    let answer: WhereAnswer
    do throws(ProbeCompileError) {
        answer = try ProbeCompiler.describe(
            location: ProbeLocation(parsing: location), image: image)
    } catch {
        var lines = error.description.split(separator: "\n").map { String($0).forTerminal }
        let message = lines.isEmpty ? error.message : lines.removeFirst()
        throw CommandFailure(message, advice: lines)
    }
    let name = path.split(separator: "/").last.map(String.init) ?? path
    let count = answer.places.count
    let build = WhereReply.Build(
        image: name, instances: 0, buildID: answer.buildID.description, file: answer.file,
        line: answer.line,
        places: answer.places.map {
            WhereReply.Place(
                address: "0x" + String($0.address.rawValue, radix: 16), column: $0.column,
                function: $0.function, inlinedInto: $0.inlinedInto)
        },
        names: answer.names.map { name in
            WhereReply.Name(
                name: name.name, type: name.type, kind: name.kind.rawValue,
                declaredLine: name.declaredLine,
                availability: name.readableAt == count
                    ? "full"
                    : name.readableAt > 0 ? "some" : name.partlyReadableAt > 0 ? "part" : "none",
                readableAt: name.readableAt, reason: name.reason ?? "",
                nearestLines: name.nearestLines)
        })
    return WhereReply(location: location, service: "", builds: [build])
}

private func show(
    _ reply: WhereReply, isFile: Bool, _ surroundings: Surroundings
) throws {
    for (index, build) in reply.builds.enumerated() {
        if index > 0 { try surroundings.output.write("\n") }
        let image = build.image.forTerminal
        let whose = isFile ? image : "\(image) (\(Quantity.count(build.instances, "instance")))"
        guard let places = build.places, let names = build.names else {
            surroundings.note("\(whose): \((build.problem ?? "").forTerminal)")
            continue
        }
        let line = build.line ?? 0
        let file = build.file?.forTerminal ?? ""
        let head = "\(file):\(line) in \(whose), build \((build.buildID ?? "").prefix(12))"
        try surroundings.output.write(
            Style.bold.apply(head, in: surroundings.output) + "\n\n")
        if let text = build.text, !text.allSatisfy(\.isWhitespace) {
            try surroundings.output.write(
                "    " + text.drop(while: \.isWhitespace).description.forTerminal + "\n\n")
        }
        if let note = build.note { surroundings.note(notes: [note]) }
        if let moved = movedLine(reply.location, line) {
            surroundings.note("line \(moved) has no code of its own; this is the next that has")
        }
        try surroundings.output.write(
            placesTable(places).text(for: surroundings.output) + "\n"
                + namesTable(names, places: places.count).text(for: surroundings.output))
        if names.isEmpty { surroundings.note("no name can be read there") }
    }
}

private func movedLine(_ location: String, _ line: UInt32) -> UInt32? {
    guard let asked = location.split(separator: ":").last.flatMap({ UInt32($0) }), asked != line,
        location.contains(":")
    else { return nil }
    return asked
}

private func placesTable(_ places: [WhereReply.Place]) -> Table {
    var table = Table([
        .init("ADDRESS"), .init("FUNCTION", isCuttable: true),
        .init("INLINED INTO", isCuttable: true, dispensability: 1),
    ])
    for place in places {
        table.rows.append([
            .init(place.address), .init(place.function),
            .init(place.inlinedInto.joined(separator: " < ")),
        ])
    }
    return table
}

private func namesTable(_ names: [WhereReply.Name], places: Int) -> Table {
    var table = Table([
        .init("NAME"), .init("TYPE", isCuttable: true), .init("KIND", dispensability: 2),
        .init("READABLE"), .init("WHY NOT", isCuttable: true, dispensability: 1),
        .init("NEAREST LINES", isCuttable: true, dispensability: 3),
    ])
    for name in names {
        let (words, style): (String, Style) =
            switch name.availability {
            case "full": ("yes", .green)
            case "some": ("\(name.readableAt) of \(places)", .yellow)
            case "part": ("in part", .yellow)
            default: ("no", .red)
            }
        table.rows.append([
            .init(name.name, .bold), .init(name.type), .init(name.kind), .init(words, style),
            .init(name.reason),
            .init(name.nearestLines.map { "\($0)" }.joined(separator: ", ")),
        ])
    }
    return table
}
