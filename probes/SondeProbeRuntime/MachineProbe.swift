// SPDX-License-Identifier: Apache-2.0
// One probe inside of the machine: its programs, its sites, its counters.

internal import CSondeProbe
internal import Glibc
internal import SondeLock
internal import SondeModel
internal import SondeProbeProgram

/// A probe that the machine can run, from its making until no hit is inside any more.
final class MachineProbe {
    let handle: UInt32
    /// Whether it was taken out of the text.
    private(set) var hasLeft = false
    /// Whether every hit that began before it left has ended.
    var isSettled = false

    private let limits: ProbeLimits
    private let probe: OpaquePointer
    private var programs: [OpaquePointer] = []
    private var requests: [sonde_patch_request] = []
    /// The last counts, once the probe is freed.
    private var finalActivity: ProbeActivity?

    /// Makes a probe of the programs whose images are there.
    init(_ order: InstallOrder, handle: UInt32) throws(PatchRefusal) {
        self.handle = handle
        limits = order.program.limits
        var settings = sonde_probe_settings()
        settings.slot = handle
        settings.hits = limits.hits
        settings.first_sequence = order.lastSequence
        settings.lines_per_second = limits.linesPerSecond
        settings.burst = limits.burst
        settings.bytes_per_second = limits.bytesPerSecond
        settings.cpu_millionths = limits.cpuMillionths
        guard let probe = sonde_probe_make(&settings) else {
            throw PatchRefusal("got no memory for the probe")
        }
        self.probe = probe
        let cost: ProgramCost
        do {
            cost = try ProgramVerifier.verify(order.program)
        } catch {
            sonde_probe_free(probe)
            throw PatchRefusal(error.message)
        }
        var firstSite = 0
        for (image, running) in zip(order.program.images, order.images) {
            if let running { try add(image, running, cost, firstSite) }
            firstSite &+= image.sites.count
        }
    }

    /// Adds an image's program and its sites.
    ///
    /// A record names its site by the number in one program, so the sites of the images before are
    /// counted as if they were this one's: a number is then one of the whole probe.
    private func add(
        _ image: ImageProgram, _ running: RunningImage, _ cost: ProgramCost, _ firstSite: Int
    ) throws(PatchRefusal) {
        let own = image.sites.map(\.entry)
        guard let first = own.first else { return }
        let entries = [UInt32](repeating: first, count: firstSite) + own
        let words = image.code.map { instruction in
            UInt64(instruction.op.rawValue) | UInt64(instruction.d) << 8
                | UInt64(instruction.a) << 16 | UInt64(instruction.b) << 24
                | UInt64(UInt32(bitPattern: instruction.imm)) << 32
        }
        var constants = image.constants
        for index in image.relocations where Int(index) < constants.count {
            constants[Int(index)] &+= running.bias
        }
        guard let program = Self.program(probe, image.strings, words, constants, entries, cost)
        else {
            discard()
            throw PatchRefusal("the probe machine refuses the program, or has no memory for it")
        }
        programs.append(program)
        for (index, site) in image.sites.enumerated() {
            var request = sonde_patch_request()
            request.address = site.address.rawValue &+ running.bias
            request.function_start = site.functionStart.rawValue &+ running.bias
            request.function_end = site.functionEnd.rawValue &+ running.bias
            request.run = sonde_hit_run_program
            request.context = sonde_program_context(program, UInt32(firstSite &+ index))
            requests.append(request)
        }
    }

    private static func program(
        _ probe: OpaquePointer, _ strings: [[UInt8]], _ words: [UInt64], _ constants: [UInt64],
        _ entries: [UInt32], _ cost: ProgramCost
    ) -> OpaquePointer? {
        var starts: [UInt32] = [0]
        for string in strings {
            starts.append((starts.last ?? 0) &+ UInt32(truncatingIfNeeded: string.count))
        }
        let bytes = strings.flatMap { $0 }
        // Safety: the machine copies the parts during the call, within which the buffers live.
        return words.withUnsafeBufferPointer { words in
            constants.withUnsafeBufferPointer { constants in
                bytes.withUnsafeBufferPointer { bytes in
                    starts.withUnsafeBufferPointer { starts in
                        entries.withUnsafeBufferPointer { entries in
                            var parts = sonde_program_parts()
                            parts.words = words.baseAddress
                            parts.word_count = UInt32(truncatingIfNeeded: words.count)
                            parts.constants = constants.baseAddress
                            parts.constant_count = UInt32(truncatingIfNeeded: constants.count)
                            parts.string_bytes = bytes.baseAddress
                            parts.string_starts = starts.baseAddress
                            parts.string_count = UInt32(truncatingIfNeeded: starts.count &- 1)
                            parts.entries = entries.baseAddress
                            parts.entry_count = UInt32(truncatingIfNeeded: entries.count)
                            parts.steps = UInt32(clamping: cost.steps)
                            parts.record_bytes = UInt32(clamping: cost.recordBytes)
                            var status = SONDE_MACHINE_OK
                            return sonde_program_make(probe, &parts, &status)
                        }
                    }
                }
            }
        }
    }

