// SPDX-License-Identifier: Apache-2.0
// The lines at which functions call each other, for profiles that other tools read.

internal import SondeFormats
internal import SondeModel
internal import SondeSymbols

/// The lines at the addresses of some stacks, as far as there is debug info.
struct CallLines {
    /// Images that are looked at: each may have to be opened.
    private static let imageLimit = 32

    private let symbols: any SymbolResolver
    private var found: [BuildID: [FileOffset: [FunctionLine]]] = [:]

    /// Looks up the addresses of stacks.
    init(_ stacks: LocationTree, _ services: Services) {
        symbols = services.symbols
        var offsets: [BuildID: [FileOffset]] = [:]
        for case .address(let image, let offset) in stacks.keys {
            if let buildID = image.buildID { offsets[buildID, default: []].append(offset) }
        }
        // Those that occur most often first.
        let images = offsets.filter { services.images.facts($0.key)?.hasDebugInfo == true }
            .sorted { ($1.value.count, $0.key.description) < ($0.value.count, $1.key.description) }
        for (buildID, offsets) in images.prefix(Self.imageLimit) {
            let answer = services.probes.debug.ask(buildID) { image in
                offsets.map { ($0, image.functionLines(at: $0)) }
            }
            guard case .success(let lines) = answer else { continue }
            found[buildID] = Dictionary(lines) { first, _ in first }
        }
    }

    /// The functions at an address, outermost first, with their lines.
    func calls(_ image: ImageID, _ offset: FileOffset) -> [PprofDocument.Call] {
        var lines = (image.buildID.flatMap { found[$0]?[offset] } ?? [])[...]
        return symbols.frames(image: image, offset: offset).map { frame in
            // Glue between two functions has a line, and is left out of the frames.
            guard let place = lines.firstIndex(where: { $0.systemName == frame.systemName })
            else { return PprofDocument.Call(frame) }
            let line = lines[place].line
            lines = lines[(place + 1)...]
            return PprofDocument.Call(frame, line: Int64(line))
        }
    }
}
