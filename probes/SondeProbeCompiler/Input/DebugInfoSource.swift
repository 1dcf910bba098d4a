// SPDX-License-Identifier: Apache-2.0
// What the compiler asks about an image: places of lines, variables at places, layouts of types.

package import SondeModel
package import SondeSymbols

/// What the compiler asks about one image.
///
/// ``ProbeImage`` answers from DWARF and Swift's reflection sections; tests answer from tables.
package protocol DebugInfoSource: AnyObject {
    /// The image's build id, without which no agent could tell that it runs this image.
    var buildID: BuildID? { get }
    /// The recorded paths of source files that end in whole components as given.
    func files(matching path: String) -> [String]
    /// The recorded paths whose names are most like the given one.
    func nearestFiles(to path: String, count: Int) -> [String]
    /// The lines of a file that have code, in order; empty for a file that the image does not have.
    func linesWithCode(in file: String) -> [UInt32]
    /// The addresses at which a line begins, one for each copy of its function.
    func places(file: String, line: UInt32) -> [CodePlace]
    /// Where functions of this name begin their work.
    func places(function: String) -> [CodePlace]
    /// The place at an address, if a statement begins there.
    func place(at address: ImageAddress) -> CodePlace?
    /// What can be named at a place, innermost scope first.
    func variables(at place: CodePlace) -> [VisibleVariable]
    /// The lines nearest to a place, in its function, at which a variable can be read wholly.
    func nearestLines(where name: String, in place: CodePlace, count: Int) -> [UInt32]
    /// A variable outside of functions.
    func global(named name: String) -> VisibleVariable?
    /// How a value of a type lies in memory.
    func layout(of type: TypeID) -> TypeLayout
}
