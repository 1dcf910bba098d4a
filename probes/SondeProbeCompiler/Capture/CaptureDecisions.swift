// SPDX-License-Identifier: Apache-2.0
// What all sites of a line have to agree on, so that one reader understands all their records.

/// The way from a template's value to one of its parts: the value's number, then field numbers.
typealias CapturePath = [Int]

/// What all sites of a line have to agree on.
///
/// A first pass over all sites finds out what is missing where; the second one writes records that
/// have the same shape at every site.
struct CaptureDecisions {
    /// Parts that no site has, with the reason: they take no bytes.
    var nowhere: [CapturePath: String] = [:]
    /// Parts that need a status byte: some site lacks them, or something can go wrong with them.
    var guarded: Set<CapturePath> = []
    /// Whether this is the first pass.
    var isCollecting = true
    /// What the first pass has found so far.
    var findings = Findings()

    /// What the first pass found at one site.
    struct Findings {
        /// The parts that are missing, with the reason.
        var missing: [CapturePath: String] = [:]
        /// The values with which something can go wrong.
        var faulting: Set<CapturePath> = []
    }

    /// The decisions that follow from what was found at every site.
    static func following(_ sites: [Findings]) -> CaptureDecisions {
        var decisions = CaptureDecisions()
        decisions.isCollecting = false
        var counts: [CapturePath: Int] = [:]
        var reasons: [CapturePath: String] = [:]
        for site in sites {
            decisions.guarded.formUnion(site.faulting)
            for (path, reason) in site.missing {
                counts[path, default: 0] += 1
                if reasons[path] == nil { reasons[path] = reason }
            }
        }
        for (path, count) in counts {
            // A part of a value that is missing as a whole was not looked at.
            let looked = sites.count { $0.missing[[path[0]]] == nil || path.count == 1 }
            if count == looked, path.count > 1 {
                decisions.nowhere[path] = reasons[path]
            } else {
                decisions.guarded.insert(path)
            }
        }
        return decisions
    }
}
