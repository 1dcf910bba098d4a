// SPDX-License-Identifier: Apache-2.0
// A patcher that changes nothing, whose hits are made by the tests.

import Foundation
import SondeModel
import SondeProbeProgram
import SondeProbeRuntime
import SondeWire
import Synchronization

/// Notes what is installed and hands out the records of hits that a test made.
final class FakeTextPatcher: ProbePatcher, Sendable {
    struct State {
        var installed: [UInt32: InstallOrder] = [:]
        var records: [(handle: UInt32, header: RecordHeader, body: [UInt8])] = []
        var sequences: [String: UInt64] = [:]
        var activity = ProbeActivity()
        var lastHandle: UInt32 = 0
        var refusal: String?
    }

    let state = Mutex(State())

    /// The ids of the probes that are installed.
    var installed: Set<String> { state.withLock { Set($0.installed.values.map(\.program.probe)) } }

    /// Hits a probe: its record holds one number.
    ///
    /// - Returns: Whether it is installed.
    @discardableResult
    func hit(_ id: String, _ value: UInt64, at unixNanoseconds: Int64 = 5) -> Bool {
        state.withLock { state in
            guard let handle = state.installed.first(where: { $0.value.program.probe == id })?.key
            else { return false }
            state.sequences[id, default: 0] += 1
            var header = RecordHeader()
            header.sequence = state.sequences[id] ?? 0
            header.unixNanoseconds = unixNanoseconds
            header.thread = 1
            let body = (0..<8).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
            state.records.append((handle, header, body))
            return true
        }
    }

    func install(_ order: InstallOrder) throws(PatchRefusal) -> InstalledSites {
        let (handle, refusal) = state.withLock { state in
            state.lastHandle += 1
            if state.refusal == nil { state.installed[state.lastHandle] = order }
            return (state.lastHandle, state.refusal)
        }
        if let refusal { throw PatchRefusal(refusal) }
        return InstalledSites(handle: handle, jumps: 1, traps: 0)
    }

    func remove(_ handle: UInt32, unloaded: [Range<UInt64>]) {
        state.withLock { _ = $0.installed.removeValue(forKey: handle) }
    }

    func activity(of handle: UInt32) -> ProbeActivity { state.withLock { $0.activity } }

    func maintain() -> String? { nil }

    func drain(limit: Int, _ body: (UInt32, RecordHeader, [UInt8]) -> Void) -> Bool {
        let records = state.withLock { state in
            let records = state.records.prefix(10_000)
            state.records.removeFirst(records.count)
            return records
        }
        for record in records { body(record.handle, record.header, record.body) }
        return !records.isEmpty
    }
}

/// A probe on the one image of ``ImageCatalog/probed``.
enum SampleProbe {
    static let buildID = Array(TestImages.buildID.bytes)

    static func wanted(
        _ id: String, revision: UInt64 = 1, tag: String = "", seconds: Double = 1800,
        file: String = "/src/Shop.swift"
    ) -> ProbeState {
        var program = ProbeProgram(
            probe: id, revision: revision, tag: tag,
            limits: ProbeLimits(
                expiresUnixNanos: Int64((Date().timeIntervalSince1970 + seconds) * 1e9)),
            file: file, line: 7)
        if let build = BuildID(bytes: buildID) {
            var image = ImageProgram(buildID: build)
            image.sites = [
                ProbeSite(
                    address: ImageAddress(0x100), entry: 0, function: "shop.pay()",
                    functionStart: ImageAddress(0xF0), functionEnd: ImageAddress(0x200))
            ]
            image.code = [
                Instruction(.loadImmediate, d: 0, imm: 5), Instruction(.accept),
                Instruction(.write64, a: 0), Instruction(.commit),
            ]
            image.shapes = [.unsigned(bits: 64)]
            image.template = [.text("paid "), .value(expression: "total", shape: 0, format: nil)]
            program.images = [image]
        }
        var state = ProbeState()
        state.id = id
        state.revision = revision
        state.enabled = true
        state.program = program.encode()
        return state
    }
}