    /// Puts all sites into the text, or none and gives up the probe.
    func install() throws(PatchRefusal) -> [sonde_patch_outcome] {
        var outcomes = [sonde_patch_outcome](
            repeating: sonde_patch_outcome(), count: requests.count)
        let status = Self.patiently {
            sonde_patch_install(
                requests, UInt32(truncatingIfNeeded: requests.count), &outcomes)
        }
        guard status != SONDE_PATCH_OK else { return outcomes }
        let place = outcomes.firstIndex {
            $0.status != SONDE_PATCH_OK && $0.status != SONDE_PATCH_NOT_TRIED
        }
        let detail = place.map { outcomes[$0].detail } ?? 0
        let address = place.map { "0x" + String(requests[$0].address, radix: 16) } ?? "the sites"
        discard()
        throw PatchRefusal("cannot patch \(address): \(Self.words(status, detail))")
    }

    /// Asks again when a thread just blocks SIGTRAP: libc does so for a moment while it makes a
    /// thread or a process, and no code that can be probed runs there meanwhile.
    static func patiently(_ ask: () -> sonde_patch_status) -> sonde_patch_status {
        for _ in 0..<10 {
            let status = ask()
            guard status == SONDE_PATCH_TRAP_BLOCKED else { return status }
            ForkGate.rest { _ = usleep(3000) }
        }
        return ask()
    }

    /// Takes all sites out of the text; hits that are under way go on.
    func leave() {
        sonde_probe_close(probe)
        sonde_patch_remove(requests, UInt32(truncatingIfNeeded: requests.count))
        hasLeft = true
    }

    /// Frees what the machine holds; no hit may be inside.
    func free() {
        guard finalActivity == nil else { return }
        finalActivity = activity
        discard()
    }

    private func discard() {
        for program in programs { sonde_program_free(program) }
        programs = []
        sonde_probe_free(probe)
        if finalActivity == nil { finalActivity = ProbeActivity() }
    }

    /// What the probe did so far.
    var activity: ProbeActivity {
        if let finalActivity { return finalActivity }
        var counts = sonde_probe_counts(probe)
        var activity = ProbeActivity()
        activity.hits = counts.hits
        activity.conditionFalse = counts.condition_false
        activity.cpuNanoseconds = counts.cpu_ns
        activity.lastSequence = counts.last_sequence
        let words = { (bytes: UnsafeRawBufferPointer) in
            Array(bytes.bindMemory(to: UInt64.self))
        }
        // Safety: the three are arrays of 64-bit numbers.
        activity.conditionErrors = withUnsafeBytes(of: &counts.condition_errors, words)
            .reduce(0) { $0 &+ $1 }
        let limited = withUnsafeBytes(of: &counts.limited, words)
        let lost = withUnsafeBytes(of: &counts.lost, words)
        for (name, count) in zip(Self.limitNames + Self.lossNames, limited + lost)
        where count > 0 && !name.isEmpty { activity.dropped[name, default: 0] &+= count }
        switch counts.closed_by {
        case SONDE_LIMIT_HITS: activity.hasUsedUpHits = true
        case SONDE_LIMIT_CPU:
            activity.trippedBy =
                "its hits used more CPU time than it may: want at most "
                + "\(Self.percent(limits.cpuMillionths)) of a core"
        case SONDE_LIMIT_PROCESS_CPU:
            activity.trippedBy =
                "the hits of all probes used more CPU time than this agent allows, and one of this "
                + "probe's was the last"
        default: break
        }
        return activity
    }

    /// By `enum sonde_limit`; the limit of hits drops nothing, it ends the probe.
    private static let limitNames = [
        "", "", "rate", "process_rate", "bytes_per_second", "cpu", "process_cpu",
    ]
    /// By `enum sonde_record_loss`.
    private static let lossNames = ["ring_full", "ring_busy", "fault", "broken_program"]

    private static func percent(_ millionths: UInt32) -> String {
        ExactDecimal.fixed(Double(millionths) / 10_000, precision: 2) + " %"
    }

    /// A refusal in words, with the thread where it is about one.
    static func words(_ status: sonde_patch_status, _ detail: UInt64) -> String {
        // Safety: the words are constants.
        let words = sonde_patch_words(status).map { String(cString: $0) } ?? "got status \(status)"
        return status == SONDE_PATCH_TRAP_BLOCKED ? "\(words) (thread \(detail))" : words
    }
}
