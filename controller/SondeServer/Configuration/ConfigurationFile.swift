// SPDX-License-Identifier: Apache-2.0
// Reads a configuration file in YAML: two levels of keys, each known, each with its line in errors.

internal import CYAML
internal import Foundation
internal import SondeModel

/// Reads configuration files.
package enum ConfigurationFile {
    /// Sets what a file says.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - configuration: What is set; keys that the file does not have stay as they are.
    /// - Throws: ``ServerError`` that names the file, the line and what is wrong there.
    package static func read(
        _ path: String, into configuration: inout ServerConfiguration
    ) throws(ServerError) {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw ServerError(
                .badConfiguration,
                "cannot read the configuration \(path): want a file that can be read")
        }
        try apply(Array(data), from: path, to: &configuration)
    }

    /// Sets what a text says; `name` stands for it in errors.
    static func apply(
        _ bytes: [UInt8], from name: String, to configuration: inout ServerConfiguration
    ) throws(ServerError) {
        let entries: [YAMLEntry]
        do throws(YAMLError) {
            entries = try YAMLEntries.parse(bytes)
        } catch {
            throw ServerError(
                .badConfiguration,
                "cannot read the configuration \(name), line \(error.line): \(error.message)")
        }
        var lines: [String: Int] = [:]
        for entry in entries {
            if let first = lines.updateValue(entry.line, forKey: entry.key) {
                throw ServerError(
                    .badConfiguration,
                    "cannot read the configuration \(name), line \(entry.line): got the key \"\(entry.key)\" again, first in line \(first); want it once"
                )
            }
            guard
                let key = ConfigurationKey.all.first(where: { $0.name == entry.key })
                    ?? ConfigurationKey.ofTenant(entry.key)
            else {
                throw unknown(entry, in: name)
            }
            guard key.take(entry.value, &configuration) else {
                throw ServerError(
                    .badConfiguration,
                    "cannot read the configuration \(name), line \(entry.line): got \(entry.key): \(entry.value); want \(key.want)"
                )
            }
        }
    }

    private static func unknown(_ entry: YAMLEntry, in name: String) -> ServerError {
        let names = ConfigurationKey.all.map(\.name)
        let nearest =
            names.first { $0.hasPrefix(entry.key) || $0.hasSuffix("." + entry.key) }
            ?? names.filter {
                EditDistance.between($0, entry.key) <= max(2, entry.key.utf8.count / 3)
            }
            .min { EditDistance.between($0, entry.key) < EditDistance.between($1, entry.key) }
        let want = nearest.map { "\"\($0)\"?" } ?? "one of \(names.joined(separator: ", "))"
        return ServerError(
            .badConfiguration,
            "cannot read the configuration \(name), line \(entry.line): got the unknown key \"\(entry.key.prefix(100))\"; want \(want)"
        )
    }
}
