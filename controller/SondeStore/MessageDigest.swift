// SPDX-License-Identifier: Apache-2.0
// Digests that protocols and debug info ask for, and by which content is told apart.

internal import CGnuTLS

/// Digests of bytes; `nil` when GnuTLS may not make one.
package enum MessageDigest {
    /// The SHA-1 of bytes, for WebSocket's handshake only; it protects nothing.
    package static func sha1(_ bytes: [UInt8]) -> [UInt8]? {
        digest(bytes, GNUTLS_DIG_SHA1, count: 20)
    }

    /// The MD5 of bytes, by which DWARF 5 names the text of a source file; it protects nothing.
    package static func md5(_ bytes: [UInt8]) -> [UInt8]? {
        digest(bytes, GNUTLS_DIG_MD5, count: 16)
    }

    /// The SHA-256 of bytes, by which stored content is told apart.
    static func sha256(_ bytes: [UInt8]) -> [UInt8]? {
        digest(bytes, GNUTLS_DIG_SHA256, count: 32)
    }

    private static func digest(
        _ bytes: [UInt8], _ algorithm: gnutls_digest_algorithm_t, count: Int
    ) -> [UInt8]? {
        var digest = [UInt8](repeating: 0, count: count)
        let status = digest.withUnsafeMutableBytes { digest in
            bytes.withUnsafeBytes { bytes in
                // Safety: the algorithm writes `count` bytes, which is the room there is.
                gnutls_hash_fast(algorithm, bytes.baseAddress, bytes.count, digest.baseAddress)
            }
        }
        return status == 0 ? digest : nil
    }
}
