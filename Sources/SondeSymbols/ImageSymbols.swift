// SPDX-License-Identifier: Apache-2.0
// Names for the addresses of one image, from all files that are known of it.

package import SondeModel

/// Names for the addresses of one image.
///
/// Made of one file or of several with the same build id, such as a stripped program and the debug
/// info that was split off: each part is taken from the first file that has it. Not thread safe.
package final class ImageSymbols {
    /// Whether functions have names, files and inlined calls.
    package var hasDebugInfo: Bool { dwarf != nil }
    /// Whether all functions have names; without, only those that the image exports.
    package var hasSymbolTable: Bool { images.contains(where: \.hasSymbolTable) }

    private let images: [ElfImage]
    private let map: ElfImage?
    private let dwarf: DwarfInfo?
    private let symbols: ElfSymbols?
    private let module: String
    /// Readable names, kept because demangling takes longer than all else.
    private var frameOf: [FunctionKey: Frame] = [:]

    private struct FunctionKey: Hashable {
        var systemName: String
        var file: String
        var line: Int32
    }

    /// The symbols of an image's files.
    ///
    /// - Parameters:
    ///   - images: Files with the same build id, at least one.
    ///   - module: What frames call the image.
    ///   - limits: How much of them is looked at.
    package init(_ images: [ElfImage], module: String, limits: SymbolLimits = SymbolLimits()) {
        self.images = images
        self.module = module
        map = images.first(where: \.mapsCode)
        var found: DwarfInfo?
        for image in images where found == nil { found = DwarfInfo(image, limits: limits) }
        dwarf = found
        let withTable = images.first(where: \.hasSymbolTable) ?? images.first
        symbols = withTable.flatMap { ElfSymbols($0) }
    }

    /// The functions at an offset of the image's file, outermost first; empty when nothing is known.
    ///
    /// Each call that was inlined follows the function it was inlined into, but for compiler-made
    /// glue around the standard library, which counts as its caller. Lines are where a function
    /// begins, not where the address is.
    package func frames(at offset: FileOffset) -> [Frame] {
        guard let address = map?.address(of: offset) else { return [] }
        return frames(at: address)
    }

    /// The functions at an address in the image's own numbering, outermost first.
    package func frames(at address: ImageAddress) -> [Frame] {
        let functions = dwarf?.functions(at: address) ?? []
        if !functions.isEmpty {
            var frames: [Frame] = []
            for function in functions {
                let kind: Frame.Kind = frames.isEmpty ? .function : .inlined
                guard let frame = frame(of: function, kind: kind) else { continue }
                let isGlue = ForwardingThunk.isPartOfItsCaller(
                    systemName: frame.systemName, name: frame.name)
                if kind == .function || !isGlue { frames.append(frame) }
            }
            if !frames.isEmpty { return frames }
        }
        guard let (name, _) = symbols?.symbol(at: address) else { return [] }
        return [frame(systemName: name, name: "", file: "", line: 0)]
    }

    private func frame(of function: DwarfFunction, kind: Frame.Kind) -> Frame? {
        let systemName = function.linkageName.isEmpty ? function.name : function.linkageName
        guard !systemName.isEmpty else { return nil }
        var frame = frame(
            systemName: systemName, name: function.name, file: function.file, line: function.line)
        frame.kind = kind
        return frame
    }

    private func frame(systemName: String, name: String, file: String, line: Int32) -> Frame {
        let key = FunctionKey(systemName: systemName, file: file, line: line)
        if let frame = frameOf[key] { return frame }
        var readable = SymbolName.readable(systemName)
        // A name that cannot be demangled reads worse than the one in the source.
        if readable == systemName, !name.isEmpty { readable = name }
        let frame = Frame(
            name: readable, systemName: systemName, file: file, startLine: line, module: module)
        if frameOf.count >= 1 << 18 { frameOf = [:] }
        frameOf[key] = frame
        return frame
    }
}
