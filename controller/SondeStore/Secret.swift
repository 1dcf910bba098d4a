// SPDX-License-Identifier: Apache-2.0
// Random secrets, their digests, and comparing digests without telling how far they agree.

internal import CGnuTLS

/// What tokens are made of.
///
/// Everything cryptographic comes from GnuTLS.
enum Secret {
    /// Random bytes that nobody can foresee.
    static func random(_ count: Int) throws(StoreError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        let status = bytes.withUnsafeMutableBytes {
            gnutls_rnd(GNUTLS_RND_KEY, $0.baseAddress, $0.count)
        }
        guard status == 0 else {
            throw StoreError(
                .inputOutput,
                "cannot make a secret: got error \(status) of GnuTLS; want random bytes")
        }
        return bytes
    }

    /// The SHA-256 of a text's bytes.
    static func digest(_ text: String) throws(StoreError) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: 32)
        let bytes = Array(text.utf8)
        let status = digest.withUnsafeMutableBytes { digest in
            bytes.withUnsafeBytes { bytes in
                // Safety: SHA-256 writes 32 bytes, which is the room there is.
                gnutls_hash_fast(
                    GNUTLS_DIG_SHA256, bytes.baseAddress, bytes.count, digest.baseAddress)
            }
        }
        guard status == 0 else {
            throw StoreError(
                .inputOutput, "cannot hash a secret: got error \(status) of GnuTLS; want SHA-256")
        }
        return digest
    }

    /// Whether two digests are the same, in a time that depends on their length only.
    static func areEqual(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        guard left.count == right.count, !left.isEmpty else { return false }
        return left.withUnsafeBytes { left in
            right.withUnsafeBytes { right in
                gnutls_memcmp(left.baseAddress, right.baseAddress, left.count) == 0
            }
        }
    }

    /// Lower-case hexadecimal digits.
    static func hex(_ bytes: [UInt8]) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(
            decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] },
            as: UTF8.self)
    }
}
