// SPDX-License-Identifier: Apache-2.0
// A patcher that changes nothing, and a world with a clock that stands still until it is moved.

import SondeModel
import SondeProbeProgram
import SondeWire
import Synchronization

@testable import SondeProbeRuntime

/// Notes what it was told, and hands out records that a test made.
final class FakePatcher: ProbePatcher {
    var installed: [UInt32: InstallOrder] = [:]
    var log: [String] = []
    var refusals: [String: String] = [:]
    var activities: [UInt32: ProbeActivity] = [:]
    var records: [(UInt32, RecordHeader, [UInt8])] = []
    var recordsOnRemoval: [(RecordHeader, [UInt8])] = []
    var trapProblem: String?
    private var lastHandle: UInt32 = 0

    func install(_ order: InstallOrder) throws(PatchRefusal) -> InstalledSites {
        let id = order.program.probe
        if let reason = refusals[id] {
            log.append("refuse \(id)")
            throw PatchRefusal(reason)
        }
        lastHandle += 1
        installed[lastHandle] = order
        let loaded = order.images.compactMap { $0?.path }.joined(separator: ",")
        log.append("install \(id).\(order.program.revision) in \(loaded)")
        return InstalledSites(handle: lastHandle, jumps: 2, traps: 1)
    }

    func remove(_ handle: UInt32, unloaded: [Range<UInt64>]) {
        let id = installed.removeValue(forKey: handle)?.program.probe ?? "?"
        log.append("remove \(id)\(unloaded.isEmpty ? "" : " without \(unloaded.count)")")
        records += recordsOnRemoval.map { (handle, $0.0, $0.1) }
        recordsOnRemoval = []
    }

    func activity(of handle: UInt32) -> ProbeActivity { activities[handle] ?? ProbeActivity() }

    func maintain() -> String? { trapProblem }

    func drain(limit: Int, _ body: (UInt32, RecordHeader, [UInt8]) -> Void) -> Bool {
        let all = records
        records = []
        for (handle, header, bytes) in all { body(handle, header, bytes) }
        return false
    }

    /// The handle under which a probe is in the text.
    func handle(of id: String) -> UInt32? {
        installed.first { $0.value.program.probe == id }?.key
    }
}

/// Clocks that a test moves.
final class FakeTime: Sendable {
    private let nanoseconds = Mutex<UInt64>(0)
    static let start: Int64 = 1_700_000_000_000_000_000

    func pass(seconds: Double) { nanoseconds.withLock { $0 += UInt64(seconds * 1e9) } }

    var senses: RuntimeSenses {
        RuntimeSenses(
            monotonic: { self.nanoseconds.withLock { $0 } },
            unix: { Self.start + Int64(self.nanoseconds.withLock { $0 }) },
            threadName: { "thread-\($0)" })
    }
}

/// Images and programs of the tests below.
enum Sample {
    static func buildID(_ byte: UInt8) -> BuildID {
        guard let id = BuildID(bytes: [byte, 1, 2, 3]) else { fatalError("four bytes are enough") }
        return id
    }

    static func image(_ byte: UInt8, _ path: String, at start: UInt64 = 0x1000) -> RunningImage {
        RunningImage(
            buildID: buildID(byte), path: path, bias: start, start: RuntimeAddress(start),
            end: RuntimeAddress(start + 0x1000))
    }

    static func program(
        _ id: String, _ revision: UInt64 = 1, builds: [UInt8] = [1], seconds: Int64 = 1800,
        _ change: (inout ProbeProgram) -> Void = { _ in }
    ) -> ProbeProgram {
        var program = ProbeProgram(
            probe: id, revision: revision, tag: "t",
            limits: ProbeLimits(expiresUnixNanos: FakeTime.start + seconds * 1_000_000_000),
            file: "/src/Shop.swift", line: 7)
        program.images = builds.map { byte in
            var image = ImageProgram(buildID: buildID(byte))
            image.sites = [
                ProbeSite(
                    address: ImageAddress(0x100), entry: 0, function: "shop.Cart.pay()",
                    functionStart: ImageAddress(0xF0), functionEnd: ImageAddress(0x200))
            ]
            image.code = [
                Instruction(.accept), Instruction(.loadImmediate, d: 0, imm: 5),
                Instruction(.write64, a: 0), Instruction(.commit),
            ]
            image.shapes = [.signed(bits: 64)]
            image.template = [
                .text("paid "), .value(expression: "cart.total", shape: 0, format: nil),
            ]
            return image
        }
        change(&program)
        return program
    }

    static func wanted(_ program: ProbeProgram, enabled: Bool = true) -> ProbeState {
        var state = ProbeState()
        state.id = program.probe
        state.revision = program.revision
        state.enabled = enabled
        state.program = program.encode()
        return state
    }
}
