// SPDX-License-Identifier: Apache-2.0
// Snappy's block format over libsnappy, with a limit on what may come out.

internal import CSnappy

/// Compresses and expands snappy blocks, the form without framing that Loki and Prometheus push.
///
/// A module of its own, so that the agent, which never imports it, does not link libsnappy.
package enum Snappy {
    /// One block that holds `bytes`.
    ///
    /// - Parameter bytes: What to compress.
    /// - Returns: The block.
    /// - Throws: ``SnappyError/tooLarge(limit:)`` when there are more than a block can hold.
    package static func compress(_ bytes: [UInt8]) throws(SnappyError) -> [UInt8] {
        // A block says its length in 32 bits.
        guard bytes.count <= Int(UInt32.max) else { throw .tooLarge(limit: Int(UInt32.max)) }
        let room = snappy_max_compressed_length(bytes.count)
        var status = SNAPPY_OK
        let block = [UInt8](unsafeUninitializedCapacity: room) { output, count in
            var length = output.count
            bytes.withUnsafeBytes { input in
                // Safety: the room is what the library asks for, and both buffers outlive the call.
                status = snappy_compress(
                    input.baseAddress?.assumingMemoryBound(to: CChar.self) ?? noBytes, input.count,
                    UnsafeMutableRawPointer(output.baseAddress)?.assumingMemoryBound(
                        to: CChar.self), &length)
            }
            count = status == SNAPPY_OK ? length : 0
        }
        guard status == SNAPPY_OK else { throw .malformed(size: bytes.count) }
        return block
    }

    /// What a block holds.
    ///
    /// - Parameters:
    ///   - block: The block, from untrusted hands.
    ///   - limit: The most bytes that may come out; a block that says more is refused before any
    ///     memory is taken.
    /// - Returns: The contents.
    /// - Throws: ``SnappyError``.
    package static func expand(_ block: [UInt8], limit: Int) throws(SnappyError) -> [UInt8] {
        var size = 0
        var status = block.withUnsafeBytes { input in
            // Safety: the library reads at most `count` bytes.
            snappy_uncompressed_length(
                input.baseAddress?.assumingMemoryBound(to: CChar.self) ?? noBytes, input.count,
                &size)
        }
        guard status == SNAPPY_OK else { throw .malformed(size: block.count) }
        guard size <= limit else { throw .tooLarge(limit: limit) }
        let bytes = [UInt8](unsafeUninitializedCapacity: size) { output, count in
            var length = output.count
            block.withUnsafeBytes { input in
                // Safety: the room is as large as the block says; the library checks against it.
                status = snappy_uncompress(
                    input.baseAddress?.assumingMemoryBound(to: CChar.self) ?? noBytes, input.count,
                    UnsafeMutableRawPointer(output.baseAddress)?.assumingMemoryBound(
                        to: CChar.self) ?? UnsafeMutablePointer(mutating: noBytes), &length)
            }
            count = status == SNAPPY_OK ? length : 0
        }
        guard status == SNAPPY_OK, bytes.count == size else { throw .malformed(size: block.count) }
        return bytes
    }

    /// An address that is not null, for the library's sake, with nothing to read or write behind.
    ///
    /// Safety: only ever passed with a length of zero; allocated once and never freed.
    private nonisolated(unsafe) static let noBytes = UnsafePointer<CChar>(
        UnsafeMutablePointer<CChar>.allocate(capacity: 1))
}

/// Why a snappy block could not be made or read.
package enum SnappyError: Error, Hashable, CustomStringConvertible {
    /// The bytes are no snappy block.
    case malformed(size: Int)
    /// More would come out than the limit allows.
    case tooLarge(limit: Int)

    package var description: String {
        switch self {
        case .malformed(let size):
            "cannot expand snappy: got \(size) bytes that are no block; want snappy's block format"
        case .tooLarge(let limit):
            "cannot expand snappy: got more than \(limit) bytes out of it; want at most \(limit)"
        }
    }
}
