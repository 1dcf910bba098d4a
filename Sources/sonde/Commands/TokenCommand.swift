// SPDX-License-Identifier: Apache-2.0
// `sonde token`: who may ask the controller what.

internal import FoundationEssentials
internal import SondeAPI
internal import SondeModel
internal import SondeStore

extension CommandDescription {
    /// `sonde token`.
    package static let token: CommandDescription = {
        var command = CommandDescription("token", "create, list and revoke access tokens")
        command.discussion = [
            "A controller that listens on more than the loopback address asks for a token. Its role"
                + " says what it opens: agent (send profiles, nothing else), viewer (read), developer"
                + " (viewer, and change agents and add debug info), admin (everything).",
            "The first one: whoever may write the data folder owns the controller, so --data DIR works"
                + " on the folder itself, without a token, while the controller is stopped. All others"
                + " go through the running controller: without a token on its own machine's loopback"
                + " address, elsewhere with an admin's in SONDE_TOKEN.",
        ]
        command.subcommands = [tokenCreate, tokenList, tokenRevoke]
        command.examples = [
            .init(
                "sonde token create --data ./data --role admin --name me", "The very first token."),
            .init("sonde token create --role agent --name bookmaker", "For a service's agent."),
        ]
        return command
    }()

    private static let tokenCreate: CommandDescription = {
        var command = CommandDescription("create", "make a token and print it, once")
        command.discussion = [
            "Prints the token to standard output and nothing else there. It is not stored anywhere and"
                + " cannot be shown again: the controller keeps only its SHA-256."
        ]
        command.options =
            [
                OptionDescription(
                    "role", "ROLE", .choice(["agent", "viewer", "developer", "admin"]),
                    "What it opens; must be given."),
                OptionDescription(
                    "name", "NAME", .text, "What people call it, up to 100 characters.",
                    standard: "the role"),
                OptionDescription(
                    "expires", "AFTER", .lifetime, "How long it works: 12h, 30d, 52w, or never.",
                    standard: "never"),
                .tokenData, .json,
            ] + OptionDescription.controller
        command.examples = [
            .init(
                "SONDE_TOKEN=$(sonde token create --role viewer --name ci --expires 30d)",
                "Into a variable.")
        ]
        command.run = { try createToken($0, $1) }
        return command
    }()

    private static let tokenList: CommandDescription = {
        var command = CommandDescription("list", "show all tokens, without their secrets")
        command.discussion = [
            "Shows the tokens with their roles and when they were last used, to within five minutes."
        ]
        command.options = [.tokenData, .json] + OptionDescription.controller
        command.examples = [.init("sonde token list", "All of them.")]
        command.run = { try listTokens($0, $1) }
        return command
    }()

    private static let tokenRevoke: CommandDescription = {
        var command = CommandDescription("revoke", "end a token at once")
        command.arguments = [
            ArgumentDescription("ID", "The token's id, as sonde token list shows it.")
        ]
        command.options = [.tokenData] + OptionDescription.controller
        command.examples = [.init("sonde token revoke 3fa81b0c55de", "End one.")]
        command.run = { try revokeToken($0, $1) }
        return command
    }()
}

extension OptionDescription {
    fileprivate static let tokenData = OptionDescription(
        "data", "DIR", .folder,
        "Work on a stopped controller's data folder in place of asking a running controller.",
        group: .controller)
}

private struct NewTokenRequest: Encodable {
    var name: String
    var role: String
    var expiresMs: Int64?
}

