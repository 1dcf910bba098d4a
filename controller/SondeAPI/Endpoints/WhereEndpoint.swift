// SPDX-License-Identifier: Apache-2.0
// GET /api/v1/where: what can be probed at a place, and every name that can be read there.

internal import SondeModel
internal import SondeProbeCompiler
internal import SondeSymbols

/// `GET /api/v1/where`.
enum WhereEndpoint {
    /// Builds of one service that are looked at.
    private static let buildLimit = 16

    static func route(_ services: Services) -> Route {
        Route("GET", "/api/v1/where", .read) { request throws(APIError) in
            guard let service = request.query("service"), let text = request.query("location")
            else {
                throw APIError(
                    .invalidArgument,
                    "cannot look at a place: got no \(request.query("service") == nil ? "service" : "location"); want both"
                )
            }
            let location: ProbeLocation
            do throws(ProbeCompileError) { location = try ProbeLocation(parsing: text) } catch {
                throw APIError(error)
            }
            let builds = try builds(of: service, request.query("instance") ?? "", services)
            let expression = request.query("of")
            let looks = builds.prefix(buildLimit).map { build in
                look(at: location, in: build, services, membersOf: expression)
            }
            guard looks.contains(where: { $0.answer != nil }) else {
                throw APIError(nearest(looks.compactMap(\.refusal)))
            }
            var json = JSONWriter()
            json.object { json in
                json.member("location", text)
                json.member("service", service)
                json.member("builds") { json in
                    json.array(looks) { json, look in write(look, to: &json) }
                }
            }
            return HTTPResponse(json: json)
        }
    }

    /// One build of the service: the images of the instances that run it.
    private struct Build {
        var candidates: [ProbeRegistry.Candidate]
        var instances: Int
    }

    private struct Look {
        var name: String
        var instances: Int
        var answer: WhereAnswer?
        var members: MemberAnswer?
        var refusal: ProbeRefusal?
        /// The line's text, where there is one, and what its reader should know.
        var text: String?
        var note: String?

        mutating func addText(
            of answer: WhereAnswer, in candidate: ProbeRegistry.Candidate, _ services: Services
        ) {
            let digests = try? services.probes.debug.ask(candidate.buildID) {
                $0.digests(of: answer.file)
            }.get()
            let source = SourceText.find(
                answer.file, [.init(buildID: candidate.buildID, digests: digests ?? [])], services)
            text = source?.line(answer.line)
            note = text == nil ? nil : source?.note
        }
    }

    private static func builds(
        of service: String, _ instance: String, _ services: Services
    ) throws(APIError) -> [Build] {
        let agents = services.agents.agents().filter(\.isConnected).map(\.entry)
        let matching = agents.filter { $0.service == service && $0.instance.hasPrefix(instance) }
        guard !matching.isEmpty else {
            let known = Set(agents.map(\.service)).sorted().joined(separator: ", ")
            throw APIError(
                .notFound,
                "cannot look at a place: got no connected instance of \(service.quotedForMessage); want \(known.isEmpty ? "an agent that is connected" : "one of: " + known)"
            )
        }
        var builds: [Build] = []
        var places: [BuildID: Int] = [:]
        for entry in matching {
            let candidates = services.probes.candidates(of: entry)
            guard let main = candidates.first?.buildID else { continue }
            if let place = places[main] {
                builds[place].instances += 1
            } else {
                places[main] = builds.count
                builds.append(Build(candidates: candidates, instances: 1))
            }
        }
        return builds
    }

    /// The first image of a build that has the place.
    private static func look(
        at location: ProbeLocation, in build: Build, _ services: Services,
        membersOf expression: String?
    ) -> Look {
        var refusals: [ProbeRefusal] = []
        for candidate in build.candidates {
            switch services.probes.describe(location, in: candidate) {
            case .success(let answer):
                var look = Look(name: candidate.name, instances: build.instances, answer: answer)
                look.members = expression.flatMap {
                    services.probes.members(of: $0, at: location, in: candidate)
                }
                // Who completes a name as it is typed has the line before their eyes.
                if expression == nil { look.addText(of: answer, in: candidate, services) }
                return look
            case .failure(let refusal): refusals.append(refusal)
            }
        }
        return Look(
            name: build.candidates.first?.name ?? "", instances: build.instances,
            refusal: nearest(refusals))
    }

    private static func nearest(_ refusals: [ProbeRefusal]) -> ProbeRefusal {
        refusals.dropFirst().reduce(refusals.first ?? .noImages) { best, next in
            best.saysLess(than: next) ? next : best
        }
    }

    private static func write(_ look: Look, to json: inout JSONWriter) {
        json.object { json in
            json.member("image", look.name)
            json.member("instances", look.instances)
            guard let answer = look.answer else {
                json.member("problem", look.refusal?.message ?? "")
                return
            }
            json.member("buildID", answer.buildID.description)
            json.member("file", answer.file)
            json.member("line", answer.line)
            if let text = look.text { json.member("text", text) }
            if let note = look.note { json.member("note", note) }
            json.member("places") { json in
                json.array(answer.places) { json, place in
                    json.object { json in
                        json.member("address", hex(place.address))
                        json.member("column", place.column)
                        json.member("function", place.function)
                        json.member("inlinedInto") { $0.array(place.inlinedInto) }
                    }
                }
            }
            if let members = look.members { json.member("of") { write(members, to: &$0) } }
            json.member("names") { json in
                json.array(answer.names) { json, name in
                    write(name, of: answer.places.count, to: &json)
                }
            }
        }
    }

    private static func write(
        _ name: WhereAnswer.Name, of places: Int, to json: inout JSONWriter
    ) {
        let availability =
            name.readableAt == places
            ? "full" : name.readableAt > 0 ? "some" : name.partlyReadableAt > 0 ? "part" : "none"
        json.object { json in
            json.member("name", name.name)
            json.member("type", name.type)
            json.member("kind", name.kind.rawValue)
            json.member("declaredLine", name.declaredLine)
            json.member("availability", availability)
            json.member("readableAt", name.readableAt)
            json.member("reason", name.reason ?? "")
            json.member("nearestLines") { $0.array(name.nearestLines) }
        }
    }

    private static func write(_ answer: MemberAnswer, to json: inout JSONWriter) {
        json.object { json in
            json.member("type", answer.type)
            json.member("optional", answer.isOptional)
            json.member("members") { json in
                json.array(answer.members) { json, member in
                    json.object { json in
                        json.member("name", member.name)
                        json.member("type", member.type)
                    }
                }
            }
        }
    }

    private static func hex(_ address: ImageAddress) -> String {
        "0x" + String(address.rawValue, radix: 16)
    }
}
