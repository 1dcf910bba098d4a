// SPDX-License-Identifier: Apache-2.0
// The shapes of an image's values, each once, parts before wholes.

import SondeProbeProgram

/// The shapes of an image's values, each once, parts before wholes.
struct ShapePool {
    private(set) var shapes: [ValueShape] = []
    private var indices: [ValueShape: Int] = [:]

    /// The index of a shape, whose parts are in the pool already.
    mutating func index(of shape: ValueShape) -> Int {
        if let index = indices[shape] { return index }
        shapes.append(shape)
        indices[shape] = shapes.count - 1
        return shapes.count - 1
    }
}
