// SPDX-License-Identifier: Apache-2.0
// The text of a source file, from a folder or from a bundle, and whether it is that of a build.

internal import SondeModel
internal import SondeStore
internal import SondeSymbols

/// The text of a source file.
struct SourceText {
    /// Whether a text is the one that a program was compiled from.
    enum State: String {
        /// It has the MD5 that the debug info gives.
        case verified
        /// It has another MD5.
        case changed
        /// The debug info gives no MD5, and it was changed after the program was made.
        case newer
        /// Nothing speaks for it or against it.
        case unchecked

        var isDoubtful: Bool { self == .changed || self == .newer }
    }

    /// Where a text is from.
    enum Origin {
        case folder
        case bundle(SourceStore.Facts)
    }

    /// A build whose source is looked for.
    struct Build {
        var buildID: BuildID
        /// The MD5s that its debug info gives of the file.
        var digests: [SourceDigest] = []
    }

    var path: String
    var bytes: [UInt8]
    var origin: Origin
    var state: State

    /// Looks for a file: in the folders first, then in the bundles of the builds, in their order.
    ///
    /// The first text that is not known to be another one is taken; when there is only such, the
    /// first of them, with its state.
    ///
    /// - Parameters:
    ///   - recorded: The file as the compiler recorded it.
    ///   - builds: The builds that have it.
    ///   - services: Where texts are.
    /// - Returns: `nil` when nobody has it.
    static func find(_ recorded: String, _ builds: [Build], _ services: Services) -> SourceText? {
        let digests = Set(builds.flatMap(\.digests))
        var doubtful: SourceText?
        if let found = services.sources.folders.file(recorded) {
            let arrived = builds.flatMap { services.images.store.files($0.buildID) }
                .map(\.received.unixMilliseconds).max()
            let text = SourceText(
                path: found.path, bytes: found.bytes, origin: .folder,
                state: state(
                    MessageDigest.md5(found.bytes) ?? [], digests,
                    modified: found.modified, made: arrived.map { $0 / 1000 }))
            guard text.state.isDoubtful else { return text }
            doubtful = text
        }
        for build in builds {
            let found: SourceStore.Found?
            do throws(StoreError) {
                found = try services.bundles?.file(recorded, of: build.buildID)
            } catch {
                services.log.event(.warn, "source not readable", ["reason": error.message])
                continue
            }
            guard let found else { continue }
            let text = SourceText(
                path: found.path, bytes: found.bytes, origin: .bundle(found.facts),
                state: state(
                    found.md5, digests, modified: found.modified, made: found.facts.built))
            guard text.state.isDoubtful else { return text }
            doubtful = doubtful ?? text
        }
        return doubtful
    }

    private static func state(
        _ md5: [UInt8], _ digests: Set<SourceDigest>, modified: Int64, made: Int64?
    ) -> State {
        if !digests.isEmpty, let digest = SourceDigest(md5) {
            return digests.contains(digest) ? .verified : .changed
        }
        // A second's fraction is not known of either.
        return made.map { modified > $0 } == true ? .newer : .unchecked
    }

    /// What a reader should know of it; `nil` when it is as it should be.
    var note: String? {
        let place: String
        let since: String
        switch origin {
        case .folder: (place, since) = ("a folder of source.roots", "came here")
        case .bundle(let facts):
            place = "the bundle of build \(facts.buildID.description.prefix(12))"
            since = "was built"
        }
        switch state {
        case .verified, .unchecked: return nil
        case .changed:
            return
                "the text, from \(place), is not that of this build: its MD5 is not the one in the debug info"
        case .newer:
            return
                "the text, from \(place), may not be that of this build: it was changed after the program \(since)"
        }
    }

    /// A line of the text, from 1; `nil` when it has no such line.
    func line(_ number: UInt32) -> String? {
        guard number > 0 else { return nil }
        var rest = bytes[...]
        for _ in 1..<number {
            guard let end = rest.firstIndex(of: UInt8(ascii: "\n")) else { return nil }
            rest = rest[(end + 1)...]
        }
        return String(decoding: rest.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    }

    /// Writes where it is from.
    func write(to json: inout JSONWriter) {
        json.object { json in
            json.member("path", path)
            json.member("state", state.rawValue)
            switch origin {
            case .folder: json.member("from", "folder")
            case .bundle(let facts):
                json.member("from", "bundle")
                json.member("buildID", facts.buildID.description)
                json.member("receivedMs", facts.received.unixMilliseconds)
            }
        }
    }
}
