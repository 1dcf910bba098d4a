// SPDX-License-Identifier: Apache-2.0
// The control protocol: what the controller wants of an instance. Source: docs/protocol/control.proto.

/// What an agent should do.
package struct DesiredState: ProtobufMessage {
    /// Names this state; opaque.
    package var revision: String = ""
    /// The CPU sampler's settings; `nil`: as the agent's own configuration says.
    package var cpu: SamplerSettings?
    /// Images that the controller asks this agent to upload.
    package var wantedBuildIDs: [String] = []
    /// All probes of this instance; one that is not here is removed.
    package var probes: [ProbeState] = []

    /// An empty message.
    package init() {}

    package init(decoding bytes: ArraySlice<UInt8>) throws(ProtobufError) {
        var reader = ProtobufReader(bytes)
        while let field = try reader.nextField() {
            switch field.number {
            case 1: revision = try reader.string(field)
            case 2: cpu = try SamplerSettings(decoding: reader.slice(field))
            case 3: try reader.append(field, to: &wantedBuildIDs)
            case 4: try reader.append(field, to: &probes)
            default: try reader.skip(field)
            }
        }
    }

    package func write(to writer: inout ProtobufWriter) {
        writer.write(revision, field: 1)
        writer.write(cpu, field: 2)
        for element in wantedBuildIDs { writer.element(element, field: 3) }
        writer.write(probes, field: 4)
    }
}

/// What a sampler should do.
package struct SamplerSettings: ProtobufMessage {
    /// Whether it should take samples.
    package var enabled: Bool = false
    /// Samples per second of CPU time, 1...1000.
    package var hertz: Double = 0

    /// An empty message.
    package init() {}

    package init(decoding bytes: ArraySlice<UInt8>) throws(ProtobufError) {
        var reader = ProtobufReader(bytes)
        while let field = try reader.nextField() {
            switch field.number {
            case 1: enabled = try reader.bool(field)
            case 2: hertz = try reader.double(field)
            default: try reader.skip(field)
            }
        }
    }

    package func write(to writer: inout ProtobufWriter) {
        writer.write(enabled, field: 1)
        writer.write(hertz, field: 2)
    }
}
