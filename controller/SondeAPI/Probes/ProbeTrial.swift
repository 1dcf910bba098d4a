// SPDX-License-Identifier: Apache-2.0
// What would become of a probe that is not added: compiled for each build, kept nowhere.

internal import SondeModel
internal import SondeProbeProgram

/// What would become of a probe, were it added now.
struct ProbeTrial {
    /// One build in which it would be.
    struct Build {
        var image: ProbeRegistry.Candidate?
        var instances: Int
        var file: String
        var line: UInt32
        /// How many instructions would be patched.
        var sites: Int
        /// Why instances of this build would not get it; the rest is empty then.
        var refusal: ProbeRefusal?
    }

    private(set) var builds: [Build] = []

    /// Compiles a probe for the builds of the instances that it is for.
    init(_ probe: ProbeDefinition, in entries: [AgentEntry], _ registry: ProbeRegistry) {
        var places: [[ProbeRegistry.Candidate]: Int] = [:]
        for entry in entries {
            let candidates = registry.candidates(of: entry)
            if let place = places[candidates] {
                builds[place].instances += 1
                continue
            }
            places[candidates] = builds.count
            builds.append(Self.build(probe, candidates, registry))
        }
    }

    private static func build(
        _ probe: ProbeDefinition, _ candidates: [ProbeRegistry.Candidate],
        _ registry: ProbeRegistry
    ) -> Build {
        var nearest: ProbeRefusal?
        for candidate in candidates {
            let refusal: ProbeRefusal
            switch registry.compile(probe, for: candidate.buildID) {
            case .program(let program, let file, let line):
                return Build(
                    image: candidate, instances: 1, file: file, line: line,
                    sites: program.sites.count)
            case .noDebugInfo(let reason):
                refusal = .noDebugInfo(candidate.name, candidate.buildID, reason)
            case .refused(let error): refusal = .refused(error)
            }
            if nearest?.saysLess(than: refusal) ?? true { nearest = refusal }
        }
        return Build(
            image: candidates.first, instances: 1, file: "", line: 0, sites: 0,
            refusal: nearest ?? .noImages)
    }

    /// Why it would be in no instance at all; `nil` when it would be in some.
    var refusal: ProbeRefusal? {
        builds.contains { $0.refusal == nil } ? nil : builds.lazy.compactMap(\.refusal).first
    }

    /// Writes it as docs/http-api.md says.
    func write(to json: inout JSONWriter) {
        json.object { json in
            json.member("dryRun", true)
            json.member("builds") { json in
                json.array(builds) { json, build in
                    json.object { json in
                        json.member("image", build.image?.name ?? "")
                        json.member("buildID", build.image?.buildID.description ?? "")
                        json.member("instances", build.instances)
                        if let refusal = build.refusal {
                            json.member("problem", refusal.message)
                        } else {
                            json.member("file", build.file)
                            json.member("line", build.line)
                            json.member("sites", build.sites)
                        }
                    }
                }
            }
        }
    }
}
