// SPDX-License-Identifier: Apache-2.0
// The figures that a benchmark is judged by, and the file of their thresholds.

internal import Foundation

/// Figures beside their thresholds: `name at-least|at-most value` in a file.
package struct BenchmarkReport {
    private var thresholds: [String: (isMinimum: Bool, value: Double)] = [:]
    /// Whether a figure was beyond its threshold, or had none.
    package private(set) var hasFailed = false

    /// A report that holds no figure yet.
    ///
    /// - Parameter file: The file of thresholds; lines that begin with `#` are for people.
    /// - Throws: What Foundation throws when the file cannot be read.
    package init(thresholds file: String) throws {
        for line in try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n")
        where !line.hasPrefix("#") {
            let words = line.split(separator: " ").map(String.init)
            guard words.count >= 3, let value = Double(words[2]) else { continue }
            thresholds[words[0]] = (words[1] == "at-least", value)
        }
    }

    /// Prints a figure beside its threshold.
    package mutating func judge(_ name: String, _ value: Double) {
        guard let threshold = thresholds[name] else {
            print("  \(name): no threshold")
            hasFailed = true
            return
        }
        let isGood = threshold.isMinimum ? value >= threshold.value : value <= threshold.value
        let limit = "\(threshold.isMinimum ? "at least" : "at most") \(threshold.value)"
        let text = String(format: value < 0.1 ? "%.5f" : "%.2f", value)
        print("  \(name) = \(text); want \(limit)\(isGood ? "" : "  FAILED")")
        hasFailed = hasFailed || !isGood
    }
}
