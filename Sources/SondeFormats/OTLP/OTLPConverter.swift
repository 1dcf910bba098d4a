// SPDX-License-Identifier: Apache-2.0
// Follows the references of an OTLP profiles request and puts its stacks together.

internal import SondeModel

/// Makes profiles of a request.
struct OTLPConverter {
    private let request: OTLPRequest
    private let splitting: Set<String>
    private var limits: FormatLimits
    /// The stored location of each entry of the location table, made when it is first used.
    private var locations: [Location?]
    private var images: [ImageID?]

    static func profiles(
        of request: OTLPRequest, _ splitting: Set<String>, _ limits: FormatLimits
    ) throws(FormatError) -> [OTLPProfile] {
        guard let shape = request.isNamed ? .current : request.shape() else {
            throw .malformed(
                OTLPProfiles.format, got: "samples of two versions of the protocol", want: "one")
        }
        var converter = OTLPConverter(request, splitting, limits)
        var profiles: [OTLPProfile] = []
        for profile in request.profiles {
            profiles.append(try converter.profile(profile, shape))
        }
        return profiles
    }

    private init(_ request: OTLPRequest, _ splitting: Set<String>, _ limits: FormatLimits) {
        self.request = request
        self.splitting = splitting
        self.limits = limits
        locations = [Location?](repeating: nil, count: request.tables.locations.count)
        images = [ImageID?](repeating: nil, count: request.tables.mappings.count)
    }

    private static func unknown(_ table: String, _ index: UInt64, _ count: Int) -> FormatError {
        .malformed(
            OTLPProfiles.format, got: "the index \(Int64(bitPattern: index)) of the \(table) table",
            want: "0..<\(count)")
    }

    /// An entry of a table; entry 0 is the null entry, also where the table is empty.
    private func entry<Entry>(
        _ index: UInt64, of table: [Entry], _ name: String, null: Entry
    ) throws(FormatError) -> Entry {
        if index < UInt64(table.count) { return table[Int(index)] }
        guard index == 0 else { throw Self.unknown(name, index, table.count) }
        return null
    }

    private func string(_ index: UInt64) throws(FormatError) -> String {
        try entry(index, of: request.tables.strings, "string", null: "")
    }

    private func label(_ attribute: OTLPRequest.Attribute) throws(FormatError) -> Label? {
        guard let value = attribute.value else { return nil }
        let label = Label(name: try text(attribute.key), value: try text(value))
        return label.name.isEmpty ? nil : label
    }

    private func text(_ text: OTLPRequest.Text) throws(FormatError) -> String {
        switch text {
        case .literal(let text): text
        case .index(let index): try string(index)
        }
    }

    private func labels(_ attributes: [OTLPRequest.Attribute]) throws(FormatError) -> [Label] {
        var labels: [Label] = []
        for attribute in attributes {
            if let label = try label(attribute) { labels.append(label) }
        }
        return labels
    }

    private func attribute(_ index: UInt64) throws(FormatError) -> OTLPRequest.Attribute {
        try entry(index, of: request.tables.attributes, "attribute", null: .init())
    }

    private func labels(at indices: some Sequence<UInt64>) throws(FormatError) -> [Label] {
        var labels: [Label] = []
        for index in indices {
            if let label = try label(attribute(index)) { labels.append(label) }
        }
        return labels
    }
}

// Profiles.
extension OTLPConverter {
    private mutating func profile(
        _ raw: OTLPRequest.Profile, _ shape: OTLPRequest.Shape
    ) throws(FormatError) -> OTLPProfile {
        var profile = OTLPProfile()
        profile.resourceAttributes = try labels(raw.origin.resource)
        profile.scopeName = raw.origin.scopeName
        profile.scopeVersion = raw.origin.scopeVersion
        profile.scopeAttributes = try labels(raw.origin.scope)
        profile.attributes = try labels(at: raw.attributes)
        profile.sampleType = try string(raw.type.type)
        profile.sampleUnit = try string(raw.type.unit)
        profile.periodType = try string(raw.periodType.type)
        profile.periodUnit = try string(raw.periodType.unit)
        profile.period = max(0, raw.period)
        profile.start =
            raw.time == 0 ? nil : Timestamp(unixNanoseconds: Int64(clamping: raw.time))
        profile.durationNanoseconds = Int64(clamping: raw.duration)
        profile.profileID = raw.id.count == 16 ? raw.id : []
        var groups = OTLPGroups(limits)
        for sample in raw.samples {
            try add(sample, of: raw, shape, to: &groups)
        }
        profile.series = groups.series
        profile.droppedAttributes = groups.droppedAttributes.sorted()
        profile.droppedSpans = groups.droppedSpans
        limits = groups.limits
        return profile
    }

