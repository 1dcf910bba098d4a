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
        // Of mappings of one image, each address is still one key; hashing the image's path and
        // build id for each location would take longer than decoding it.
        var imageIndexOf: [ImageID: Int] = [:]
        let imageIndices = images.map { image in
            let index = imageIndexOf[image] ?? imageIndexOf.count
            imageIndexOf[image] = index
            return index
        }
        var indexOfAddress: [AddressKey: Int32] = [:]
        var indexOf: [Location: Int32] = [:]
        keyOfLocation.reserveCapacity(document.locations.count)
        for location in document.locations {
            let place = mappings[location.mappingID]
            let next = Int32(truncatingIfNeeded: keys.count)
            let index: Int32
            if location.lines.isEmpty {
                let offset = place.flatMap {
                    Self.offset(of: location, in: document.mappings[$0])
                }
                let key = AddressKey(
                    image: offset == nil ? -1 : place.map { imageIndices[$0] } ?? -1,
                    offset: offset ?? location.address)
                index = indexOfAddress[key] ?? next
                if index == next {
                    indexOfAddress[key] = next
                    let image = offset == nil ? nil : place.map { images[$0] }
                    keys.append(
                        .address(
                            image: image ?? ImageID(buildID: nil, path: ""),
                            offset: FileOffset(key.offset)))
                }
            } else {
                let key = Location.symbolized(
                    Self.frames(
                        of: location, in: document, functions: functions,
                        module: place.map { images[$0].name } ?? ""))
                index = indexOf[key] ?? next
                if index == next {
                    indexOf[key] = next
                    keys.append(key)
                }
            }
            keyOfLocation.append(index)
        }
    }

    private struct AddressKey: Hashable {
        /// The image among those of the mappings; -1 for none.
        var image: Int
        var offset: UInt64
    }

    /// The offset of an address in its image's file.
    ///
    /// `nil` when its mapping does not hold it: it belongs to no image then, and its number is kept
    /// as it is.
    private static func offset(
        of location: PprofDocument.Location, in mapping: PprofDocument.Mapping
    ) -> UInt64? {
        guard location.address >= mapping.memoryStart,
            location.address < mapping.memoryLimit || mapping.memoryLimit == 0
        else { return nil }
        return location.address - mapping.memoryStart &+ mapping.fileOffset
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
