// SPDX-License-Identifier: Apache-2.0
// The kinds of JFR events that become profiles, and what each of them counts.

internal import SondeModel

/// A kind of profile that a recording can hold.
///
/// Each counts its events, as samples of time or beside a number of bytes or nanoseconds.
package enum JFREventKind: Int, CaseIterable, Sendable {
    case cpu, wall, allocationInTLAB, allocationOutsideTLAB, allocationSample, liveObject, malloc
    case monitorEnter, threadPark

    /// The kind of each event that is read.
    ///
    /// CPU samples can be wall clock samples too.
    static let byName: [String: JFREventKind] = [
        "jdk.ExecutionSample": .cpu,
        "profiler.WallClockSample": .wall,
        "jdk.ObjectAllocationInNewTLAB": .allocationInTLAB,
        "jdk.ObjectAllocationOutsideTLAB": .allocationOutsideTLAB,
        "jdk.ObjectAllocationSample": .allocationSample,
        "profiler.LiveObject": .liveObject,
        "profiler.Malloc": .malloc,
        "jdk.JavaMonitorEnter": .monitorEnter,
        "jdk.ThreadPark": .threadPark,
    ]

    private typealias Shape = (
        name: String, values: [(type: String, unit: String)], period: (type: String, unit: String)
    )

    private var shape: Shape {
        func bytes(_ prefix: String) -> Shape {
            (
                "memory", [(prefix + "_objects", "count"), (prefix + "_bytes", "bytes")],
                ("space", "bytes")
            )
        }
        func delay(_ name: String) -> Shape {
            (name, [("contentions", "count"), ("delay", "nanoseconds")], (name, "count"))
        }
        return switch self {
        case .cpu: ("process_cpu", [("cpu", "nanoseconds")], ("cpu", "nanoseconds"))
        case .wall: ("wall", [("wall", "nanoseconds")], ("wall", "nanoseconds"))
        case .allocationInTLAB: bytes("alloc_in_new_tlab")
        case .allocationOutsideTLAB: bytes("alloc_outside_tlab")
        case .allocationSample: bytes("alloc_sample")
        case .liveObject: ("memory", [("live", "count")], ("objects", "count"))
        case .malloc: bytes("malloc")
        case .monitorEnter: delay("mutex")
        case .threadPark: delay("block")
        }
    }

    /// The profile types of this kind: what the events' first value is, and the second if any.
    var types: [ProfileType] {
        let shape = shape
        return shape.values.map { value in
            ProfileType(
                name: shape.name, sampleType: value.type, sampleUnit: value.unit,
                periodType: shape.period.type, periodUnit: shape.period.unit)
        }
    }

    /// Whether the values are time that samples stand for.
    var isSampledTime: Bool { self == .cpu || self == .wall }
}

/// One event, its references to constants not yet followed.
struct JFREvent {
    var stack: Int64
    /// The state of the thread, such as `STATE_RUNNABLE`; empty when unknown.
    var state: String
    /// How many samples it stands for.
    var samples: Int64
    /// Bytes or nanoseconds, by kind.
    var tlabSize: Int64
    var allocationSize: Int64
    var weight: Int64
    var size: Int64
    var nanoseconds: Int64
    var context: JFRContext

    static let fields = [
        "stackTrace", "state", "samples", "tlabSize", "allocationSize", "weight", "size",
        "duration", "contextId", "spanId", "spanName",
    ]

    /// An event from the record of ``fields``.
    init(_ record: JFRRecord, _ header: JFRChunkHeader, state: String) {
        let numbers = record.numbers
        stack = numbers[0]
        self.state = state
        samples = max(1, numbers[2])
        tlabSize = numbers[3]
        allocationSize = numbers[4]
        weight = numbers[5]
        size = numbers[6]
        nanoseconds = header.nanoseconds(ticks: numbers[7])
        context = JFRContext(
            contextID: numbers[8], spanID: UInt64(bitPattern: numbers[9]), spanNameID: numbers[10])
    }

    /// The second value of an event of a kind; `nil` where there is none.
    func amount(_ kind: JFREventKind) -> Int64? {
        switch kind {
        case .cpu, .wall, .liveObject: nil
        case .allocationInTLAB: tlabSize
        case .allocationOutsideTLAB: allocationSize
        case .allocationSample: weight
        case .malloc: size
        case .monitorEnter, .threadPark: nanoseconds
        }
    }
}
