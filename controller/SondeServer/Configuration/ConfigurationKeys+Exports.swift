// SPDX-License-Identifier: Apache-2.0
// The keys of a configuration file that say where data is forwarded to.

internal import SondeExport

extension ConfigurationKey {
    /// Keys below `export`; any of a server but `spool_bytes` makes settings, which need a `url`.
    static let exportKeys: [ConfigurationKey] =
        target("loki", "https://loki.example.com") { configuration, change in
            var settings = configuration.lokiExport ?? LokiExportSettings(url: "")
            change(&settings.target)
            configuration.lokiExport = settings
        }
        + [
            ConfigurationKey(name: "export.loki.format", want: "protobuf or json") {
                value, configuration in
                guard let format = value.text.flatMap({ LokiExportSettings.Format(rawValue: $0) })
                else { return false }
                configuration.lokiExport = configuration.lokiExport ?? LokiExportSettings(url: "")
                configuration.lokiExport?.format = format
                return true
            },
            bytes("export.loki.spool_bytes", \.lokiSpoolBytes),
        ]
        + target("pyroscope", "https://pyroscope.example.com") { configuration, change in
            var target = configuration.pyroscopeExport ?? ExportTarget(url: "")
            change(&target)
            configuration.pyroscopeExport = target
        }
        + [bytes("export.pyroscope.spool_bytes", \.pyroscopeSpoolBytes)]

    private typealias Change = (inout ExportTarget) -> Void

    /// The keys that every server has.
    private static func target(
        _ server: String, _ example: String,
        _ apply: @escaping @Sendable (inout ServerConfiguration, Change) -> Void
    ) -> [Self] {
        func key(
            _ name: String, _ want: String,
            _ set: @escaping @Sendable (String, inout ExportTarget) -> Void
        ) -> Self {
            ConfigurationKey(name: "export.\(server).\(name)", want: want) {
                value, configuration in
                guard let text = value.text, !text.isEmpty else { return false }
                apply(&configuration) { set(text, &$0) }
                return true
            }
        }
        return [
            key("url", "an address such as \(example)") { $1.url = $0 },
            key("tenant", "a tenant's name") { $1.tenant = $0 },
            key("token", "a bearer token") { $1.token = $0 },
            key("username", "a name") { $1.username = $0 },
            key("password", "a password") { $1.password = $0 },
            key("ca_file", "a PEM file") { $1.certificateAuthorityFile = $0 },
            ConfigurationKey(name: "export.\(server).timeout_seconds", want: "1...600") {
                value, configuration in
                guard let seconds = value.integer(in: 1...600) else { return false }
                apply(&configuration) { $0.timeoutSeconds = Double(seconds) }
                return true
            },
        ]
    }
}
