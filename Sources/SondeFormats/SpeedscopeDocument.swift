// SPDX-License-Identifier: Apache-2.0
// Writes merged stacks as a file for speedscope.app.

package import SondeModel

/// Speedscope's file format, with one profile of the kind `sampled`.
///
/// Source: speedscope's `file-format-spec`, version 0.0.1.
package enum SpeedscopeDocument {
    /// The stacks as JSON.
    ///
    /// - Parameters:
    ///   - tree: The stacks.
    ///   - type: What their values count.
    ///   - name: What the profile is called in the viewer.
    /// - Returns: One JSON object and a line break.
    package static func json(_ tree: FrameTree, type: ProfileType, name: String) -> String {
        let frames = tree.keys.map { frame in
            var fields = ["\"name\":" + JSONText.literal(frame.name)]
            if !frame.file.isEmpty { fields.append("\"file\":" + JSONText.literal(frame.file)) }
            if frame.startLine > 0 { fields.append("\"line\":\(frame.startLine)") }
            return "{" + fields.joined(separator: ",") + "}"
        }
        var samples: [String] = []
        var weights: [String] = []
        var total: Int64 = 0
        // Speedscope's own order is that of time; ours is left to right as in the flame graph.
        let children = tree.childrenByName()
        var pending = [0]
        while let node = pending.popLast() {
            if node > 0, tree.selfValues[node] > 0 {
                samples.append(stack(of: node, in: tree))
                weights.append(String(tree.selfValues[node]))
                let (sum, overflow) = total.addingReportingOverflow(tree.selfValues[node])
                total = overflow ? .max : sum
            }
            for child in children[node].reversed() { pending.append(Int(child)) }
        }
        return """
            {"$schema":"https://www.speedscope.app/file-format-schema.json",\
            "exporter":"sonde","name":\(JSONText.literal(name)),"activeProfileIndex":0,\
            "shared":{"frames":[\(frames.joined(separator: ","))]},\
            "profiles":[{"type":"sampled","name":\(JSONText.literal(type.description)),\
            "unit":"\(unit(type.sampleUnit))","startValue":0,"endValue":\(total),\
            "samples":[\(samples.joined(separator: ","))],\
            "weights":[\(weights.joined(separator: ","))]}]}

            """
    }

    private static func stack(of node: Int, in tree: FrameTree) -> String {
        var stack: [String] = []
        var at = node
        while at > 0 {
            stack.append(String(tree.keyIndices[at]))
            at = Int(tree.parents[at])
        }
        return "[" + stack.reversed().joined(separator: ",") + "]"
    }

    /// Speedscope knows these units and `none`.
    private static func unit(_ unit: String) -> String {
        let known = ["nanoseconds", "microseconds", "milliseconds", "seconds", "bytes"]
        return known.contains(unit) ? unit : "none"
    }
}
