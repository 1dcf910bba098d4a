// SPDX-License-Identifier: Apache-2.0
// What keeps an image's addresses from having all their names.

package import SondeModel

/// Why addresses of an image have poor names, for the user.
package struct ImageNote: Hashable, Sendable, CustomStringConvertible {
    /// The image as its sender named it.
    package var image: ImageID
    /// What is missing.
    package var lack: Lack

    /// What is missing.
    package enum Lack: Hashable, Sendable {
        /// There is no file with this build id.
        case file
        /// There are files, but none can be read.
        case readableFile(reason: String)
        /// There is only the split-off debug info, and that does not tell where code is loaded.
        case loadMap
        /// Functions have names, but no source files and no inlined calls.
        case debugInfo
        /// Only exported functions have names.
        case symbols
        /// The image has no build id, so no file can be found for it.
        case buildID
    }

    /// A note from its parts.
    package init(image: ImageID, lack: Lack) {
        self.image = image
        self.lack = lack
    }

    package var description: String {
        let push = "`sonde debuginfo push` it from where it was built"
        let name = image.name.isEmpty ? "an unnamed image" : image.name
        let what = image.buildID.map { "\(name) (build id \($0))" } ?? name
        switch lack {
        case .file:
            return "\(what) is not here, so its functions have no names; \(push)"
        case .readableFile(let reason):
            return "\(what) cannot be used: \(reason)"
        case .loadMap:
            return "\(what) is here only as split-off debug info; \(push), too"
        case .debugInfo:
            return "\(what) has no debug info here, so inlined calls and source files are missing;"
                + " build it with -g, or \(push)"
        case .symbols:
            return "\(what) is stripped, so only exported functions have names;"
                + " \(push), before it is stripped"
        case .buildID:
            return "\(what) has no build id, so its functions have no names;"
                + " link it with --build-id"
        }
    }
}
