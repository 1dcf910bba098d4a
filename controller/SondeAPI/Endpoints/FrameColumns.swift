// SPDX-License-Identifier: Apache-2.0
// The frames of an answer in columns, with the texts that they point into.

internal import SondeModel

/// The frames of an answer, in columns.
struct FrameColumns: Sendable {
    private let frames: [Frame]
    private let names: [Int]
    private let files: [Int]
    private let modules: [Int]
    private let strings: [String]

    /// The columns of some frames.
    init(_ frames: [Frame]) {
        var strings = StringColumn()
        self.frames = frames
        names = frames.map { strings.index(of: $0.name) }
        files = frames.map { strings.index(of: $0.file) }
        modules = frames.map { strings.index(of: $0.module) }
        self.strings = strings.strings
    }

    /// Writes the members `strings` and `frames`.
    func write(to json: inout JSONWriter) {
        json.member("strings") { $0.array(strings) }
        json.member("frames") { json in
            json.object { json in
                json.member("name") { $0.array(names) }
                json.member("file") { $0.array(files) }
                json.member("line") { $0.array(frames.lazy.map(\.startLine)) }
                json.member("module") { $0.array(modules) }
                json.member("kind") { $0.array(frames.lazy.map(\.kind.rawValue)) }
            }
        }
    }
}

/// The texts of an answer, each once; the first is empty.
private struct StringColumn {
    private(set) var strings = [""]
    private var indices: [String: Int] = ["": 0]

    mutating func index(of text: String) -> Int {
        if let index = indices[text] { return index }
        indices[text] = strings.count
        strings.append(text)
        return strings.count - 1
    }
}
