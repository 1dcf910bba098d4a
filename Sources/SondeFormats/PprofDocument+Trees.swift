// SPDX-License-Identifier: Apache-2.0
// Writes merged stacks as a pprof profile, for download.

package import SondeModel

extension PprofDocument {
    /// What a downloaded profile says about itself besides its stacks.
    package struct Description: Sendable {
        /// What its values count.
        package var type: ProfileType
        /// When it begins.
        package var start: Timestamp
        /// How long it lasts, in nanoseconds; 0 when unknown.
        package var durationNanoseconds: Int64
        /// The sampling period in the type's period unit; 0 when unknown.
        package var period: Int64
        /// Free text for people, such as the selector.
        package var comments: [String] = []

        /// A description from its parts.
        package init(
            type: ProfileType, start: Timestamp, durationNanoseconds: Int64, period: Int64 = 0,
            comments: [String] = []
        ) {
            self.type = type
            self.start = start
            self.durationNanoseconds = durationNanoseconds
            self.period = period
            self.comments = comments
        }
    }

    /// A function of a stack, and the line at which it calls the next one.
    package struct Call: Sendable {
        /// The function.
        package var frame: Frame
        /// The line; 0 when it is not known: then the function's first one stands for it.
        package var line: Int64

        /// A function and its line.
        package init(_ frame: Frame, line: Int64 = 0) {
            self.frame = frame
            self.line = line
        }
    }

    /// A profile of stacks by name, in which inlined calls are locations of their own.
    package init(_ frames: FrameTree, _ description: Description) {
        self.init(description)
        var functions = FunctionTable()
        for (index, frame) in frames.keys.enumerated() {
            var location = Location(id: UInt64(index) + 1)
            let line = Line(functionID: functions.id(of: frame), line: Int64(frame.startLine))
            location.lines = [line]
            locations.append(location)
        }
        self.functions = functions.functions
        samples = Self.samples(of: frames)
    }

    /// A profile of stacks as they are stored: addresses keep their images, so that a tool that has
    /// the binaries can look them up.
    ///
    /// - Parameters:
    ///   - stacks: The stacks.
    ///   - description: What the profile says about itself.
    ///   - names: The functions at an address, outermost first; none leaves the address without.
    package init(
        _ stacks: LocationTree, _ description: Description,
        names: (ImageID, FileOffset) -> [Call] = { _, _ in [] }
    ) {
        self.init(description)
        var functions = FunctionTable()
        let images = ImageTable(stacks.keys)
        for (index, key) in stacks.keys.enumerated() {
            var location = Location(id: UInt64(index) + 1)
            switch key {
            case .address(let image, let offset):
                (location.mappingID, location.address) = images.place(offset, in: image)
                // What has no name stays an address.
                let calls = names(image, offset).filter { $0.frame.kind != .unresolved }
                location.lines = functions.lines(of: calls)
            case .symbolized(let frames):
                location.lines = functions.lines(of: frames.map { Call($0) })
            }
            locations.append(location)
        }
        self.functions = functions.functions
        mappings = images.mappings
        noteWhatMappingsHave()
        samples = Self.samples(of: stacks)
    }

    private init(_ description: Description) {
        self.init()
        let type = description.type
        sampleTypes = [ValueType(type: type.sampleType, unit: type.sampleUnit)]
        if !type.periodType.isEmpty || !type.periodUnit.isEmpty {
            periodType = ValueType(type: type.periodType, unit: type.periodUnit)
        }
        defaultSampleType = type.sampleType
        timeNanos = description.start.unixNanoseconds
        durationNanos = description.durationNanoseconds
        period = description.period
        comments = description.comments
    }

