// SPDX-License-Identifier: Apache-2.0
// Decides whether the shapes and the message of a program can be rendered within bounds.

/// Decides whether the shapes and the message of a program can be rendered within bounds.
enum ShapeVerifier {
    /// How far down and how wide a shape is.
    private struct Extent {
        var depth = 1
        var values = 1
    }

    static func verify(_ image: ImageProgram) throws(ProgramError) {
        try ProgramReader.check(image.shapes.count, "shapes", ProgramBounds.shapes)
        try ProgramReader.check(image.template.count, "pieces", ProgramBounds.segments)
        var extents: [Extent] = []
        extents.reserveCapacity(image.shapes.count)
        for (index, shape) in image.shapes.enumerated() {
            try verifySize(shape, index)
            var extent = Extent()
            for part in shape.parts {
                // Parts come first, so no shape contains itself.
                guard part >= 0, part < index else {
                    throw .invalid(
                        "shape \(index) with part \(part)", want: "a part that comes before it")
                }
                extent.depth = max(extent.depth, extents[part].depth &+ 1)
                extent.values &+= extents[part].values
                guard extent.depth <= MachineBounds.shapeDepth,
                    extent.values <= MachineBounds.shapeValues
                else {
                    throw ProgramError(
                        .tooLarge,
                        "cannot use the probe program: got shape \(index) of \(extent.depth) "
                            + "levels and \(extent.values) values; want at most "
                            + "\(MachineBounds.shapeDepth) and \(MachineBounds.shapeValues)")
                }
            }
            extents.append(extent)
        }
        for case .value(let expression, let shape, _) in image.template {
            guard shape >= 0, shape < image.shapes.count else {
                throw .invalid(
                    "shape \(shape) of {\(expression)}", want: "one of \(image.shapes.count)")
            }
        }
    }

    private static func verifySize(_ shape: ValueShape, _ index: Int) throws(ProgramError) {
        switch shape {
        case .signed(let bits), .unsigned(let bits):
            guard [8, 16, 32, 64].contains(bits) else {
                throw .invalid(
                    "shape \(index), a number of \(bits) bits", want: "8, 16, 32 or 64")
            }
        case .raw(_, let bytes):
            guard (0...MachineBounds.recordBytes).contains(bytes) else {
                throw .invalid(
                    "shape \(index) of \(bytes) bytes",
                    want: "at most \(MachineBounds.recordBytes)")
            }
        case .enumeration(_, let cases):
            guard cases.count < 0xFFFF else {
                throw .invalid(
                    "shape \(index) of \(cases.count) cases", want: "fewer than 65535")
            }
        default: break
        }
    }
}
