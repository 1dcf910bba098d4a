// SPDX-License-Identifier: Apache-2.0
// `sonde tail`: log lines as they come.

internal import Glibc

extension CommandDescription {
    /// `sonde tail`.
    package static let tail: CommandDescription = {
        var command = CommandDescription("tail", "log lines as they come")
        command.discussion = [
            "Prints new lines as soon as the controller has stored them, until Ctrl-C: time (this"
                + " machine's), level, service and message. With --since, lines of the past come first."
                + " When the connection is lost it is made again, and goes on with the lines that"
                + " came meanwhile.",
            "A query is LogQL as sonde logs takes it: a selector of streams in braces and filters."
                + " A bare name is a service's; nothing means every stream.",
            "The lines come from the controller (GET /api/v1/tail). With --json each is an object on"
                + " a line of its own.",
        ]
        command.arguments = [.logQuery]
        command.options =
            [
                OptionDescription(
                    "since", "LENGTH", .duration, "First the lines of this time: 30s, 5m, 2h.",
                    standard: "only new lines", group: .data),
                OptionDescription(
                    "limit", "N", .integer(0...5000),
                    "How many lines of the past come first at most.", standard: "100", group: .data),
                .metadata,
                OptionDescription(
                    "json", nil, .text, "Print each line as a JSON object; see docs/http-api.md.",
                    group: .output),
            ] + OptionDescription.controller
        command.examples = [
            .init("sonde tail bookmaker", "Whatever one service says from now on."),
            .init("sonde tail '{level=\"error\"}' --since 5m", "Errors of all services."),
            .init(
                "sonde tail '{service_name=\"bookmaker\"} | probe_id=\"p-4xk2mw7a\"' --metadata",
                "The lines of one log point, with what it captured."),
        ]
        command.run = { try runTail($0, $1) }
        return command
    }()
}

private func runTail(_ invocation: Invocation, _ surroundings: Surroundings) throws {
    let controller = try Controller(invocation, surroundings.environment)
    try TailFollower(controller, invocation, surroundings).follow()
}

/// Follows lines over as many connections as it takes.
final class TailFollower {
    private let controller: Controller
    private let surroundings: Surroundings
    private let query: String?
    private let limit: String
    private let asJSON: Bool
    private var since: String?
    private var text: LogText
    private var isConnected = false
    private var wasConnected = false
    /// When the controller was last heard of.
    private var lastHeard = Quantity.nowMilliseconds()
    /// The latest lines, for not printing them again after a connection was lost.
    private var printed: Set<[UInt8]> = []
    private var printedBefore: Set<[UInt8]> = []

    /// Lines that are remembered, twice: two generations.
    private static let remembered = 5000
    /// Clocks differ and lines are late: so much is asked for again.
    private static let overlapSeconds: Int64 = 10

    init(_ controller: Controller, _ invocation: Invocation, _ surroundings: Surroundings) {
        self.controller = controller
        self.surroundings = surroundings
        query = invocation.arguments.first
        limit = invocation.values["limit"] ?? "100"
        since = invocation.values["since"]
        asJSON = invocation.isSet(.json)
        text = LogText(hasMetadata: invocation.isSet(.metadata))
    }

    /// Follows the lines of one probe, from its first one on.
    init(
        probe: ProbeAnswer, _ controller: Controller, asJSON: Bool, _ surroundings: Surroundings
    ) {
        self.controller = controller
        self.surroundings = surroundings
        // An id has no characters that would need escapes.
        query = "{service_name=~\".+\"} | probe_id=\"\(probe.id)\""
        limit = "5000"
        since = "60s"
        self.asJSON = asJSON
        text = LogText(hasMetadata: false)
    }

    /// Prints lines until the reader, the user or the controller ends it for good.
    func follow() throws {
        if surroundings.output.isTerminal {
            let what = query.map { "lines of " + $0.forTerminal } ?? "all lines"
            surroundings.note("following \(what); Ctrl-C ends it")
        }
        var pause: UInt32 = 250
        while true {
            do {
                isConnected = false
                var request = ControllerRequest.get(
                    "/api/v1/tail",
                    [("query", query), ("since", since), ("limit", wasConnected ? "5000" : limit)])
                request.timeoutSeconds = 60
                try controller.stream(request, alive: { try self.heard() }) { try self.take($0) }
            } catch let broken as BrokenStream {
                guard wasConnected || isConnected else { throw broken.failure }
                if isConnected || pause == 250 {
                    surroundings.note("connection lost, trying again: " + broken.failure.message)
                    pause = 250
                }
                usleep(pause * 1000)
                pause = min(pause * 2, 5000)
                let seconds = (Quantity.nowMilliseconds() - lastHeard) / 1000
                since = "\(max(0, seconds) + Self.overlapSeconds)s"
            }
        }
    }

    private func heard() throws {
        // A reader such as `head` goes without a word; nobody would notice until the next line.
        if surroundings.output.isAbandoned { throw OutletClosed() }
        isConnected = true
        wasConnected = true
        lastHeard = Quantity.nowMilliseconds()
    }

    private func take(_ bytes: [UInt8]) throws {
        guard isNew(bytes) else { return }
        if let line = try? controller.decode(LogLine.self, from: bytes) {
            if asJSON { return try surroundings.writeJSON(bytes) }
            text.now = Quantity.nowMilliseconds()
            return try surroundings.output.write(text.text(of: line, in: surroundings.output))
        }
        let note = try controller.decode(TailNote.self, from: bytes)
        if let error = note.error { throw CommandFailure(error.forTerminal) }
        if let dropped = note.dropped {
            surroundings.note(
                "\(Quantity.count(dropped, "line")) left out: they came faster than they were read")
        }
    }

    private func isNew(_ bytes: [UInt8]) -> Bool {
        if printed.count >= Self.remembered { (printedBefore, printed) = (printed, []) }
        return !printedBefore.contains(bytes) && printed.insert(bytes).inserted
    }
}
