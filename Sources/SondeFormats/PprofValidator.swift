// SPDX-License-Identifier: Apache-2.0
// Checks that the tables of a pprof profile refer to each other as the format demands.

/// The consistency rules of a pprof profile, as `go tool pprof` checks them.
enum PprofValidator {
    /// Passes when every id is unique and every reference finds its entry.
    static func check(_ document: PprofDocument) throws(PprofError) {
        if document.sampleTypes.isEmpty, !document.samples.isEmpty { throw .noSampleTypes }
        let mappings = try PprofIDTable(document.mappings.lazy.map(\.id), table: "mapping")
        let functions = try PprofIDTable(document.functions.lazy.map(\.id), table: "function")
        let locations = try PprofIDTable(document.locations.lazy.map(\.id), table: "location")
        for location in document.locations {
            let mapping = location.mappingID
            guard mapping == 0 || mappings[mapping] != nil else {
                throw .unknownID(from: "location", table: "mapping", id: mapping)
            }
            for line in location.lines where functions[line.functionID] == nil {
                throw .unknownID(from: "line", table: "function", id: line.functionID)
            }
        }
        let valueCount = document.sampleTypes.count
        for (index, sample) in document.samples.enumerated() {
            guard sample.values.count == valueCount else {
                throw .valueCount(sample: index, got: sample.values.count, want: valueCount)
            }
            for id in sample.locationIDs where locations[id] == nil {
                throw .unknownID(from: "sample", table: "location", id: id)
            }
        }
    }
}
