// SPDX-License-Identifier: Apache-2.0
// Checks that the tables of a pprof profile refer to each other as the format demands.

/// The consistency rules of a pprof profile, as `go tool pprof` checks them.
enum PprofValidator {
    /// Passes when every id is unique and every reference finds its entry.
    static func check(_ document: PprofDocument) throws(PprofError) {
        if document.sampleTypes.isEmpty, !document.samples.isEmpty { throw .noSampleTypes }
        let mappings = try PprofIDTable(mappingsOf: document)
        let functions = try PprofIDTable(functionsOf: document)
        let locations = try PprofIDTable(locationsOf: document)
        // By index throughout: a loop over the entries would copy each of them, with its arrays.
        for index in document.locations.indices {
            let mapping = document.locations[index].mappingID
            guard mapping == 0 || mappings[mapping] != nil else {
                throw .unknownID(from: "location", table: "mapping", id: mapping)
            }
            for line in document.locations[index].lines where functions[line.functionID] == nil {
                throw .unknownID(from: "line", table: "function", id: line.functionID)
            }
        }
        let valueCount = document.sampleTypes.count
        for index in document.samples.indices {
            let count = document.samples[index].values.count
            guard count == valueCount else {
                throw .valueCount(sample: index, got: count, want: valueCount)
            }
            for id in document.samples[index].locationIDs where locations[id] == nil {
                throw .unknownID(from: "sample", table: "location", id: id)
            }
        }
    }
}
