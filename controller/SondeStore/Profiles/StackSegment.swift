// SPDX-License-Identifier: Apache-2.0
// What one transaction adds to an interned tree, as bytes.

internal import SondeModel

/// Writes and reads the part of an interned tree that lies behind an extent.
///
/// Layout, all numbers varints: the extent where the segment begins (nodes, locations, images);
/// images (build id, path); texts; locations: 0 and frames by text, or image + 1 and the offset;
/// nodes: how far back the parent is, and the location.
enum StackSegment {
    /// The bytes of what `index` has beyond `start`.
    static func encode(_ index: StackIndex, from start: StackExtent) -> [UInt8] {
        let columns = index.columns
        var writer = VarintWriter()
        writer.write(count: start.nodes)
        writer.write(count: start.locations)
        writer.write(count: start.images)
        writer.write(count: columns.images.count - start.images)
        for image in columns.images[start.images...] {
            writer.write(image.buildID?.bytes ?? [])
            writer.write(image.path)
        }
        let locations = columns.locations[start.locations...]
        let texts = Texts(locations)
        writer.write(count: texts.all.count)
        for text in texts.all { writer.write(text) }
        writer.write(count: locations.count)
        for location in locations { encode(location, index, texts, into: &writer) }
        writer.write(count: columns.parents.count - start.nodes)
        for node in start.nodes..<columns.parents.count {
            writer.write(count: node - Int(columns.parents[node]))
            writer.write(count: Int(columns.keyIndices[node]))
        }
        return writer.bytes
    }

    /// Appends a segment's content to the columns.
    ///
    /// - Throws: ``VarintError`` when the bytes are damaged or do not follow these columns. The
    ///   columns are then of no use any more.
    static func decode(
        _ bytes: UnsafeRawBufferPointer, into columns: inout StackColumns
    ) throws(VarintError) {
        var reader = VarintReader(bytes)
        let start = StackExtent(
            nodes: try reader.read(upTo: Int(Int32.max)),
            locations: try reader.read(upTo: Int(Int32.max)),
            images: try reader.read(upTo: Int(Int32.max)))
        guard start == columns.extent else {
            throw VarintError(reason: "a part of a stack tree is missing")
        }
        for _ in 0..<(try reader.readCount()) {
            let buildID = BuildID(bytes: try reader.readBytes())
            columns.images.append(ImageID(buildID: buildID, path: try reader.readText()))
        }
        var texts: [String] = []
        for _ in 0..<(try reader.readCount()) { texts.append(try reader.readText()) }
        let locationCount = try reader.readCount()
        columns.locations.reserveCapacity(columns.locations.count + locationCount)
        for _ in 0..<locationCount {
            columns.locations.append(try location(&reader, columns.images, texts))
        }
        for _ in 0..<(try reader.readCount()) {
            let node = columns.parents.count
            let back = try reader.read(upTo: node)
            guard back >= 1 else { throw .outOfRange }
            columns.parents.append(Int32(node - back))
            columns.keyIndices.append(
                Int32(try reader.read(upTo: columns.locations.count - 1)))
        }
        guard columns.keyIndices.count == 1 || !columns.locations.isEmpty else {
            throw .outOfRange
        }
    }

    /// The distinct texts of some locations' frames, and where each is.
    private struct Texts {
        var all: [String] = []
        private var places: [String: Int] = [:]

        init(_ locations: ArraySlice<Location>) {
            for case .symbolized(let frames) in locations {
                for frame in frames {
                    for text in [frame.name, frame.systemName, frame.file, frame.module]
                    where places[text] == nil {
                        places[text] = all.count
                        all.append(text)
                    }
                }
            }
        }

        func place(of text: String) -> Int { places[text] ?? 0 }
    }

    private static func encode(
        _ location: Location, _ index: StackIndex, _ texts: Texts,
        into writer: inout VarintWriter
    ) {
        switch location {
        case .address(let image, let offset):
            // Interning a location interned its image.
            writer.write(count: Int(index.index(of: image)) + 1)
            writer.write(offset.rawValue)
        case .symbolized(let frames):
            writer.write(count: 0)
            writer.write(count: frames.count)
            for frame in frames {
                writer.write(count: texts.place(of: frame.name))
                writer.write(count: texts.place(of: frame.systemName))
                writer.write(count: texts.place(of: frame.file))
                writer.write(count: texts.place(of: frame.module))
                writer.write(signed: Int64(frame.startLine))
                writer.write(UInt64(frame.kind.rawValue))
            }
        }
    }

    private static func location(
        _ reader: inout VarintReader, _ images: [ImageID], _ texts: [String]
    ) throws(VarintError) -> Location {
        let image = try reader.read(upTo: images.count)
        if image > 0 {
            return .address(image: images[image - 1], offset: FileOffset(try reader.read()))
        }
        var frames: [Frame] = []
        for _ in 0..<(try reader.readCount()) {
            let places = (
                try reader.read(upTo: texts.count - 1), try reader.read(upTo: texts.count - 1),
                try reader.read(upTo: texts.count - 1), try reader.read(upTo: texts.count - 1)
            )
            guard !texts.isEmpty,
                let line = Int32(exactly: try reader.readSigned()),
                let kind = Frame.Kind(rawValue: UInt8(try reader.read(upTo: 255)))
            else { throw .outOfRange }
            frames.append(
                Frame(
                    name: texts[places.0], systemName: texts[places.1], file: texts[places.2],
                    startLine: line, module: texts[places.3], kind: kind))
        }
        return .symbolized(frames)
    }
}
