// SPDX-License-Identifier: Apache-2.0
// Gzip over zlib, with a limit on what may come out.

internal import CZlib

/// Compresses and expands gzip bodies.
package enum Gzip {
    /// Whether bytes begin as a gzip member does.
    package static func isGzip(_ bytes: some Collection<UInt8>) -> Bool {
        bytes.starts(with: [0x1F, 0x8B])
    }

    /// One gzip member that holds `bytes`.
    ///
    /// - Parameters:
    ///   - bytes: What to compress.
    ///   - level: zlib's level, 1 (fast) to 9 (small).
    /// - Returns: The member, header and checksum included.
    /// - Throws: ``GzipError/outOfMemory`` when zlib has no memory.
    package static func compress(_ bytes: [UInt8], level: Int = 6) throws(GzipError) -> [UInt8] {
        var stream = z_stream()
        // 16 more window bits ask zlib for the gzip framing.
        let status = deflateInit2_(
            &stream, Int32(level), Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
            Int32(MemoryLayout<z_stream>.size))
        guard status == Z_OK else { throw .outOfMemory }
        defer { deflateEnd(&stream) }
        guard bytes.count <= Int(UInt32.max) else { throw .tooLarge(limit: Int(UInt32.max)) }
        var output = [UInt8](repeating: 0, count: Int(deflateBound(&stream, UInt(bytes.count))))
        let finished = bytes.withUnsafeBufferPointer { input in
            output.withUnsafeMutableBufferPointer { room in
                // Safety: zlib only reads through next_in; both buffers outlive the call.
                stream.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
                stream.avail_in = UInt32(input.count)
                stream.next_out = room.baseAddress
                stream.avail_out = UInt32(clamping: room.count)
                return deflate(&stream, Z_FINISH)
            }
        }
        guard finished == Z_STREAM_END else { throw .outOfMemory }
        output.removeLast(output.count - Int(stream.total_out))
        return output
    }

    /// What one or more gzip members hold, one after another.
    ///
    /// - Parameters:
    ///   - bytes: The members, from untrusted hands.
    ///   - limit: The most bytes that may come out; a member that holds more is cut off there with
    ///     an error, having used no more memory than that.
    /// - Returns: The members' contents, joined.
    /// - Throws: ``GzipError``.
    package static func expand(
        _ bytes: some RandomAccessCollection<UInt8>, limit: Int
    ) throws(GzipError) -> [UInt8] {
        let input = ContiguousArray(bytes)
        guard input.count <= Int(UInt32.max) else { throw .tooLarge(limit: Int(UInt32.max)) }
        var stream = z_stream()
        guard
            inflateInit2_(
                &stream, MAX_WBITS + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK
        else { throw .outOfMemory }
        defer { inflateEnd(&stream) }

        var output: [UInt8] = []
        var consumed = 0
        var chunk = [UInt8](repeating: 0, count: min(max(4096, input.count * 4), 1 << 20))
        while true {
            let (status, read, written) = input.withUnsafeBufferPointer { input in
                chunk.withUnsafeMutableBufferPointer { room in
                    // Safety: zlib only reads through next_in; `consumed` never exceeds the count,
                    // and both buffers outlive the call.
                    stream.next_in = UnsafeMutablePointer(
                        mutating: input.baseAddress.map { $0 + consumed })
                    stream.avail_in = UInt32(input.count - consumed)
                    stream.next_out = room.baseAddress
                    stream.avail_out = UInt32(room.count)
                    let status = inflate(&stream, Z_NO_FLUSH)
                    return (
                        status, input.count - consumed - Int(stream.avail_in),
                        room.count - Int(stream.avail_out)
                    )
                }
            }
            consumed += read
            guard output.count + written <= limit else { throw .tooLarge(limit: limit) }
            output.append(contentsOf: chunk[0..<written])
            switch status {
            case Z_STREAM_END where consumed == input.count:
                return output
            case Z_STREAM_END:
                guard inflateReset(&stream) == Z_OK else { throw .outOfMemory }
            case Z_OK:
                continue
            case Z_BUF_ERROR:
                throw .truncated(size: input.count)
            case Z_MEM_ERROR:
                throw .outOfMemory
            default:
                throw .malformed(offset: consumed)
            }
        }
    }
}

/// Why gzip bytes could not be made or read.
package enum GzipError: Error, Hashable, CustomStringConvertible {
    /// The bytes end inside a member.
    case truncated(size: Int)
    /// The bytes are no gzip, or their checksum is wrong.
    case malformed(offset: Int)
    /// More would come out than the limit allows.
    case tooLarge(limit: Int)
    /// zlib got no memory.
    case outOfMemory

    package var description: String {
        switch self {
        case .truncated(let size):
            "cannot expand gzip: got \(size) bytes that end inside a member; want all of it"
        case .malformed(let offset):
            "cannot expand gzip: got malformed data at byte \(offset); want a gzip member"
        case .tooLarge(let limit):
            "cannot expand gzip: got more than \(limit) bytes out of it; want at most \(limit)"
        case .outOfMemory:
            "cannot use gzip: no memory"
        }
    }
}
