// SPDX-License-Identifier: Apache-2.0
// Where else a variable can be read that cannot be read here.

internal import SondeModel

extension ProbeImage {
    /// The lines nearest to a place, in the same function, at which a variable can be read wholly.
    ///
    /// - Parameters:
    ///   - name: The variable.
    ///   - place: Where it cannot be read.
    ///   - count: How many lines to find.
    /// - Returns: Lines at which it can be read in all copies of the function, nearest first.
    package func nearestLines(
        where name: String, in place: CodePlace, count: Int = 3
    ) -> [UInt32] {
        var found: [UInt32] = []
        let near = linesWithCode(in: place.file).filter { $0 != place.line }
            .sorted { left, right in
                (left.distance(to: place.line).magnitude, left)
                    < (right.distance(to: place.line).magnitude, right)
            }
        // Each line takes a look at the whole line table.
        for line in near.prefix(64) where found.count < count {
            let copies = places(file: place.file, line: line)
                .filter { $0.function == place.function }
            guard !copies.isEmpty else { continue }
            let isReadable = copies.allSatisfy { copy in
                variables(at: copy).contains { $0.name == name && $0.availability == .full }
            }
            if isReadable { found.append(line) }
        }
        return found
    }
}
