// SPDX-License-Identifier: Apache-2.0
// Turns the locations of a pprof profile into the keys by which stacks are stored.

internal import SondeModel

/// The distinct stored locations of a pprof profile, and which one each of its locations is.
struct PprofLocationKeys {
    /// The distinct keys, in order of first use.
    private(set) var keys: [Location] = []
    /// The index in ``keys`` of each entry of the document's location table.
    private(set) var keyOfLocation: [Int32] = []

    /// The longest name that is kept; of a longer one, the end is.
    private static let maxNameLength = 65_535

    init(_ document: PprofDocument) throws(PprofError) {
        let mappings = try PprofIDTable(document.mappings.lazy.map(\.id), table: "mapping")
        let functions = try PprofIDTable(document.functions.lazy.map(\.id), table: "function")
        let images = document.mappings.map { mapping in
            ImageID(buildID: BuildID(hex: mapping.buildID), path: mapping.filename)
        }
        var indexOf: [Location: Int32] = [:]
        keyOfLocation.reserveCapacity(document.locations.count)
        for location in document.locations {
            let place = mappings[location.mappingID]
            let key: Location
            if location.lines.isEmpty {
                key = Self.address(
                    of: location, mapping: place.map { document.mappings[$0] },
                    image: place.map { images[$0] })
            } else {
                key = .symbolized(
                    Self.frames(
                        of: location, in: document, functions: functions,
                        module: place.map { images[$0].name } ?? ""))
            }
            if let index = indexOf[key] {
                keyOfLocation.append(index)
                continue
            }
            let index = Int32(keys.count)
            indexOf[key] = index
            keys.append(key)
            keyOfLocation.append(index)
        }
    }

    /// An address that its mapping does not hold belongs to no image: its number is kept as it is.
    private static func address(
        of location: PprofDocument.Location, mapping: PprofDocument.Mapping?, image: ImageID?
    ) -> Location {
        guard let mapping, let image, location.address >= mapping.memoryStart,
            location.address < mapping.memoryLimit || mapping.memoryLimit == 0
        else {
            return .address(
                image: ImageID(buildID: nil, path: ""), offset: FileOffset(location.address))
        }
        let offset = location.address - mapping.memoryStart &+ mapping.fileOffset
        return .address(image: image, offset: FileOffset(offset))
    }

    private static func frames(
        of location: PprofDocument.Location, in document: PprofDocument, functions: PprofIDTable,
        module: String
    ) -> [Frame] {
        var frames: [Frame] = []
        frames.reserveCapacity(location.lines.count)
        for line in location.lines.reversed() {
            guard let place = functions[line.functionID] else { continue }
            let function = document.functions[place]
            let name = function.name.isEmpty ? function.systemName : function.name
            let kind: Frame.Kind = frames.isEmpty ? .function : .inlined
            frames.append(
                Frame(
                    name: name.isEmpty ? "unknown" : tail(of: name),
                    systemName: tail(of: function.systemName), file: tail(of: function.filename),
                    startLine: Int32(clamping: max(0, function.startLine)), module: module,
                    kind: name.isEmpty ? .unresolved : kind))
        }
        return frames
    }

    private static func tail(of text: String) -> String {
        guard text.utf8.count > maxNameLength else { return text }
        return String(decoding: text.utf8.suffix(maxNameLength), as: UTF8.self)
    }
}
