// SPDX-License-Identifier: Apache-2.0
// The keys of a configuration file that say where source text is.

internal import SondeAPI

extension ConfigurationKey {
    /// Keys below `source`.
    static let sourceKeys: [ConfigurationKey] = [
        bytes("source.bundle_bytes", \.sourceBundleBytes),
        bytes("limits.source_bytes", \.limits.sourceBytes),
        ConfigurationKey(name: "source.roots", want: "a list of folders") { value, configuration in
            guard let list = value.list, !list.contains("") else { return false }
            configuration.sourceRoots = list
            return true
        },
        ConfigurationKey(
            name: "source.link", want: "an address such as https://forge.example.com/{path}#L{line}"
        ) { value, configuration in
            guard let text = value.text, SourceSettings.isTemplate(text) else { return false }
            configuration.sourceLink = text
            return true
        },
        ConfigurationKey(name: "source.prefixes", want: "a list of beginnings of paths") {
            value, configuration in
            guard let list = value.list, !list.contains("") else { return false }
            configuration.sourcePrefixes = list
            return true
        },
    ]
}