private func createToken(_ invocation: Invocation, _ surroundings: Surroundings) throws {
    guard let role = invocation.values["role"] else {
        throw CommandFailure.usage(
            "token create lacks --role; want --role agent, viewer, developer or admin",
            advice: ["see: sonde help token"])
    }
    let name = invocation.values["name"] ?? role
    let lifetime = invocation.values["expires"].flatMap { TimeExpression.duration($0) }
    let now = Quantity.nowMilliseconds()
    let expires = lifetime.map { now.addingReportingOverflow($0).partialValue }
    if let folder = invocation.text(.tokenData) {
        let created = try StoppedController(folder).createToken(
            name: name, role: role, expiresMs: expires)
        guard !invocation.isSet(.json) else {
            return try surroundings.writeJSON(TokenJSON.created(created).bytes)
        }
        return try surroundings.output.write(created.text + "\n")
    }
    let controller = try Controller(invocation, surroundings.environment)
    let request = NewTokenRequest(name: name, role: role, expiresMs: expires)
    let body = try controller.sendAboutTokens(
        ControllerRequest(
            "POST", "/api/v1/tokens", body: Array(try JSONEncoder().encode(request))))
    if invocation.isSet(.json) { return try surroundings.writeJSON(body) }
    let answer = try controller.decode(NewTokenAnswer.self, from: body)
    try surroundings.output.write(answer.token.forTerminal + "\n")
}

private func listTokens(_ invocation: Invocation, _ surroundings: Surroundings) throws {
    let tokens: [TokensAnswer.Token]
    if let folder = invocation.text(.tokenData) {
        let stored = try StoppedController(folder).tokens()
        guard !invocation.isSet(.json) else {
            return try surroundings.writeJSON(TokenJSON.list(stored).bytes)
        }
        tokens = stored.map { TokensAnswer.Token($0) }
    } else {
        let controller = try Controller(invocation, surroundings.environment)
        let body = try controller.sendAboutTokens(.get("/api/v1/tokens"))
        if invocation.isSet(.json) { return try surroundings.writeJSON(body) }
        tokens = try controller.decode(TokensAnswer.self, from: body).tokens
    }
    guard !tokens.isEmpty else {
        surroundings.note("there are no tokens yet; make one with: sonde token create --role ROLE")
        return
    }
    let now = Quantity.nowMilliseconds()
    var table = Table([
        .init("ID"), .init("NAME", isCuttable: true), .init("ROLE"),
        .init("CREATED", isCuttable: true, dispensability: 3),
        .init("EXPIRES", isCuttable: true, dispensability: 2),
        .init("LAST USED", isCuttable: true, dispensability: 4),
    ])
    for token in tokens {
        let isOver = token.expiresMs.map { $0 <= now } ?? false
        table.rows.append([
            .init(token.id), .init(token.name, .bold), .init(token.role),
            .init(token.createdMs.map { Quantity.clock(milliseconds: $0) } ?? ""),
            .init(
                token.expiresMs.map { Quantity.clock(milliseconds: $0) + (isOver ? " (over)" : "") }
                    ?? "never", isOver ? .yellow : nil),
            .init(token.lastUsedMs.map { Quantity.ago(milliseconds: $0, now: now) } ?? "never"),
        ])
    }
    try surroundings.output.write(table.text(for: surroundings.output))
}

private func revokeToken(_ invocation: Invocation, _ surroundings: Surroundings) throws {
    let id = invocation.arguments.first ?? ""
    if let folder = invocation.text(.tokenData) {
        try StoppedController(folder).revokeToken(id)
    } else {
        let controller = try Controller(invocation, surroundings.environment)
        _ = try controller.sendAboutTokens(
            ControllerRequest("DELETE", "/api/v1/tokens/" + ControllerRequest.percentEncoded(id)))
    }
    try surroundings.output.write("revoked \(id.forTerminal)\n")
}

extension Controller {
    /// Sends a request of role admin; a refusal says how the first token is made.
    fileprivate func sendAboutTokens(_ request: ControllerRequest) throws(CommandFailure) -> [UInt8]
    {
        do {
            return try send(request)
        } catch {
            // Advice is there when no token, a weak one or no controller is the reason.
            guard !error.advice.isEmpty else { throw error }
            var failure = error
            failure.advice.append(
                "on the controller's own machine, while it is stopped, no token is needed:"
                    + " --data DIR names its data folder")
            throw failure
        }
    }
}

extension TokensAnswer.Token {
    /// A token as the running controller would show it.
    fileprivate init(_ token: Token) {
        self.init(
            id: token.id, name: token.name, role: token.role.rawValue,
            createdMs: token.created.unixMilliseconds,
            expiresMs: token.expires?.unixMilliseconds,
            lastUsedMs: token.lastUsed?.unixMilliseconds)
    }
}
