// SPDX-License-Identifier: Apache-2.0
// Reads the certificate and its key, and says clearly what is wrong with them.

internal import Foundation

/// A certificate chain and its key, both PEM.
enum TLSFiles {
    /// The two files' bytes; `nil` when the configuration names none.
    ///
    /// - Throws: ``ServerError`` when only one is named, or one cannot be read or holds something
    ///   else.
    static func read(
        _ configuration: ServerConfiguration
    ) throws(ServerError) -> (certificate: [UInt8], key: [UInt8])? {
        switch (configuration.tlsCertificate, configuration.tlsKey) {
        case (nil, nil): return nil
        case (let certificate?, let key?):
            return (
                try pem(certificate, "certificate", marker: "-----BEGIN CERTIFICATE-----"),
                try pem(key, "key", marker: "PRIVATE KEY-----")
            )
        default:
            throw ServerError(
                .badConfiguration,
                "cannot use TLS: got only one of certificate and key; want both")
        }
    }

    private static func pem(
        _ path: String, _ what: String, marker: String
    ) throws(ServerError) -> [UInt8] {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw ServerError(
                .badCertificate, "cannot read the TLS \(what) \(path): want a file that can be read"
            )
        }
        guard String(decoding: data, as: UTF8.self).contains(marker) else {
            throw ServerError(
                .badCertificate,
                "cannot use the TLS \(what) \(path): got no \"\(marker)\"; want a PEM file")
        }
        return Array(data)
    }
}
