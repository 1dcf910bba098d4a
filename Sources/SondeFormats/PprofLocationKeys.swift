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
        let mappings = try PprofIDTable(mappingsOf: document)
        let images = document.mappings.map { mapping in
            ImageID(buildID: BuildID(hex: mapping.buildID), path: mapping.filename)
        }
        // Of mappings of one image, each address is still one key; hashing the image's path and
        // build id for each location would take longer than decoding it.
        let imageIndices = Self.indices(of: images)
        let modules = images.map(\.name)
        let moduleIndices = Self.indices(of: modules)
        var functions = PprofFunctionKeys(document)
        let functionTable = try PprofIDTable(functionsOf: document)
        var addresses = PprofPairTable(roomFor: document.locations.count)
        var calls = PprofPairTable(roomFor: document.functions.count)
        var indexOfCalls: [[Int32]: Int32] = [:]
        keyOfLocation.reserveCapacity(document.locations.count)
        keys.reserveCapacity(document.locations.count)
        for index in document.locations.indices {
            let place = mappings[document.locations[index].mappingID]
            let next = Int32(truncatingIfNeeded: keys.count)
            let lineCount = document.locations[index].lines.count
            if lineCount == 0 {
                let address = document.locations[index].address
                let offset = place.flatMap { Self.offset(of: address, in: document.mappings[$0]) }
                let image = offset == nil ? -1 : place.map { imageIndices[$0] } ?? -1
                let key = addresses.value(of: image, offset ?? address, orInsert: next)
                keyOfLocation.append(key)
                guard key == next else { continue }
                let known = offset == nil ? nil : place.map { images[$0] }
                keys.append(
                    .address(
                        image: known ?? ImageID(buildID: nil, path: ""),
                        offset: FileOffset(offset ?? address)))
                continue
            }
            let module = place.map { moduleIndices[$0] } ?? -1
            let key: Int32
            if lineCount == 1 {
                let function = functions.key(
                    of: functionTable[document.locations[index].lines[0].functionID], document)
                key = calls.value(
                    of: module, UInt64(UInt32(bitPattern: function)), orInsert: next)
            } else {
                var parts = [Int32(truncatingIfNeeded: module)]
                for line in document.locations[index].lines {
                    parts.append(functions.key(of: functionTable[line.functionID], document))
                }
                key = indexOfCalls[parts] ?? next
                if key == next { indexOfCalls[parts] = next }
            }
            keyOfLocation.append(key)
            guard key == next else { continue }
            keys.append(
                .symbolized(
                    Self.frames(
                        of: document.locations[index], in: document, functions: functionTable,
                        module: place.map { modules[$0] } ?? "")))
        }
    }

    /// The index of each entry's first equal.
    private static func indices<Entry: Hashable>(of entries: [Entry]) -> [Int] {
        var indexOf: [Entry: Int] = [:]
        return entries.map { entry in
            let index = indexOf[entry] ?? indexOf.count
            indexOf[entry] = index
            return index
        }
    }

    /// The offset of an address in its image's file.
    ///
    /// `nil` when its mapping does not hold it: it belongs to no image then, and its number is kept
    /// as it is.
    private static func offset(
        of address: UInt64, in mapping: PprofDocument.Mapping
    ) -> UInt64? {
        guard address >= mapping.memoryStart,
            address < mapping.memoryLimit || mapping.memoryLimit == 0
        else { return nil }
        return address - mapping.memoryStart &+ mapping.fileOffset
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

/// Which functions of a pprof profile say the same: of equal ones, the first stands for all.
private struct PprofFunctionKeys {
    /// The first function that equals each one; -1 where that is not known yet.
    private var keys: [Int32]
    /// The first function of each name, and those that share its name but nothing else.
    private var firstOf: [String: Int32] = [:]
    private var others: [PprofDocument.Function: Int32] = [:]

    init(_ document: PprofDocument) {
        keys = [Int32](repeating: -1, count: document.functions.count)
        firstOf.reserveCapacity(document.functions.count)
    }

    /// The key of the function at a place; -1 when there is none.
    mutating func key(of place: Int?, _ document: PprofDocument) -> Int32 {
        guard let place else { return -1 }
        if keys[place] >= 0 { return keys[place] }
        let new = Int32(truncatingIfNeeded: place)
        var key = firstOf[document.functions[place].name] ?? new
        if key == new {
            firstOf[document.functions[place].name] = new
        } else if !Self.areEqual(Int(key), place, document) {
            var content = document.functions[place]
            content.id = 0
            key = others[content] ?? new
            if key == new { others[content] = new }
        }
        keys[place] = key
        return key
    }

    /// Whether two functions of the same name become the same frame.
    private static func areEqual(_ left: Int, _ right: Int, _ document: PprofDocument) -> Bool {
        document.functions[left].startLine == document.functions[right].startLine
            && document.functions[left].systemName == document.functions[right].systemName
            && document.functions[left].filename == document.functions[right].filename
    }
}
