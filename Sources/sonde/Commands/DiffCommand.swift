// SPDX-License-Identifier: Apache-2.0
// `sonde diff`: which functions take a larger or smaller share than before, or than elsewhere.

internal import SondeFormats

extension CommandDescription {
    /// `sonde diff`.
    package static let diff: CommandDescription = {
        var command = CommandDescription(
            "diff", "which functions take more or less than elsewhere or before")
        command.discussion = [
            "Compares two selections of profiles, A and B: two services, two hosts, or one service"
                + " in two ranges of time. What is compared is each function's share of its own"
                + " side, so that a longer range or more instances make no difference. The largest"
                + " changes come first, in points of percent of what functions spend in themselves.",
            "The answer comes from the controller (GET /api/v1/diff), where --json shows the two"
                + " flame graphs in one.",
        ]
        var second = ArgumentDescription.selector
        second.placeholder = "SELECTOR-B"
        second.help = "What is compared with it, written alike; without it the same as A."
        second.occurrence = .optional
        var first = ArgumentDescription.selector
        first.placeholder = "SELECTOR-A"
        command.arguments = [first, second]
        command.options =
            [.diffLimit] + OptionDescription.range + [.baseFrom, .baseUntil, .type]
            + OptionDescription.stacks + [.json] + OptionDescription.controller
        command.examples = [
            .init(
                "sonde diff bookmaker --from 1h --base-from 25h --base-until 24h",
                "The last hour against the same hour of yesterday."),
            .init(
                "sonde diff '{service_name=\"bookmaker\",version=\"1\"}'"
                    + " '{service_name=\"bookmaker\",version=\"2\"}'",
                "Two versions that run side by side."),
        ]
        command.run = { try runDiff($0, $1) }
        return command
    }()
}

extension OptionDescription {
    fileprivate static let diffLimit = OptionDescription(
        "limit", "N", .integer(1...100_000), "How many functions to list.", standard: "20",
        group: .output)
    fileprivate static let baseFrom = OptionDescription(
        "base-from", "TIME", .time, "Where the range of A begins, when it is another.",
        standard: "that of --from", group: .data)
    fileprivate static let baseUntil = OptionDescription(
        "base-until", "TIME", .time, "Where the range of A ends, when it is another.",
        standard: "that of --until", group: .data)
}

private func runDiff(_ invocation: Invocation, _ surroundings: Surroundings) throws {
    let controller = try Controller(invocation, surroundings.environment)
    let left = invocation.arguments.first ?? ""
    let right = invocation.arguments.dropFirst().first ?? left
    guard
        right != left || invocation.isSet(.baseFrom) || invocation.isSet(.baseUntil)
    else {
        throw CommandFailure.usage(
            "cannot compare \(left.forTerminal) with itself: got one selector and one range;"
                + " want a second selector, or --base-from and --base-until")
    }
    let body = try controller.send(
        .get(
            "/api/v1/diff",
            [
                ("leftSelector", left), ("rightSelector", right),
                ("type", invocation.text(.type)),
                ("leftFrom", invocation.time(.baseFrom)?.parameter),
                ("leftUntil", invocation.time(.baseUntil)?.parameter),
            ] + invocation.rangeQuery + invocation.stacksQuery))
    if invocation.isSet(.json) { return try surroundings.writeJSON(body) }
    let answer = try controller.decode(DiffAnswer.self, from: body)
    if answer.left.profiles == 0 {
        throw NoData.failure(left, invocation, controller, in: baseRange(invocation))
    }
    if answer.right.profiles == 0 { throw NoData.failure(right, invocation, controller) }
    let limit = invocation.values["limit"].flatMap { Int($0) } ?? 20
    try surroundings.output.write(
        diffText(answer, (left, right), limit: limit, surroundings.output))
    surroundings.note(notes: answer.notes)
}

/// The range of A: the command line's, but for what is said of A alone.
private func baseRange(_ invocation: Invocation) -> NoData.Range {
    var range = NoData.Range(invocation)
    guard invocation.isSet(.baseFrom) || invocation.isSet(.baseUntil) else { return range }
    let from = invocation.time(.baseFrom) ?? invocation.time(.from)
    let until = invocation.time(.baseUntil) ?? invocation.time(.until)
    range.query = [("from", from?.parameter), ("until", until?.parameter)]
    range.words = Invocation.inWords(
        from: invocation.values["base-from"] ?? invocation.values["from"] ?? "1h",
        until: invocation.values["base-until"] ?? invocation.values["until"])
    range.isOwn = false
    return range
}