    private mutating func add(
        _ sample: OTLPRequest.Sample, of raw: OTLPRequest.Profile, _ shape: OTLPRequest.Shape,
        to groups: inout OTLPGroups
    ) throws(FormatError) {
        let isCurrent = shape == .current
        let values = numbers(isCurrent ? sample.lists.fourth : sample.lists.second, raw)
        var value: Int64 = values.isEmpty ? Int64(sample.timestamps) : 0
        for number in values {
            let (sum, overflow) = value.addingReportingOverflow(Int64(bitPattern: number))
            value = overflow ? .max : sum
        }
        let attributes = numbers(isCurrent ? sample.lists.second : sample.lists.third, raw)
        let series = try series(attributes, in: &groups)
        let linkIndex = isCurrent ? sample.third : sample.fourth
        let link = try entry(linkIndex, of: request.tables.links, "link", null: .init())
        let stack = try entry(sample.stack, of: request.tables.stacks, "stack", null: [])
        guard value > 0 else { return }
        var trees = [groups.tree(ofSeries: series)]
        if let span = link.span, let tree = groups.tree(of: span, link.trace, inSeries: series) {
            trees.append(tree)
        }
        for tree in trees {
            let node: Int32
            if let known = groups.node(of: sample.stack, in: tree) {
                node = known
            } else {
                node = try add(stack, to: &groups, tree)
                groups.note(node, for: sample.stack, in: tree)
            }
            groups.add(value, to: node, in: tree)
        }
    }

    private func numbers(
        _ range: Range<Int32>, _ raw: OTLPRequest.Profile
    ) -> ArraySlice<UInt64> {
        raw.numbers[Int(range.lowerBound)..<Int(range.upperBound)]
    }

    private func series(
        _ attributes: ArraySlice<UInt64>, in groups: inout OTLPGroups
    ) throws(FormatError) -> Int {
        if let series = groups.known(attributes) { return series }
        var kept: [Label] = []
        for label in try labels(at: attributes) {
            if splitting.contains(label.name) {
                kept.append(label)
            } else {
                groups.droppedAttributes.insert(label.name)
            }
        }
        return try groups.series(of: kept, for: attributes)
    }

    private mutating func add(
        _ stack: [UInt64], to groups: inout OTLPGroups, _ tree: Int
    ) throws(FormatError) -> Int32 {
        var node: Int32 = 0
        for index in stack.reversed().prefix(limits.stackDepth) {
            let location = try location(index)
            node = try groups.child(of: node, index, location, in: tree)
        }
        return node
    }
}

// Locations.
extension OTLPConverter {
    private mutating func location(_ index: UInt64) throws(FormatError) -> Location {
        if index < UInt64(locations.count), let known = locations[Int(index)] { return known }
        let raw = try entry(index, of: request.tables.locations, "location", null: .init())
        let location: Location
        if raw.functions.isEmpty {
            location = try address(raw)
        } else {
            location = .symbolized(try frames(raw))
        }
        if index < UInt64(locations.count) { locations[Int(index)] = location }
        return location
    }

    private mutating func address(_ raw: OTLPTables.Location) throws(FormatError) -> Location {
        let mapping = try entry(raw.mapping, of: request.tables.mappings, "mapping", null: .init())
        let image = try image(raw.mapping)
        // OpenTelemetry's eBPF profiler sends addresses that are the file's own, outside of the
        // mapping as the process sees it.
        let isInside =
            raw.address >= mapping.start && (raw.address < mapping.limit || mapping.limit == 0)
        let offset = isInside ? raw.address - mapping.start &+ mapping.fileOffset : raw.address
        return .address(image: image, offset: FileOffset(offset))
    }

    private mutating func image(_ index: UInt64) throws(FormatError) -> ImageID {
        if index < UInt64(images.count), let known = images[Int(index)] { return known }
        let mapping = try entry(index, of: request.tables.mappings, "mapping", null: .init())
        var buildID: BuildID?
        for label in try labels(at: mapping.attributes)
        where label.name == "process.executable.build_id.gnu" {
            buildID = BuildID(hex: label.value)
        }
        let image = ImageID(buildID: buildID, path: try string(mapping.filename))
        if index < UInt64(images.count) { images[Int(index)] = image }
        return image
    }

    private mutating func frames(_ raw: OTLPTables.Location) throws(FormatError) -> [Frame] {
        let module = try image(raw.mapping).name
        var frames: [Frame] = []
        for index in raw.functions.reversed() {
            let function = try entry(
                index, of: request.tables.functions, "function", null: .init())
            let systemName = try string(function.systemName)
            var name = try string(function.name)
            if name.isEmpty { name = systemName }
            let kind: Frame.Kind = frames.isEmpty ? .function : .inlined
            frames.append(
                Frame(
                    name: name.isEmpty
                        ? "unknown" : FrameTreeBuilder.tail(of: name, limits.nameBytes),
                    systemName: FrameTreeBuilder.tail(of: systemName, limits.nameBytes),
                    file: FrameTreeBuilder.tail(
                        of: try string(function.filename), limits.nameBytes),
                    startLine: Int32(clamping: max(0, function.startLine)), module: module,
                    kind: name.isEmpty ? .unresolved : kind))
        }
        return frames
    }
}
