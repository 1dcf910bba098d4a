// SPDX-License-Identifier: Apache-2.0
// Finds the addresses that a location means in one image, or says what is near it.

import SondeModel
import SondeSymbols

/// The addresses that a location means in one image.
struct ProbePlaces {
    /// The places, by address; at least one.
    var places: [CodePlace]
    /// The source file as recorded, and the line.
    var file: String
    var line: UInt32

    /// The most addresses of one location.
    static let mostSites = 4096

    init(
        _ location: ProbeLocation, in info: any DebugInfoSource
    ) throws(ProbeCompileError) {
        guard let buildID = info.buildID else {
            throw ProbeCompileError(
                .noDebugInfo,
                "cannot probe this image: found no build id; want one, as `-Wl,--build-id` makes it"
            )
        }
        switch location {
        case .line(let path, let line): places = try Self.line(path, line, info)
        case .function(let name): places = try Self.function(name, info)
        case .address(let address, let wanted):
            guard wanted == buildID else {
                throw ProbeCompileError(
                    .unknownAddress,
                    "cannot find \(location): found the build \(buildID); want its own build")
            }
            guard let place = info.place(at: address) else {
                throw ProbeCompileError(
                    .unknownAddress,
                    "cannot find \(location): found no statement that begins there; want the "
                        + "address of a line, as `sonde where` lists them")
            }
            places = [place]
        }
        guard places.count <= Self.mostSites else {
            throw ProbeCompileError(
                .tooManySites,
                "cannot probe \(location): found \(places.count) addresses; want at most "
                    + "\(Self.mostSites)")
        }
        file = places[0].file
        line = places[0].line
    }

    private static func line(
        _ path: String, _ line: UInt32, _ info: any DebugInfoSource
    ) throws(ProbeCompileError) -> [CodePlace] {
        let files = info.files(matching: path)
        guard let file = files.first else {
            let near = info.nearestFiles(to: path, count: 3)
            var error = ProbeCompileError(
                .unknownFile,
                "cannot find \(path): found no such source file in this build; want the end of a "
                    + "file's path")
            error.suggestions = near
            throw error
        }
        if files.count > 1 {
            // Several recorded spellings may mean one file; only one of them may have the line.
            let having = files.filter { !info.places(file: $0, line: line).isEmpty }
            guard having.count == 1 else {
                var error = ProbeCompileError(
                    .ambiguousFile,
                    "cannot tell which file \(path) is: found \(files.count); want more of the path"
                )
                error.suggestions = Array(files.prefix(12))
                throw error
            }
            return info.places(file: having[0], line: line)
        }
        let places = info.places(file: file, line: line)
        guard places.isEmpty else { return places }
        let lines = info.linesWithCode(in: file)
        var error = ProbeCompileError(
            .noCodeOnLine,
            "cannot probe \(path):\(line): found no code on this line; want a line with a statement "
                + "of its own")
        error.nearestLines = nearest(to: line, in: lines)
        throw error
    }

    /// Up to two lines before and two lines behind.
    static func nearest(to line: UInt32, in lines: [UInt32]) -> [UInt32] {
        lines.filter { $0 < line }.suffix(2) + lines.filter { $0 > line }.prefix(2)
    }

    private static func function(
        _ name: String, _ info: any DebugInfoSource
    ) throws(ProbeCompileError) -> [CodePlace] {
        let places = info.places(function: name)
        guard places.isEmpty else { return places }
        throw ProbeCompileError(
            .unknownFunction,
            "cannot find \(name): found no such function in this build; want Type.method as the "
                + "source has it, or FILE:LINE")
    }
}