private func diffText(
    _ answer: DiffAnswer, _ selectors: (String, String), limit: Int, _ outlet: Outlet
) -> String {
    func heading(_ name: String, _ selector: String, _ side: DiffAnswer.Side) -> String {
        let text =
            "\(name): \(selector.forTerminal), \(outlet.value(side.total, unit: answer.unit)) in"
            + " \(Quantity.count(side.profiles, "profile")),"
            + " \(Quantity.clock(milliseconds: side.from)) to"
            + " \(Quantity.clock(milliseconds: side.until))"
        return DisplayWidth.cut(text, to: outlet.width ?? .max) + "\n"
    }
    var table = Table([
        .init("CHANGE", isNumber: true), .init("SELF A", isNumber: true),
        .init("SELF B", isNumber: true), .init("TOTAL A", isNumber: true, dispensability: 2),
        .init("TOTAL B", isNumber: true, dispensability: 1),
        .init("FUNCTION", isCuttable: true),
    ])
    for function in ComparedFunctions.of(answer).prefix(limit) {
        let grows = function.change > 0
        table.rows.append([
            .init(points(function.change), grows ? .red : .green),
            .init(percent(function.left.own)), .init(percent(function.right.own)),
            .init(percent(function.left.total)), .init(percent(function.right.total)),
            .init(function.name, function.kind >= 2 ? .dim : nil),
        ])
    }
    let head =
        heading("A", selectors.0, answer.left) + heading("B", selectors.1, answer.right) + "\n"
    guard !table.rows.isEmpty else { return head + "No function's share changed.\n" }
    return head + table.text(for: outlet)
}

/// A share with one decimal.
private func percent(_ share: Double) -> String { "\(tenths(share * 100))%" }

/// A change of a share, in points of percent with a sign.
private func points(_ change: Double) -> String {
    (change < 0 ? "-" : "+") + tenths(abs(change) * 100)
}

private func tenths(_ value: Double) -> String {
    let tenths = Int((value * 10).rounded())
    return "\(tenths / 10).\(tenths % 10)"
}

/// The functions of two flame graphs, by how much their shares differ.
struct ComparedFunctions {
    /// A function's shares of one side.
    struct Shares: Equatable {
        /// Of what it spends in itself.
        var own = 0.0
        /// With all that it calls; a stack counts once.
        var total = 0.0
    }

    var name: String
    var kind: Int
    var left = Shares()
    var right = Shares()

    /// The change of the share that it spends in itself.
    var change: Double { right.own - left.own }

    /// All functions whose own share differs, the largest change first.
    static func of(_ answer: DiffAnswer) -> [ComparedFunctions] {
        let nodes = answer.nodes
        var functions: [ComparedFunctions] = []
        var numbers: [Int: Int] = [:]
        var functionOf = [Int](repeating: -1, count: nodes.parent.count)
        // The nearest caller that is another function's outermost call decides what counts once.
        let sides = (max(1, answer.left.total), max(1, answer.right.total))
        for node in nodes.parent.indices where nodes.frame[node] >= 0 {
            let text = answer.frames.name[nodes.frame[node]]
            let number = numbers[text] ?? functions.count
            if number == functions.count {
                numbers[text] = number
                functions.append(
                    ComparedFunctions(
                        name: answer.strings[text], kind: answer.frames.kind[nodes.frame[node]]))
            }
            functionOf[node] = number
            functions[number].left.own += Double(nodes.leftSelf[node]) / Double(sides.0)
            functions[number].right.own += Double(nodes.rightSelf[node]) / Double(sides.1)
            var caller = nodes.parent[node]
            while caller > 0, functionOf[caller] != number { caller = nodes.parent[caller] }
            guard caller <= 0 else { continue }
            functions[number].left.total += Double(nodes.leftTotal[node]) / Double(sides.0)
            functions[number].right.total += Double(nodes.rightTotal[node]) / Double(sides.1)
        }
        return functions.filter { abs($0.change) >= 0.0005 }.sorted {
            (abs($1.change), $0.name) < (abs($0.change), $1.name)
        }
    }
}
