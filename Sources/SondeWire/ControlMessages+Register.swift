// SPDX-License-Identifier: Apache-2.0
// The control protocol: how an instance makes itself known. Source: docs/protocol/control.proto.

package import SondeModel

/// An image that an instance has loaded.
package struct Module: ProtobufMessage {
    /// Where the image was loaded from.
    package var path: String = ""
    /// Its build id in lower-case hexadecimal digits; empty when it has none.
    package var buildID: String = ""
    /// The runtime address of its lowest segment.
    package var loadStart: UInt64 = 0
    /// The runtime address after its highest segment.
    package var loadEnd: UInt64 = 0

    /// An empty message.
    package init() {}

    package init(decoding bytes: ArraySlice<UInt8>) throws(ProtobufError) {
        var reader = ProtobufReader(bytes)
        while let field = try reader.nextField() {
            switch field.number {
            case 1: path = try reader.string(field)
            case 2: buildID = try reader.string(field)
            case 3: loadStart = try reader.unsigned(field)
            case 4: loadEnd = try reader.unsigned(field)
            default: try reader.skip(field)
            }
        }
    }

    package func write(to writer: inout ProtobufWriter) {
        writer.write(path, field: 1)
        writer.write(buildID, field: 2)
        writer.write(loadStart, field: 3)
        writer.write(loadEnd, field: 4)
    }
}

/// Makes an instance known to the controller.
package struct RegisterRequest: ProtobufMessage {
    /// The service's name.
    package var service: String = ""
    /// The service's own version; may be empty.
    package var version: String = ""
    /// Unique for each start of a process.
    package var instance: String = ""
    /// The host's name.
    package var host: String = ""
    /// The process's number on that host.
    package var pid: UInt64 = 0
    /// Static labels.
    package var labels: [Label] = []
    /// The images that are loaded.
    package var modules: [Module] = []
    /// The agent's version.
    package var agentVersion: String = ""
    /// When the agent started, in nanoseconds since the Unix epoch.
    package var startedUnixNanos: UInt64 = 0
    /// What is on, what is off, and why, in words.
    package var notes: [String] = []

    /// An empty message.
    package init() {}

    package init(decoding bytes: ArraySlice<UInt8>) throws(ProtobufError) {
        var reader = ProtobufReader(bytes)
        while let field = try reader.nextField() {
            switch field.number {
            case 1: service = try reader.string(field)
            case 2: version = try reader.string(field)
            case 3: instance = try reader.string(field)
            case 4: host = try reader.string(field)
            case 5: pid = try reader.unsigned(field)
            case 6: try reader.append(field, to: &labels)
            case 7: try reader.append(field, to: &modules)
            case 8: agentVersion = try reader.string(field)
            case 9: startedUnixNanos = try reader.unsigned(field)
            case 10: try reader.append(field, to: &notes)
            default: try reader.skip(field)
            }
        }
    }

    package func write(to writer: inout ProtobufWriter) {
        writer.write(service, field: 1)
        writer.write(version, field: 2)
        writer.write(instance, field: 3)
        writer.write(host, field: 4)
        writer.write(pid, field: 5)
        writer.write(labels, field: 6)
        writer.write(modules, field: 7)
        writer.write(agentVersion, field: 8)
        writer.write(startedUnixNanos, field: 9)
        for element in notes { writer.element(element, field: 10) }
    }
}

/// The answer to a ``RegisterRequest``.
package struct RegisterResponse: ProtobufMessage {
    /// How many milliseconds a poll should ask to wait.
    package var pollWaitMs: UInt64 = 0

    /// An empty message.
    package init() {}

    package init(decoding bytes: ArraySlice<UInt8>) throws(ProtobufError) {
        var reader = ProtobufReader(bytes)
        while let field = try reader.nextField() {
            switch field.number {
            case 1: pollWaitMs = try reader.unsigned(field)
            default: try reader.skip(field)
            }
        }
    }

    package func write(to writer: inout ProtobufWriter) {
        writer.write(pollWaitMs, field: 1)
    }
}
