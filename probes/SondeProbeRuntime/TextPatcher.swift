// SPDX-License-Identifier: Apache-2.0
// Puts programs into the machine and the machine into the text, and takes records out of its rings.

internal import CSondeProbe
internal import SondeModel
internal import SondeProbeProgram

/// What all probes of the process share.
package struct MachineLimits: Hashable, Sendable {
    /// Bytes of the rings in which records wait, together.
    package var ringBytes: UInt64
    /// The most lines a second.
    package var linesPerSecond: UInt32
    /// The most CPU time of hits, in millionths of a core.
    package var cpuMillionths: UInt32
    /// Whether memory that was readable a moment ago is read with plain loads.
    ///
    /// SIGSEGV and SIGBUS are taken for it until the program wants one of them. Off unless asked
    /// for: the service's own faults are nobody else's business. Source: docs/decisions/0008.
    package var readsDirectly: Bool
    /// How long a removal waits for hits that are under way; lines of later ones are lost and counted.
    package var settleNanoseconds: Int64

    /// Limits from their parts.
    package init(
        ringBytes: UInt64 = 4 << 20, linesPerSecond: UInt32 = 5000, cpuMillionths: UInt32 = 50_000,
        readsDirectly: Bool = false, settleNanoseconds: Int64 = 20_000_000
    ) {
        self.ringBytes = ringBytes
        self.linesPerSecond = linesPerSecond
        self.cpuMillionths = cpuMillionths
        self.readsDirectly = readsDirectly
        self.settleNanoseconds = settleNanoseconds
    }
}

/// The patcher of this process, over `patch.h` and `machine.h`.
package final class TextPatcher: ProbePatcher {
    private let limits: MachineLimits
    private let readsMemory: @Sendable () -> Bool
    private var isStarted = false
    private var probes: [UInt32: MachineProbe] = [:]
    /// Taken out of the text; hits may still be inside.
    private var leaving: [MachineProbe] = []
    private var lastHandle: UInt32 = 0
    private var nextRing: UInt32 = 0

    /// Probes that wait for a hit that does not end; what is more is never freed.
    private static let maximumLeaving = 256

    /// A patcher that has changed nothing yet.
    ///
    /// - Parameters:
    ///   - limits: What all probes share.
    ///   - readsMemory: Whether `process_vm_readv` may be called in this process; without it only
    ///     stacks are readable at a hit. Asked with the first probe.
    package init(_ limits: MachineLimits, readsMemory: @escaping @Sendable () -> Bool) {
        self.limits = limits
        self.readsMemory = readsMemory
    }

    /// Keeps the calling thread, one of our own, from running probes.
    package static func muteCallingThread() { sonde_mute_thread(1) }

    package func install(_ order: InstallOrder) throws(PatchRefusal) -> InstalledSites {
        try start()
        freeWhatHasLeft()
        // A handle that is still known would mix up two probes' records: 4 billion come first.
        lastHandle &+= 1
        let probe = try MachineProbe(order, handle: lastHandle)
        let outcomes = try probe.install()
        probes[lastHandle] = probe
        return InstalledSites(
            handle: lastHandle,
            jumps: outcomes.count { $0.form == SONDE_PATCH_JUMP },
            traps: outcomes.count { $0.form == SONDE_PATCH_TRAP })
    }

    package func remove(_ handle: UInt32, unloaded: [Range<UInt64>]) {
        for range in unloaded { sonde_patch_forget(range.lowerBound, range.upperBound) }
        guard let probe = probes[handle], !probe.hasLeft else { return }
        probe.leave()
        // Records of hits that are under way are wanted too.
        probe.isSettled = sonde_hits_settle(limits.settleNanoseconds) == 1
        leaving.append(probe)
    }

    package func activity(of handle: UInt32) -> ProbeActivity {
        probes[handle]?.activity ?? ProbeActivity()
    }

    package func drain(limit: Int, _ body: (UInt32, RecordHeader, [UInt8]) -> Void) -> Bool {
        let rings = sonde_record_rings()
        guard isStarted, rings > 0 else { return false }
        var bytes = 0
        for step in 0..<rings {
            // Begins where the last call ended, so that no ring waits for the others for ever.
            let ring = (nextRing &+ step) % rings
            while let record = sonde_record_peek(ring) {
                guard bytes < limit else {
                    nextRing = ring
                    return true
                }
                bytes &+= Int(record.pointee.size)
                let (header, content) = Self.copy(record)
                body(record.pointee.probe_slot, header, content)
                sonde_record_consume(ring)
            }
        }
        return false
    }

    package func maintain() -> String? {
        guard isStarted else { return nil }
        sonde_machine_adjust_clock()
        _ = sonde_record_recover_rings()
        _ = sonde_machine_check_direct_reads()
        freeWhatHasLeft()
        guard !probes.isEmpty else { return nil }
        var detail: UInt64 = 0
        let status = MachineProbe.patiently { sonde_patch_check(&detail) }
        return status == SONDE_PATCH_OK ? nil : MachineProbe.words(status, detail)
    }

    private func start() throws(PatchRefusal) {
        guard !isStarted else { return }
        var settings = sonde_machine_settings()
        settings.ring_bytes = limits.ringBytes
        settings.rings = 16
        settings.lines_per_second = limits.linesPerSecond
        settings.burst = max(1, limits.linesPerSecond)
        settings.cpu_millionths = limits.cpuMillionths
        settings.reads_memory = readsMemory() ? 1 : 0
        let status = sonde_machine_start(&settings)
        guard status == SONDE_MACHINE_OK else {
            throw PatchRefusal("the probe machine does not start: got no memory for its rings")
        }
        isStarted = true
        // Where the signals are somebody else's, the kernel is asked each time.
        if limits.readsDirectly { _ = sonde_machine_use_direct_reads() }
    }

    /// Frees probes whose last hit has ended.
    private func freeWhatHasLeft() {
        guard !leaving.isEmpty else { return }
        let allEnded = sonde_hits_settle(0) == 1
        leaving.removeAll { probe in
            guard allEnded || probe.isSettled else { return false }
            probes[probe.handle] = nil
            probe.free()
            return true
        }
        // Memory that a hit may still use is given up rather than freed.
        while leaving.count > Self.maximumLeaving { probes[leaving.removeFirst().handle] = nil }
    }

    private static func copy(
        _ record: UnsafePointer<sonde_probe_record>
    ) -> (RecordHeader, [UInt8]) {
        var source = record.pointee
        var header = RecordHeader()
        header.sequence = source.sequence
        header.unixNanoseconds = source.unix_ns
        header.thread = source.tid
        header.site = source.site
        header.task = source.task
        header.trace = withUnsafeBytes(of: &source.trace_id) { Array($0) }
        header.span = withUnsafeBytes(of: &source.span_id) { Array($0) }
        header.labels = source.labels
        let room = Int(source.size) &- MemoryLayout<sonde_probe_record>.size
        let count = max(0, min(Int(source.body_size), room))
        // Safety: the record is valid until it is consumed, and its body, which lies behind the
        // header, is no longer than the record.
        let body = UnsafeRawBufferPointer(start: UnsafeRawPointer(record + 1), count: count)
        return (header, Array(body))
    }
}
