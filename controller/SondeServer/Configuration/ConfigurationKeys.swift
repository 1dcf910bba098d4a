// SPDX-License-Identifier: Apache-2.0
// The keys of a configuration file: name, meaning, and where the value goes.

internal import SondeAPI

/// One key of a configuration file.
struct ConfigurationKey: Sendable {
    /// The key, with dots between the levels: `tls.certificate`.
    var name: String
    /// What its values look like, for errors: `a number of days, 1...36500`.
    var want: String
    /// Takes a value; `false` when it is none of those that are wanted.
    var take: @Sendable (YAMLValue, inout ServerConfiguration) -> Bool

    /// All keys.
    static let all: [ConfigurationKey] =
        ownKeys + retentionKeys + tenantKeys + exportKeys + sourceKeys

    private static let ownKeys: [ConfigurationKey] = [
        text("listen", "an address such as 127.0.0.1:4040", \.listen),
        text("data", "a folder", \.dataFolder),
        optionalText("tls.certificate", "a PEM file", \.tlsCertificate),
        optionalText("tls.key", "a PEM file", \.tlsKey),
        ConfigurationKey(name: "insecure", want: "true or false") { value, configuration in
            guard let flag = value.flag else { return false }
            configuration.isInsecure = flag
            return true
        },
        ConfigurationKey(name: "require_token", want: "true, false or auto") {
            value, configuration in
            guard value.text != "auto" else { return true }
            guard let flag = value.flag else { return false }
            configuration.requiresToken = flag
            return true
        },
        ConfigurationKey(name: "allowed_hosts", want: "a list of names") { value, configuration in
            guard let list = value.list else { return false }
            configuration.allowedHosts = Set(list.map { $0.lowercased() })
            return true
        },
        days("retention_days", \.retentionDays),
        days("logs.retention_days", \.logRetentionDays),
        ConfigurationKey(name: "log_level", want: "debug, info, warn or error") {
            value, configuration in
            guard let level = value.text.flatMap({ Log.Level(rawValue: $0) }) else { return false }
            configuration.logLevel = level
            return true
        },
        ConfigurationKey(name: "limits.image_bytes", want: "bytes, such as 2GiB") {
            value, configuration in
            guard let bytes = value.bytes else { return false }
            configuration.limits.imageBytes = Int64(bytes)
            return true
        },
        bytes("limits.log_bytes_per_second", \.limits.logBytesPerSecond),
        integer("limits.log_labels", 1...1000, \.limits.logLabels),
        integer("limits.log_streams", 1...1_000_000, \.limits.logStreams),
        bytes("limits.log_line_bytes", \.limits.logLineBytes),
        integer("limits.log_metadata", 1...1000, \.limits.logMetadata),
        bytes("limits.log_metadata_bytes", \.limits.logMetadataBytes),
        integer("limits.log_answer_lines", 1...1_000_000, \.limits.logAnswerLines),
        integer("limits.log_query_seconds", 1...3600, \.limits.logQuerySeconds),
        integer("limits.log_tails", 0...10_000, \.limits.logTails),
        integer("limits.connections", 16...1_000_000, \.maximumConnections),
        bytes("limits.head_bytes", \.maximumHeadBytes),
        integer("timeouts.head_seconds", 1...3600, \.headSeconds),
        integer("timeouts.transfer_seconds", 1...3600, \.transferSeconds),
        integer("timeouts.stop_seconds", 0...600, \.stopSeconds),
        integer("worker_threads", 1...256, \.workerThreads),
    ]

    typealias Path<Value> = WritableKeyPath<ServerConfiguration, Value> & Sendable

    private static func text(_ name: String, _ want: String, _ path: Path<String>) -> Self {
        ConfigurationKey(name: name, want: want) { value, configuration in
            guard let text = value.text, !text.isEmpty else { return false }
            configuration[keyPath: path] = text
            return true
        }
    }

    private static func optionalText(_ name: String, _ want: String, _ path: Path<String?>) -> Self
    {
        ConfigurationKey(name: name, want: want) { value, configuration in
            guard let text = value.text, !text.isEmpty else { return false }
            configuration[keyPath: path] = text
            return true
        }
    }

    private static func days(_ name: String, _ path: Path<Int?>) -> Self {
        ConfigurationKey(name: name, want: "1...36500 or forever") { value, configuration in
            guard value.text != "forever" else {
                configuration[keyPath: path] = nil
                return true
            }
            guard let days = value.integer(in: 1...36_500) else { return false }
            configuration[keyPath: path] = days
            return true
        }
    }

    private static func integer(
        _ name: String, _ range: ClosedRange<Int>, _ path: Path<Int>
    ) -> Self {
        ConfigurationKey(name: name, want: "\(range.lowerBound)...\(range.upperBound)") {
            value, configuration in
            guard let number = value.integer(in: range) else { return false }
            configuration[keyPath: path] = number
            return true
        }
    }

    static func bytes(_ name: String, _ path: Path<Int>) -> Self {
        ConfigurationKey(name: name, want: "bytes, such as 67108864 or 64MiB") {
            value, configuration in
            guard let bytes = value.bytes else { return false }
            configuration[keyPath: path] = bytes
            return true
        }
    }
}
