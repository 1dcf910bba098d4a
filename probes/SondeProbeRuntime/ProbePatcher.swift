// SPDX-License-Identifier: Apache-2.0
// What the runtime needs of the code that changes the service's text, so that tests can give it
// one that changes nothing.

package import SondeModel
package import SondeProbeProgram

/// An image as it is loaded in this process.
package struct RunningImage: Hashable, Sendable {
    /// Its build id.
    package var buildID: BuildID
    /// Its file's path, for people.
    package var path: String
    /// What is added to an address of its file to get the one in memory.
    package var bias: UInt64
    /// The lowest address in memory.
    package var start: RuntimeAddress
    /// The address after the highest one.
    package var end: RuntimeAddress

    /// An image from its parts.
    package init(
        buildID: BuildID, path: String, bias: UInt64, start: RuntimeAddress, end: RuntimeAddress
    ) {
        self.buildID = buildID
        self.path = path
        self.bias = bias
        self.start = start
        self.end = end
    }
}

/// One probe that is to be put into the service's text, all of its sites or none.
package struct InstallOrder: Sendable {
    /// The verified program.
    package var program: ProbeProgram
    /// Which image each of the program's images is; those that are not loaded have none.
    package var images: [RunningImage?]
    /// The number of the last line that an earlier revision gave out.
    package var lastSequence: UInt64

    /// Whether an image is there for any part of the program.
    package var hasImage: Bool { images.contains { $0 != nil } }
}

/// Places that a probe was put into.
package struct InstalledSites: Hashable, Sendable {
    /// The patcher's own number for the probe.
    package var handle: UInt32
    /// Places patched by a jump.
    package var jumps: Int
    /// Places patched by a trap.
    package var traps: Int

    /// Places from their numbers.
    package init(handle: UInt32, jumps: Int, traps: Int) {
        self.handle = handle
        self.jumps = jumps
        self.traps = traps
    }
}

/// Why a probe could not be put into the text; the text is as it was.
package struct PatchRefusal: Error, Hashable, Sendable {
    /// In words, for people.
    package var reason: String

    /// A refusal with its reason.
    package init(_ reason: String) { self.reason = reason }
}

/// What an installed probe did so far.
package struct ProbeActivity: Hashable, Sendable {
    /// How often a patched place was reached.
    package var hits: UInt64 = 0
    /// How often the condition was false.
    package var conditionFalse: UInt64 = 0
    /// How often the condition could not be evaluated.
    package var conditionErrors: UInt64 = 0
    /// Hits whose line was lost, by reason.
    package var dropped: [String: UInt64] = [:]
    /// CPU time of the hits, in nanoseconds.
    package var cpuNanoseconds: UInt64 = 0
    /// The number of the last line.
    package var lastSequence: UInt64 = 0
    /// Whether the limit of hits is reached.
    package var hasUsedUpHits = false
    /// Which limit was broken so that the probe stopped itself, or `nil`.
    package var trippedBy: String?

    /// No activity.
    package init() {}
}

/// Changes the service's text and gives out what hits recorded.
///
/// One thread uses it.
package protocol ProbePatcher: AnyObject {
    /// Puts a probe into the text: all sites of the images that are there, or none.
    ///
    /// - Throws: ``PatchRefusal``; the text is as it was then.
    func install(_ order: InstallOrder) throws(PatchRefusal) -> InstalledSites
    /// Takes a probe out of the text; hits that are under way end as they would have.
    ///
    /// - Parameters:
    ///   - handle: The probe.
    ///   - unloaded: Memory of images that are gone; nothing in there is touched.
    func remove(_ handle: UInt32, unloaded: [Range<UInt64>])
    /// What a probe did, also just after it was removed and until the next install.
    func activity(of handle: UInt32) -> ProbeActivity
    /// Looks after the process's signal handler, clock and rings; about once a second.
    ///
    /// - Returns: Why probes with traps have to go, or `nil`.
    func maintain() -> String?
    /// Hands over the records that hits made since the last call, oldest first in each ring.
    ///
    /// - Parameters:
    ///   - limit: About how many bytes of records to hand over at most.
    ///   - body: Gets a probe's handle, the record's header and its body.
    /// - Returns: Whether more records wait.
    func drain(limit: Int, _ body: (UInt32, RecordHeader, [UInt8]) -> Void) -> Bool
}
