// SPDX-License-Identifier: Apache-2.0
// POST /sonde.control.v1.ControlService/Register and Poll: how agents learn what to do.

internal import SondeModel
internal import SondeWire

/// `POST /sonde.control.v1.ControlService/Register` and `Poll`.
enum ControlEndpoints {
    /// The longest that a poll waits, whatever it asks for.
    static let longestWait: Duration = .seconds(60)

    static func register(_ services: Services) -> Route {
        Route(
            "POST", "/sonde.control.v1.ControlService/Register", .ingest,
            body: .collected(limit: services.limits.controlBytes)
        ) { request throws(APIError) in
            let message: RegisterRequest = try decode(request)
            try services.agents.register(message, now: services.now())
            services.log.event(
                .info, "agent registered",
                [
                    "service": message.service, "instance": message.instance, "host": message.host,
                    "pid": message.pid, "modules": message.modules.count,
                    "version": message.version,
                ])
            var answer = RegisterResponse()
            answer.pollWaitMs = UInt64(AgentRegistry.pollWait / .milliseconds(1))
            return HTTPResponse(contentType: "application/proto", body: answer.encode())
        }
    }

    static func poll(_ services: Services) -> Route {
        Route(
            "POST", "/sonde.control.v1.ControlService/Poll", .ingest,
            body: .collected(limit: services.limits.controlBytes),
            reply: { request throws(APIError) in
                let message: PollRequest = try decode(request)
                let agents = services.agents
                let number = try agents.beginPoll(message, now: services.now())
                let unchanged = HTTPResponse(status: 304)
                let instance = message.instance
                let revision = message.revision
                let attempt: @Sendable () -> HTTPResponse? = {
                    guard agents.isCurrent(poll: number, of: instance),
                        let desired = agents.desiredState(of: instance)
                    else { return unchanged }
                    guard desired.revision != revision else { return nil }
                    return HTTPResponse(contentType: "application/proto", body: desired.encode())
                }
                if let response = attempt() { return .answer(response) }
                let wait = min(
                    Duration.milliseconds(Int64(clamping: message.waitMs)), longestWait)
                guard wait > .zero else { return .answer(unchanged) }
                return .wait(
                    PendingAnswer(
                        topic: instance, deadline: .now + wait, attempt: attempt,
                        expired: unchanged,
                        abandoned: { agents.left(poll: number, of: instance) }))
            })
    }

    private static func decode<Message: ProtobufMessage>(
        _ request: APIRequest
    ) throws(APIError) -> Message {
        let type = request.head.mediaType
        guard ["application/proto", "application/x-protobuf"].contains(type) else {
            throw APIError(
                .unsupportedMediaType,
                "cannot read the message: got the content type \(type.quotedForMessage); want application/proto",
                headers: [HTTPHeader("Accept-Post", "application/proto")])
        }
        do throws(ProtobufError) {
            return try Message(decoding: request.body[...])
        } catch {
            throw APIError(.invalidArgument, error.description)
        }
    }
}
