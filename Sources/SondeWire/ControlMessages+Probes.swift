// SPDX-License-Identifier: Apache-2.0
// The control protocol: probes that are wanted and how they are. Source: docs/protocol/control.proto.

/// A probe that an agent should have.
package struct ProbeState: ProtobufMessage {
    /// The probe's id, given by the controller.
    package var id: String = ""
    /// Grows when the program, the limits or ``enabled`` change.
    package var revision: UInt64 = 0
    /// Whether it should be in the service's code.
    package var enabled: Bool = false
    /// The encoded program.
    package var program: [UInt8] = []

    /// An empty message.
    package init() {}

    package init(decoding bytes: ArraySlice<UInt8>) throws(ProtobufError) {
        var reader = ProtobufReader(bytes)
        while let field = try reader.nextField() {
            switch field.number {
            case 1: id = try reader.string(field)
            case 2: revision = try reader.unsigned(field)
            case 3: enabled = try reader.bool(field)
            case 4: program = Array(try reader.slice(field))
            default: try reader.skip(field)
            }
        }
    }

    package func write(to writer: inout ProtobufWriter) {
        writer.write(id, field: 1)
        writer.write(revision, field: 2)
        writer.write(enabled, field: 3)
        writer.write(program, field: 4)
    }
}

/// How one probe is in a process; counters count from the agent's start, over all revisions.
package struct ProbeReport: ProtobufMessage {
    /// The probe's id.
    package var id: String = ""
    /// The revision that this is about.
    package var revision: UInt64 = 0
    /// One of ``ProbePhase``'s names; a later version may have more.
    package var state: String = ""
    /// Why it is in that state, in words; may be empty.
    package var reason: String = ""
    /// Places that are patched by a jump.
    package var jumpSites: UInt64 = 0
    /// Places that are patched by a trap.
    package var trapSites: UInt64 = 0
    /// How often a patched place was reached.
    package var hits: UInt64 = 0
    /// Lines that were handed to delivery.
    package var lines: UInt64 = 0
    /// How often the condition was false.
    package var conditionFalse: UInt64 = 0
    /// How often the condition could not be evaluated, so that the probe did not fire.
    package var conditionErrors: UInt64 = 0
    /// Hits whose line was lost, by reason.
    package var dropped: [Counter] = []
    /// CPU time that the hits cost the service's threads.
    package var ownCPUNanos: UInt64 = 0
    /// The number of the last line; lines count from 1, and a lost one leaves a gap.
    package var lastSequence: UInt64 = 0

    /// An empty message.
    package init() {}

    package init(decoding bytes: ArraySlice<UInt8>) throws(ProtobufError) {
        var reader = ProtobufReader(bytes)
        while let field = try reader.nextField() {
            switch field.number {
            case 1: id = try reader.string(field)
            case 2: revision = try reader.unsigned(field)
            case 3: state = try reader.string(field)
            case 4: reason = try reader.string(field)
            case 5: jumpSites = try reader.unsigned(field)
            case 6: trapSites = try reader.unsigned(field)
            case 7: hits = try reader.unsigned(field)
            case 8: lines = try reader.unsigned(field)
            case 9: conditionFalse = try reader.unsigned(field)
            case 10: conditionErrors = try reader.unsigned(field)
            case 11: try reader.append(field, to: &dropped)
            case 12: ownCPUNanos = try reader.unsigned(field)
            case 13: lastSequence = try reader.unsigned(field)
            default: try reader.skip(field)
            }
        }
    }

    package func write(to writer: inout ProtobufWriter) {
        writer.write(id, field: 1)
        writer.write(revision, field: 2)
        writer.write(state, field: 3)
        writer.write(reason, field: 4)
        writer.write(jumpSites, field: 5)
        writer.write(trapSites, field: 6)
        writer.write(hits, field: 7)
        writer.write(lines, field: 8)
        writer.write(conditionFalse, field: 9)
        writer.write(conditionErrors, field: 10)
        writer.write(dropped, field: 11)
        writer.write(ownCPUNanos, field: 12)
        writer.write(lastSequence, field: 13)
    }
}

/// What a probe is doing in a process.
package enum ProbePhase: String, Hashable, Sendable, CaseIterable {
    /// No image of its build ids is loaded; it is installed when one is.
    case pending
    /// It is in the service's code.
    case installed
    /// It could not be installed; the reason says why.
    case failed
    /// The service died at its install, or just after; it waits until somebody enables it again.
    case held
    /// Its time or its number of hits is over.
    case expired
    /// It broke a limit and was taken out.
    case tripped
    /// The desired state says that it rests.
    case disabled
}
