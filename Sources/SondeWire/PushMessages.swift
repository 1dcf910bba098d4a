// SPDX-License-Identifier: Apache-2.0
// The push protocol, as Pyroscope defines it: profiles on their way to a controller.
// Source: grafana/pyroscope, api/push/v1/push.proto.

package import SondeModel

/// Profiles of some series.
package struct PushRequest: ProtobufMessage {
    /// The series.
    package var series: [RawProfileSeries] = []

    /// An empty message.
    package init() {}

    package init(decoding bytes: ArraySlice<UInt8>) throws(ProtobufError) {
        var reader = ProtobufReader(bytes)
        while let field = try reader.nextField() {
            switch field.number {
            case 1: try reader.append(field, to: &series)
            default: try reader.skip(field)
            }
        }
    }

    package func write(to writer: inout ProtobufWriter) {
        writer.write(series, field: 1)
    }
}

/// Profiles that share their labels.
package struct RawProfileSeries: ProtobufMessage {
    /// The labels, `__name__` and `service_name` among them.
    package var labels: [LabelPair] = []
    /// The profiles.
    package var samples: [RawSample] = []

    /// An empty message.
    package init() {}

    package init(decoding bytes: ArraySlice<UInt8>) throws(ProtobufError) {
        var reader = ProtobufReader(bytes)
        while let field = try reader.nextField() {
            switch field.number {
            case 1: try reader.append(field, to: &labels)
            case 2: try reader.append(field, to: &samples)
            default: try reader.skip(field)
            }
        }
    }

    package func write(to writer: inout ProtobufWriter) {
        writer.write(labels, field: 1)
        writer.write(samples, field: 2)
    }
}

/// One profile.
package struct RawSample: ProtobufMessage {
    /// A pprof document, gzipped or plain.
    package var rawProfile: [UInt8] = []
    /// A UUID that the sender chose; may be empty.
    package var id: String = ""

    /// An empty message.
    package init() {}

    package init(decoding bytes: ArraySlice<UInt8>) throws(ProtobufError) {
        var reader = ProtobufReader(bytes)
        while let field = try reader.nextField() {
            switch field.number {
            case 1: rawProfile = Array(try reader.slice(field))
            case 2: id = try reader.string(field)
            default: try reader.skip(field)
            }
        }
    }

    package func write(to writer: inout ProtobufWriter) {
        writer.write(rawProfile, field: 1)
        writer.write(id, field: 2)
    }
}

/// One label on the wire: the same two fields in the push and in the control protocol.
package typealias LabelPair = Label

extension Label: ProtobufMessage {
    package init(decoding bytes: ArraySlice<UInt8>) throws(ProtobufError) {
        self.init(name: "", value: "")
        var reader = ProtobufReader(bytes)
        while let field = try reader.nextField() {
            switch field.number {
            case 1: name = try reader.string(field)
            case 2: value = try reader.string(field)
            default: try reader.skip(field)
            }
        }
    }

    package func write(to writer: inout ProtobufWriter) {
        writer.write(name, field: 1)
        writer.write(value, field: 2)
    }
}
