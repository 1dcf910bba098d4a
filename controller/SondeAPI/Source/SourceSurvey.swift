// SPDX-License-Identifier: Apache-2.0
// What debug info says about one source file: its lines at each address of the profiles.

internal import SondeModel
internal import SondeQuery
internal import SondeSymbols

/// What the debug info of a service's builds says about one source file.
struct SourceSurvey {
    /// The file as the compiler recorded it.
    let file: String
    /// The builds that have the file.
    private(set) var builds: [ProbeRegistry.Candidate] = []
    /// The MD5s that these builds' debug info gives of the file's text.
    private(set) var digests: [BuildID: [SourceDigest]] = [:]
    /// The file's lines at each key of the stacks.
    private(set) var locations: [LineCosts.Location]
    /// The code of each line, of the build that has most of it.
    private(set) var code: [UInt32: LineCode] = [:]

    /// Builds that are looked at.
    private static let buildLimit = 32

    /// Looks for a file in the images of a service's instances and of its profiles.
    ///
    /// - Throws: ``APIError`` when no image with debug info has the file, or several match.
    init(
        _ wanted: String, of service: String, _ stacks: LocationTree, _ services: Services
    ) throws(APIError) {
        locations = Array(repeating: LineCosts.Location(), count: stacks.keys.count)
        var keys: [BuildID: [(key: Int, offset: FileOffset)]] = [:]
        var images: [ProbeRegistry.Candidate] = Self.connected(service, services)
        for (index, key) in stacks.keys.enumerated() {
            guard case .address(let image, let offset) = key, let buildID = image.buildID else {
                continue
            }
            if keys[buildID] == nil { images.append(.init(buildID: buildID, name: image.name)) }
            keys[buildID, default: []].append((index, offset))
        }
        var seen: Set<BuildID> = []
        images = images.filter {
            seen.insert($0.buildID).inserted
                && services.images.facts($0.buildID)?.hasDebugInfo == true
        }
        var file: String?
        var matches: [String] = []
        for image in images.prefix(Self.buildLimit) {
            let name = file ?? wanted
            let answer = services.probes.debug.ask(image.buildID) { debug -> Look in
                Self.look(name, keys[image.buildID] ?? [], in: debug)
            }
            guard case .success(let look) = answer, !look.files.isEmpty else { continue }
            guard look.files.count == 1, let one = look.files.first else {
                matches = look.files
                continue
            }
            file = one
            builds.append(image)
            digests[image.buildID] = look.digests
            for (key, location) in look.locations { locations[key] = location }
            for (line, found) in look.code where found.bytes >= (code[line]?.bytes ?? 0) {
                code[line] = found
            }
        }
        guard let file else { throw Self.unknown(wanted, matches, images.isEmpty, service) }
        self.file = file
        for (index, key) in stacks.keys.enumerated() {
            let innermost = key.frames(by: services.symbols).last?.file ?? ""
            locations[index].isOfFile = ProbeImage.path(innermost) == file
        }
    }

    /// What one image says.
    private struct Look: Sendable {
        var files: [String] = []
        var locations: [(Int, LineCosts.Location)] = []
        var code: [UInt32: LineCode] = [:]
        var digests: [SourceDigest] = []
    }

    private static func look(
        _ wanted: String, _ keys: [(key: Int, offset: FileOffset)], in image: ProbeImage
    ) -> Look {
        var look = Look()
        let found = image.files(matching: wanted)
        look.files = found.contains(wanted) ? [wanted] : found.sorted()
        guard look.files.count == 1, let file = look.files.first else { return look }
        look.code = image.code(of: file)
        look.digests = image.digests(of: file)
        for (key, offset) in keys {
            let chain = image.lines(at: offset)
            let here = Set(chain.lines.lazy.filter { $0.file == file }.map(\.line))
            guard !here.isEmpty else { continue }
            let leaf = chain.own.flatMap { $0.file == file ? $0.line : nil } ?? 0
            look.locations.append((key, LineCosts.Location(lines: Array(here), leaf: leaf)))
        }
        return look
    }

    private static func connected(
        _ service: String, _ services: Services
    ) -> [ProbeRegistry.Candidate] {
        services.agents.agents().filter { $0.isConnected && $0.entry.service == service }
            .flatMap { services.probes.candidates(of: $0.entry) }
    }

    private static func unknown(
        _ wanted: String, _ matches: [String], _ isBare: Bool, _ service: String
    ) -> APIError {
        guard matches.isEmpty else {
            return APIError(
                .invalidArgument,
                "cannot show source: got \(wanted.quotedForMessage), which may be \(matches.prefix(5).joined(separator: ", ")); want one of them"
            )
        }
        return APIError(
            .notFound,
            isBare
                ? "cannot show source: got no debug info of \(service.quotedForMessage); want it built with -g and uploaded by its agent or by `sonde debuginfo push`"
                : "cannot show source: got \(wanted.quotedForMessage), which no build of \(service.quotedForMessage) has; want a file that debug info names"
        )
    }
}
