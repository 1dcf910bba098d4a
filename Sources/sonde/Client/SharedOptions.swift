// SPDX-License-Identifier: Apache-2.0
// Options that several commands take, described once.

extension OptionDescription {
    /// The controller's address.
    package static let url = OptionDescription(
        "url", "URL", .text, "The controller's address; SONDE_URL says it for all commands.",
        standard: Controller.standardAddress, group: .controller)

    /// What proves that we may ask.
    package static let token = OptionDescription(
        "token", "TOKEN", .text,
        "The access token. SONDE_TOKEN is the better place: other users of the machine can read command"
            + " lines. None is needed for a controller on this machine's loopback address.",
        group: .controller)

    /// Whose data is asked for.
    package static let tenant = OptionDescription(
        "tenant", "NAME", .text,
        "Whose data, where the controller keeps tenants apart; also SONDE_TENANT. Several to read of:"
            + " 'day|night'.",
        group: .controller)

    /// Which certificates to trust.
    package static let caFile = OptionDescription(
        "ca-file", "FILE", .file,
        "Certificates (PEM) to trust in place of the system's, for https; also SONDE_CA_FILE.",
        group: .controller)

    /// The beginning of the range.
    package static let from = OptionDescription(
        "from", "TIME", .time,
        "Where the range begins: 15m, 2h, 7d (ago), 2026-01-31, 2026-01-31T09:30 (this machine's time),"
            + " the same with Z or +02:00, or Unix milliseconds.",
        standard: "1h", group: .data)

    /// The end of the range.
    package static let until = OptionDescription(
        "until", "TIME", .time, "Where the range ends, written as --from is.", standard: "now",
        group: .data)

    /// The kind of profile.
    package static let type = OptionDescription(
        "type", "TYPE", .text,
        "The profile type: a short name such as cpu, or a whole id; sonde services lists them.",
        standard: "cpu", group: .data)

    /// Only stacks that begin so.
    package static let stack = OptionDescription(
        "stack", "A;B", .text,
        "Only stacks that begin with these functions, from the root on, as in 'main;serve'.",
        group: .data)

    /// Only stacks with such a function.
    package static let focus = OptionDescription(
        "focus", "REGEX", .text,
        "Only stacks with a function whose name this regular expression finds.", group: .data)

    /// The controller's own JSON in place of words.
    package static let json = OptionDescription(
        "json", nil, .text,
        "Print the controller's JSON as it is; docs/http-api.md describes it.", group: .output)

    /// What every command takes that asks the controller.
    package static let controller: [OptionDescription] = [url, token, tenant, caFile]

    /// What every command takes that can look at a part of the stacks.
    package static let stacks: [OptionDescription] = [stack, focus]

    /// What every command takes that reads a range of time.
    package static let range: [OptionDescription] = [from, until]
}

extension ArgumentDescription {
    /// Which profiles to read.
    package static let selector = ArgumentDescription(
        "SELECTOR",
        "A service's name, or labels in braces: '{service_name=\"bookmaker\", host=~\"eu-.*\"}'.",
        .selector)
}

extension Invocation {
    /// The range of time for the API; what was not given stays the API's default.
    package var rangeQuery: [(String, String?)] {
        [("from", time(.from)?.parameter), ("until", time(.until)?.parameter)]
    }

    /// Which stacks count, for the API.
    package var stacksQuery: [(String, String?)] {
        [("stack", text(.stack)), ("focus", text(.focus))]
    }

    /// The range of time in words, as it was asked for.
    package var rangeInWords: String {
        Self.inWords(from: values["from"] ?? "1h", until: values["until"])
    }

    /// A range of time in words.
    ///
    /// - Parameters:
    ///   - from: Where it begins, as a person typed it.
    ///   - until: Where it ends, typed alike; `nil` for now.
    /// - Returns: Such as `in the last 5m`, `since 2026-01-31` or `from 25h ago until 24h ago`.
    package static func inWords(from: String, until: String?) -> String {
        let isLength = TimeExpression.duration(from) != nil
        guard let until, until != "now" else {
            return isLength ? "in the last \(from)" : "since \(from)"
        }
        let ago = { (text: String) in TimeExpression.duration(text) == nil ? text : text + " ago" }
        return "from \(ago(from)) until \(ago(until))"
    }
}
