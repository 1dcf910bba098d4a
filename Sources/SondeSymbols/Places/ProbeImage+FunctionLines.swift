// SPDX-License-Identifier: Apache-2.0
// The functions that are being executed at an address, each with its line.

package import SondeModel

/// A function that is being executed, and where in it.
package struct FunctionLine: Hashable, Sendable {
    /// The linker's name, or that of the source where there is none, as ``ImageSymbols`` has it.
    package var systemName: String
    /// The line, from 1; 0 when it is not known, or in another file than the function.
    package var line: UInt32

    /// A function and its line.
    package init(systemName: String, line: UInt32) {
        self.systemName = systemName
        self.line = line
    }
}

extension ProbeImage {
    /// The functions that are being executed at an offset of the image's file, outermost first.
    ///
    /// Inlined calls are among them; each has the line at which it is, which is where the next one
    /// is called.
    package func functionLines(at offset: FileOffset) -> [FunctionLine] {
        let map = images.first(where: \.mapsCode)
        guard let address = map?.address(of: offset)?.rawValue, let scope = scope(at: address)
        else { return [] }
        var place = row(at: address).map { SourceLine(file: $0.file, line: $0.row.line) }
        var lines: [FunctionLine] = []
        for current in chain(scope) {
            if let function = function(of: current) {
                let own = SourceFiles.normalized(function.file)
                let isHere = own.isEmpty || place?.file == own
                let name = function.linkageName.isEmpty ? function.name : function.linkageName
                lines.append(
                    FunctionLine(systemName: name, line: isHere ? place?.line ?? 0 : 0))
            }
            place = callSite(of: current)
        }
        return lines.reversed()
    }
}
