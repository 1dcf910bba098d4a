// SPDX-License-Identifier: Apache-2.0
// What one sample costs, against libunwind on the same stack; and what sampling costs a process.

import CCaptureStack
import Foundation
import SondeSampling
import Synchronization

/// A threshold of the file that the benchmark is called with: `name at-least|at-most ratio`.
struct Threshold {
    var name: String
    var isMinimum: Bool
    var value: Double

    static func all(in file: String) throws -> [String: Threshold] {
        var found: [String: Threshold] = [:]
        for line in try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n")
        where !line.hasPrefix("#") {
            let words = line.split(separator: " ").map(String.init)
            guard words.count >= 3, let value = Double(words[2]) else { continue }
            found[words[0]] = Threshold(
                name: words[0], isMinimum: words[1] == "at-least", value: value)
        }
        return found
    }
}

@main
enum CaptureBenchmark {
    static func main() throws {
        guard CommandLine.arguments.count == 2 else {
            print("cannot compare: got no thresholds; want their file as the only argument")
            exit(2)
        }
        let thresholds = try Threshold.all(in: CommandLine.arguments[1])
        var failed = false
        func check(_ name: String, _ value: Double) {
            guard let threshold = thresholds[name] else {
                print("  \(name): no threshold")
                failed = true
                return
            }
            let good = threshold.isMinimum ? value >= threshold.value : value <= threshold.value
            let limit = "\(threshold.isMinimum ? "at least" : "at most") \(threshold.value)"
            print(
                String(format: "  %@ = %.4f; want %@%@", name, value, limit, good ? "" : "  FAILED")
            )
            if !good { failed = true }
        }

        for depth in [10, 30, 100] as [UInt32] {
            var result = capture_result()
            let status = capture_compare(depth, 1000, 20, &result)
            guard status == 0 else {
                print("cannot compare: got step \(status) refused; want all")
                exit(1)
            }
            report(depth, result)
            guard depth == 30 else { continue }
            check("libunwind-to-sonde", result.libunwind_ns / result.sonde_ns)
            check("unw_backtrace-to-sonde", result.backtrace_ns / result.sonde_ns)
            check("libunwind-to-guarded", result.libunwind_ns / result.guarded_ns)
            check("sonde-microseconds", result.sonde_ns / 1000)
            check("depth-lost", Double(result.depth) - Double(result.sonde_depth))
        }
        let overhead = try Overhead.measure(busy: 4, idle: 200, pairs: 7)
        print(
            String(
                format: "4 busy and 200 idle threads at 100 Hz: own CPU %.3f %% of the process's "
                    + "(helper %.3f %%); paired with the sampler off: %+.2f %% (median of 7)",
                overhead.ownShare * 100, overhead.helperShare * 100, overhead.pairedShare * 100))
        check("own-share", overhead.ownShare)
        exit(failed ? 1 : 0)
    }

    static func report(_ depth: UInt32, _ result: capture_result) {
        print(
            String(
                format:
                    "depth %u (%u frames, %u bytes): handler %.0f ns verified, %.0f ns guarded, "
                    + "%.0f ns empty; libunwind %.0f ns, unw_backtrace %.0f ns; frames %u, %u",
                depth, result.depth, result.stack_bytes, result.sonde_ns, result.guarded_ns,
                result.empty_ns, result.libunwind_ns, result.backtrace_ns, result.sonde_depth,
                result.guarded_depth))
    }
}
