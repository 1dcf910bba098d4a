// SPDX-License-Identifier: Apache-2.0
// Turns what the sampler collected into a pprof document: addresses and images, no names.

internal import SondeFormats
internal import SondeModel
internal import SondeSampling

/// Makes one pprof document out of one profile.
struct ProfileEncoder {
    private var document = PprofDocument()
    private var mappingAt: [MappingRange] = []
    private var locationOf: [UInt64: UInt64] = [:]
    private var remarkLocationOf: [String: UInt64] = [:]
    private var usedMappings: Set<UInt64> = []

    private struct MappingRange {
        var start: UInt64
        var limit: UInt64
        var id: UInt64
    }

    /// The document of a profile.
    ///
    /// - Parameters:
    ///   - profile: What the sampler collected.
    ///   - images: Every image that its addresses may lie in, the program first.
    /// - Returns: A document with the sample types `samples/count` and `cpu/nanoseconds`. An
    ///   address outside of every image has no mapping. Time without a stack stands below a frame
    ///   in brackets that says why.
    static func document(of profile: CPUProfile, images: [LoadedImage]) -> PprofDocument {
        var encoder = ProfileEncoder()
        encoder.addMappings(images)
        encoder.describe(profile)
        for stack in profile.stacks { encoder.add(stack, period: profile.periodNanoseconds) }
        encoder.dropUnusedMappings()
        return encoder.document
    }

    private mutating func describe(_ profile: CPUProfile) {
        document.sampleTypes = [
            PprofDocument.ValueType(type: "samples", unit: "count"),
            PprofDocument.ValueType(type: "cpu", unit: "nanoseconds"),
        ]
        document.defaultSampleType = "cpu"
        document.periodType = PprofDocument.ValueType(type: "cpu", unit: "nanoseconds")
        document.period = profile.periodNanoseconds
        document.timeNanos = profile.start.unixNanoseconds
        document.durationNanos = profile.durationNanoseconds
    }

    private mutating func addMappings(_ images: [LoadedImage]) {
        for image in images {
            for segment in image.segments where segment.memoryStart < segment.memoryLimit {
                let id = UInt64(document.mappings.count) + 1
                var mapping = PprofDocument.Mapping(id: id)
                mapping.memoryStart = segment.memoryStart.rawValue
                mapping.memoryLimit = segment.memoryLimit.rawValue
                mapping.fileOffset = segment.fileOffset.rawValue
                mapping.filename = image.path
                mapping.buildID = image.buildID?.description ?? ""
                document.mappings.append(mapping)
                mappingAt.append(
                    MappingRange(start: mapping.memoryStart, limit: mapping.memoryLimit, id: id))
            }
        }
        mappingAt.sort { $0.start < $1.start }
    }

    private mutating func add(_ stack: CPUStack, period: Int64) {
        guard stack.nanoseconds > 0 else { return }
        var locations = stack.frames.map { location(of: $0.rawValue) }
        switch stack.kind {
        case .captured where stack.isTruncated: locations.append(remark("[truncated]"))
        case .captured: break
        case .tooManyStacks: locations.append(remark("[too many different stacks]"))
        case .dropped: locations.append(remark("[stack dropped]"))
        case .signalBlocked: locations.append(remark("[signal blocked]"))
        }
        guard !locations.isEmpty else { return }
        let count = period > 0 ? max(1, (stack.nanoseconds &+ period / 2) / period) : 1
        document.samples.append(
            PprofDocument.Sample(locationIDs: locations, values: [count, stack.nanoseconds]))
    }

    private mutating func location(of address: UInt64) -> UInt64 {
        if let id = locationOf[address] { return id }
        let id = UInt64(document.locations.count) + 1
        var location = PprofDocument.Location(id: id)
        location.address = address
        location.mappingID = mapping(holding: address)
        usedMappings.insert(location.mappingID)
        document.locations.append(location)
        locationOf[address] = id
        return id
    }

    /// The id of the mapping that holds an address, or 0; mappings do not overlap.
    private func mapping(holding address: UInt64) -> UInt64 {
        var low = 0
        var high = mappingAt.count
        while low < high {
            let middle = (low + high) / 2
            if mappingAt[middle].start <= address { low = middle + 1 } else { high = middle }
        }
        guard low > 0, address < mappingAt[low - 1].limit else { return 0 }
        return mappingAt[low - 1].id
    }

    private mutating func remark(_ name: String) -> UInt64 {
        if let id = remarkLocationOf[name] { return id }
        var function = PprofDocument.Function(id: UInt64(document.functions.count) + 1)
        function.name = name
        function.systemName = name
        document.functions.append(function)
        var location = PprofDocument.Location(id: UInt64(document.locations.count) + 1)
        location.lines = [PprofDocument.Line(functionID: function.id)]
        document.locations.append(location)
        remarkLocationOf[name] = location.id
        return location.id
    }

    /// Keeps the program's own mapping, which readers expect to come first, and those in use.
    private mutating func dropUnusedMappings() {
        document.mappings.removeAll { $0.id != 1 && !usedMappings.contains($0.id) }
    }
}
