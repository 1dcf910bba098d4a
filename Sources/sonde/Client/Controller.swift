// SPDX-License-Identifier: Apache-2.0
// Asks the controller, and says in words why there is no answer.

internal import FoundationEssentials
internal import SondeHTTPClient
internal import SondeModel

/// The controller that a command line chose.
package struct Controller: Sendable {
    /// Its address, as the user gave it.
    package let address: String
    let client: HTTPClient

    /// Where the controller is when nobody says otherwise.
    package static let standardAddress = "http://127.0.0.1:4040"

    /// The controller that the options and the environment choose.
    ///
    /// - Parameters:
    ///   - invocation: May hold ``OptionDescription/url``, `token`, `tenant` and `caFile`.
    ///   - environment: May hold `SONDE_URL`, `SONDE_TOKEN`, `SONDE_TENANT` and `SONDE_CA_FILE`, over
    ///     which an option wins.
    /// - Throws: ``CommandFailure`` when the address or the tenant is none, or the certificate file
    ///   is not there.
    package init(_ invocation: Invocation, _ environment: [String: String]) throws(CommandFailure) {
        func chosen(_ option: OptionDescription, _ variable: String) -> String? {
            if let value = invocation.text(option) { return value }
            guard let value = environment[variable], !value.isEmpty else { return nil }
            return value
        }
        address = chosen(.url, "SONDE_URL") ?? Self.standardAddress
        guard address.hasPrefix("http://") || address.hasPrefix("https://") else {
            throw .usage(
                "cannot use the controller's address: got \"\(address.forTerminal)\";"
                    + " want http://HOST:PORT or https://HOST:PORT (--url or SONDE_URL)")
        }
        var configuration = HTTPClientConfiguration(
            baseURL: address, token: chosen(.token, "SONDE_TOKEN"),
            certificateAuthorityFile: chosen(.caFile, "SONDE_CA_FILE"),
            userAgent: "sonde/" + SondeVersion.current)
        configuration.tenant = try Self.tenant(chosen(.tenant, "SONDE_TENANT"))
        do {
            client = try HTTPClient(configuration)
        } catch {
            throw Self.failure(error, address)
        }
    }

    private static func tenant(_ names: String?) throws(CommandFailure) -> String? {
        guard let names else { return nil }
        let parts = names.split(separator: "|", omittingEmptySubsequences: false)
        guard parts.allSatisfy({ TenantName.isValid(String($0)) }) else {
            throw .usage(
                "cannot use the tenant \"\(names.forTerminal)\": got a name that is not allowed; want"
                    + " \(TenantName.form), several joined by | (--tenant or SONDE_TENANT)")
        }
        return names
    }

    /// The body of a successful answer.
    ///
    /// - Parameter request: What to ask.
    /// - Returns: The bytes as the controller sent them.
    /// - Throws: ``CommandFailure`` with the controller's own message, or why it cannot be reached.
    package func send(_ request: ControllerRequest) throws(CommandFailure) -> [UInt8] {
        let response: HTTPClientResponse
        do {
            response = try client.send(
                HTTPClientRequest(
                    method: request.method, target: request.target, headers: request.headers,
                    body: request.body, timeoutSeconds: request.timeoutSeconds))
        } catch {
            throw Self.failure(error, address)
        }
        guard (200...299).contains(response.status) else {
            throw refusal(response.status, response.body)
        }
        return response.body
    }

    /// The answer to a question, read as `Answer`.
    ///
    /// - Parameters:
    ///   - type: What the answer is read as.
    ///   - request: What to ask.
    /// - Returns: The answer.
    /// - Throws: As ``send(_:)`` does, and when the answer is not what the API promises.
    package func answer<Answer: Decodable>(
        _ type: Answer.Type, to request: ControllerRequest
    ) throws(CommandFailure) -> Answer {
        try decode(type, from: send(request))
    }

    /// A body read as `Answer`.
    package func decode<Answer: Decodable>(
        _ type: Answer.Type, from body: [UInt8]
    ) throws(CommandFailure) -> Answer {
        do {
            return try JSONDecoder().decode(type, from: Data(body))
        } catch {
            throw CommandFailure(
                "cannot read the answer of \(address): got \(body.count) bytes that are not its JSON;"
                    + " want Sonde's controller of version \(SondeVersion.current)",
                advice: ["does another program answer at this address? try: curl \(address)/ready"])
        }
    }

    /// Sends a file as the body of a PUT.
    ///
    /// - Parameters:
    ///   - path: The file; it is not read into memory as a whole.
    ///   - target: The path of the request.
    /// - Returns: Whether the controller took it; `false` when it has it already.
    /// - Throws: As ``send(_:)`` does.
    package func upload(file path: String, to target: String) throws(CommandFailure) -> Bool {
        let response: HTTPClientResponse
        do {
            response = try client.upload(
                file: path,
                HTTPClientRequest(
                    method: "PUT", target: target,
                    headers: [("Content-Type", "application/octet-stream")], timeoutSeconds: 3600))
        } catch {
            throw Self.failure(error, address)
        }
        if response.status == 409 { return false }
        guard (200...299).contains(response.status) else {
            throw refusal(response.status, response.body)
        }
        return true
    }

    func refusal(_ status: Int, _ body: [UInt8]) -> CommandFailure {
        struct Refusal: Decodable {
            var code: String
            var message: String
            var missing: String?
        }
        guard let refusal = try? JSONDecoder().decode(Refusal.self, from: Data(body)) else {
            return CommandFailure(
                "cannot use the answer of \(address): got status \(status) without Sonde's own"
                    + " words; want Sonde's controller",
                advice: ["a proxy or another program may answer there; check --url and SONDE_URL"])
        }
        var advice: [String] = []
        if refusal.missing == "tenant" {
            advice = ["a tenant's name goes into --tenant or SONDE_TENANT"]
        } else if status == 401 || status == 403 {
            advice = [
                "a token goes into SONDE_TOKEN or --token; an admin makes one with: sonde token create"
            ]
        }
        if let details = try? JSONDecoder().decode(ProbeRefusalAnswer.self, from: Data(body)) {
            advice += details.advice
        }
        // A message about a selector has several lines, the last with a mark below what is wrong.
        let lines = refusal.message.split(separator: "\n", omittingEmptySubsequences: false)
        let message = lines.map { String($0).forTerminal }.joined(separator: "\n")
        return CommandFailure(message, advice: advice)
    }

    static func failure(_ error: HTTPClientError, _ address: String) -> CommandFailure {
        switch error.code {
        case .badAddress: .usage(error.message.forTerminal)
        case .cannotConnect:
            CommandFailure(
                "cannot reach the controller: nobody answers at \(address.forTerminal)",
                advice: [
                    "start one with: sonde serve",
                    "or name another one with --url or SONDE_URL",
                ])
        case .timedOut:
            CommandFailure(
                "cannot get an answer of \(address.forTerminal): the time limit passed",
                advice: ["its log says what it does; a shorter range of time is less work"])
        case .tls:
            CommandFailure(
                error.message.forTerminal,
                advice: ["--ca-file names the certificate that signed the controller's"])
        case .broken, .tooLarge, .cancelled, .interrupted, .unreadableFile:
            CommandFailure(error.message.forTerminal)
        }
    }
}