    /// Says of each mapping what is known of all of its locations, so that a tool looks up no more
    /// than the rest.
    private mutating func noteWhatMappingsHave() {
        let hasFile = Set(functions.filter { !$0.filename.isEmpty }.map(\.id))
        for index in mappings.indices {
            mappings[index].hasFunctions = true
            mappings[index].hasFilenames = true
            mappings[index].hasLineNumbers = true
        }
        // Ids of mappings are their places plus one.
        for location in locations where location.mappingID > 0 {
            let index = Int(location.mappingID) - 1
            let (lines, isNamed) = (location.lines, !location.lines.isEmpty)
            if !isNamed { mappings[index].hasFunctions = false }
            if !isNamed || !lines.allSatisfy({ hasFile.contains($0.functionID) }) {
                mappings[index].hasFilenames = false
            }
            if !isNamed || lines.contains(where: { $0.line == 0 }) {
                mappings[index].hasLineNumbers = false
            }
            if lines.count > 1 { mappings[index].hasInlineFrames = true }
        }
    }

    /// One sample for each node with a value of its own; location ids are key indices plus one.
    private static func samples<Key>(of tree: StackTree<Key>) -> [Sample] {
        var samples: [Sample] = []
        for node in 0..<tree.count where tree.selfValues[node] != 0 {
            var stack: [UInt64] = []
            var at = node
            while at > 0 {
                stack.append(UInt64(tree.keyIndices[at]) + 1)
                at = Int(tree.parents[at])
            }
            samples.append(Sample(locationIDs: stack, values: [tree.selfValues[node]]))
        }
        return samples
    }
}

/// The functions of a profile that is being written.
private struct FunctionTable {
    private(set) var functions: [PprofDocument.Function] = []
    private var idOf: [Frame: UInt64] = [:]

    /// Calls as a location's lines: innermost first.
    mutating func lines(of calls: [PprofDocument.Call]) -> [PprofDocument.Line] {
        var lines: [PprofDocument.Line] = []
        for call in calls.reversed() {
            let line = call.line > 0 ? call.line : Int64(call.frame.startLine)
            lines.append(.init(functionID: id(of: call.frame), line: line))
        }
        return lines
    }

    mutating func id(of frame: Frame) -> UInt64 {
        // The image and the kind are no part of a pprof function.
        let key = Frame(
            name: frame.name, systemName: frame.systemName, file: frame.file,
            startLine: frame.startLine)
        if let id = idOf[key] { return id }
        var function = PprofDocument.Function(id: UInt64(functions.count) + 1)
        function.name = frame.name
        function.systemName = frame.systemName.isEmpty ? frame.name : frame.systemName
        function.filename = frame.file
        function.startLine = Int64(frame.startLine)
        functions.append(function)
        idOf[key] = function.id
        return function.id
    }
}

/// Lays images out one after the other in an address space of the profile's own, because stored
/// stacks of many processes have no common one.
private struct ImageTable {
    private(set) var mappings: [PprofDocument.Mapping] = []
    private var indexOf: [ImageID: Int] = [:]

    init(_ keys: [Location]) {
        var highest: [UInt64] = []
        for case .address(let image, let offset) in keys where !Self.isUnknown(image) {
            if let index = indexOf[image] {
                highest[index] = max(highest[index], offset.rawValue)
                continue
            }
            indexOf[image] = mappings.count
            highest.append(offset.rawValue)
            var mapping = PprofDocument.Mapping(id: UInt64(mappings.count) + 1)
            mapping.filename = image.path
            mapping.buildID = image.buildID.map(String.init(describing:)) ?? ""
            mappings.append(mapping)
        }
        let megabyte: UInt64 = 1 << 20
        var start = megabyte
        for index in mappings.indices {
            // An image beyond 2^48 bytes is no file: its addresses then wrap around, harmlessly.
            let size = (min(highest[index], 1 << 48) / megabyte + 1) * megabyte
            mappings[index].memoryStart = start
            mappings[index].memoryLimit = start &+ size
            start = start &+ size &+ megabyte
        }
    }

    private static func isUnknown(_ image: ImageID) -> Bool {
        image.buildID == nil && image.path.isEmpty
    }

    /// The mapping's id and the address that stand for an offset of an image.
    func place(_ offset: FileOffset, in image: ImageID) -> (mappingID: UInt64, address: UInt64) {
        guard let index = indexOf[image] else { return (0, offset.rawValue) }
        return (mappings[index].id, mappings[index].memoryStart &+ offset.rawValue)
    }
}
