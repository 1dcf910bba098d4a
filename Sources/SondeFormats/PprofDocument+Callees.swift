// SPDX-License-Identifier: Apache-2.0
// Adds up what differs only in where the innermost function was.

extension PprofDocument {
    /// Takes the line and the address from the innermost function of each sample, and adds up the
    /// samples that are the same then.
    ///
    /// A compiler that optimizes by profiles wants to know what was called from where, and not
    /// where the callee was at that time.
    package mutating func aggregateCallees() {
        struct Callee: Hashable {
            var mappingID: UInt64
            var lines: [Line]
        }
        var placeOf: [UInt64: Int] = [:]
        for (place, location) in locations.enumerated() { placeOf[location.id] = place }
        var calleeOf: [Callee: UInt64] = [:]
        var next = (locations.map(\.id).max() ?? 0) &+ 1
        var sums: [Sample] = []
        var sumOf: [Sample: Int] = [:]
        for var sample in samples {
            if let leaf = sample.locationIDs.first, let place = placeOf[leaf],
                !locations[place].lines.isEmpty
            {
                var lines = locations[place].lines
                lines[0].line = 0
                let callee = Callee(mappingID: locations[place].mappingID, lines: lines)
                if let known = calleeOf[callee] {
                    sample.locationIDs[0] = known
                } else {
                    var location = Location(id: next)
                    location.mappingID = callee.mappingID
                    location.lines = lines
                    locations.append(location)
                    calleeOf[callee] = next
                    sample.locationIDs[0] = next
                    next &+= 1
                }
            }
            let values = sample.values
            sample.values = []
            guard let known = sumOf[sample] else {
                sumOf[sample] = sums.count
                sample.values = values
                sums.append(sample)
                continue
            }
            for (index, value) in values.enumerated() where index < sums[known].values.count {
                let (sum, overflow) = sums[known].values[index].addingReportingOverflow(value)
                sums[known].values[index] = overflow ? (value < 0 ? .min : .max) : sum
            }
        }
        samples = sums
        let used = Set(samples.flatMap(\.locationIDs))
        locations.removeAll { !used.contains($0.id) }
    }
}
