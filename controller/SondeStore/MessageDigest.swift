// SPDX-License-Identifier: Apache-2.0
// The digest that the WebSocket handshake asks for.

internal import CGnuTLS

/// Digests that protocols ask for and that protect nothing.
package enum MessageDigest {
    /// The SHA-1 of bytes, for WebSocket's handshake only; `nil` when GnuTLS may not make it.
    package static func sha1(_ bytes: [UInt8]) -> [UInt8]? {
        var digest = [UInt8](repeating: 0, count: 20)
        let status = digest.withUnsafeMutableBytes { digest in
            bytes.withUnsafeBytes { bytes in
                // Safety: SHA-1 writes 20 bytes, which is the room there is.
                gnutls_hash_fast(
                    GNUTLS_DIG_SHA1, bytes.baseAddress, bytes.count, digest.baseAddress)
            }
        }
        return status == 0 ? digest : nil
    }
}
