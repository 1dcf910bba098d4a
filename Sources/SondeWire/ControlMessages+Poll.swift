// SPDX-License-Identifier: Apache-2.0
// The control protocol: what an instance reports when it polls. Source: docs/protocol/control.proto.

/// Reports how the agent is and asks what it should do.
package struct PollRequest: ProtobufMessage {
    /// The instance, as it registered.
    package var instance: String = ""
    /// The revision of the last ``DesiredState`` seen, or empty.
    package var revision: String = ""
    /// How many milliseconds the controller may wait for a change.
    package var waitMs: UInt64 = 0
    /// How the agent is.
    package var report: AgentReport?

    /// An empty message.
    package init() {}

    package init(decoding bytes: ArraySlice<UInt8>) throws(ProtobufError) {
        var reader = ProtobufReader(bytes)
        while let field = try reader.nextField() {
            switch field.number {
            case 1: instance = try reader.string(field)
            case 2: revision = try reader.string(field)
            case 3: waitMs = try reader.unsigned(field)
            case 4: report = try AgentReport(decoding: reader.slice(field))
            default: try reader.skip(field)
            }
        }
    }

    package func write(to writer: inout ProtobufWriter) {
        writer.write(instance, field: 1)
        writer.write(revision, field: 2)
        writer.write(waitMs, field: 3)
        writer.write(report, field: 4)
    }
}

/// How an agent is.
package struct AgentReport: ProtobufMessage {
    /// The CPU sampler.
    package var cpu: SamplerState?
    /// CPU time that the agent used since its start, its signal handler's included.
    package var ownCPUNanos: UInt64 = 0
    /// CPU time of the whole process since the agent's start.
    package var processCPUNanos: UInt64 = 0
    /// Memory that the agent holds.
    package var ownMemoryBytes: UInt64 = 0
    /// What was lost since the agent's start, by reason.
    package var losses: [Counter] = []
    /// What is wrong now, in words.
    package var problems: [String] = []
    /// Profiles that were accepted since the agent's start.
    package var profilesSent: UInt64 = 0
    /// Threads that are sampled.
    package var threads: UInt64 = 0
    /// Each probe of the last desired state.
    package var probes: [ProbeReport] = []

    /// An empty message.
    package init() {}

    package init(decoding bytes: ArraySlice<UInt8>) throws(ProtobufError) {
        var reader = ProtobufReader(bytes)
        while let field = try reader.nextField() {
            switch field.number {
            case 1: cpu = try SamplerState(decoding: reader.slice(field))
            case 2: ownCPUNanos = try reader.unsigned(field)
            case 3: processCPUNanos = try reader.unsigned(field)
            case 4: ownMemoryBytes = try reader.unsigned(field)
            case 5: try reader.append(field, to: &losses)
            case 6: try reader.append(field, to: &problems)
            case 7: profilesSent = try reader.unsigned(field)
            case 8: threads = try reader.unsigned(field)
            case 9: try reader.append(field, to: &probes)
            default: try reader.skip(field)
            }
        }
    }

    package func write(to writer: inout ProtobufWriter) {
        writer.write(cpu, field: 1)
        writer.write(ownCPUNanos, field: 2)
        writer.write(processCPUNanos, field: 3)
        writer.write(ownMemoryBytes, field: 4)
        writer.write(losses, field: 5)
        for element in problems { writer.element(element, field: 6) }
        writer.write(profilesSent, field: 7)
        writer.write(threads, field: 8)
        writer.write(probes, field: 9)
    }
}

/// What a sampler does.
package struct SamplerState: ProtobufMessage {
    /// Whether it takes samples.
    package var enabled: Bool = false
    /// Samples per second of CPU time.
    package var hertz: Double = 0
    /// Samples taken since the agent's start.
    package var samples: UInt64 = 0

    /// An empty message.
    package init() {}

    package init(decoding bytes: ArraySlice<UInt8>) throws(ProtobufError) {
        var reader = ProtobufReader(bytes)
        while let field = try reader.nextField() {
            switch field.number {
            case 1: enabled = try reader.bool(field)
            case 2: hertz = try reader.double(field)
            case 3: samples = try reader.unsigned(field)
            default: try reader.skip(field)
            }
        }
    }

    package func write(to writer: inout ProtobufWriter) {
        writer.write(enabled, field: 1)
        writer.write(hertz, field: 2)
        writer.write(samples, field: 3)
    }
}

/// How often something happened.
package struct Counter: ProtobufMessage {
    /// What happened.
    package var reason: String = ""
    /// How often.
    package var count: UInt64 = 0

    /// An empty message.
    package init() {}

    package init(decoding bytes: ArraySlice<UInt8>) throws(ProtobufError) {
        var reader = ProtobufReader(bytes)
        while let field = try reader.nextField() {
            switch field.number {
            case 1: reason = try reader.string(field)
            case 2: count = try reader.unsigned(field)
            default: try reader.skip(field)
            }
        }
    }

    package func write(to writer: inout ProtobufWriter) {
        writer.write(reason, field: 1)
        writer.write(count, field: 2)
    }
}
