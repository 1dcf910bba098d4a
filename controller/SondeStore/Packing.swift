// SPDX-License-Identifier: Apache-2.0
// Stored blobs: compressed with zstd where that makes them smaller.

internal import CZstd

/// Packs and unpacks blobs: one byte says how, the rest is the content.
///
/// Safety of `@unchecked Sendable`: an object is used by one thread at a time, its owner sees to
/// that; zstd's contexts may move between threads.
final class Packer: @unchecked Sendable {
    private enum Method: UInt8 { case plain = 0, zstd = 1 }

    /// The most bytes that a blob may hold; a larger one is damaged.
    static let limit = 256 << 20
    /// Fast: the content is packed tightly before zstd sees it.
    private static let level: Int32 = 1

    private let compressor: OpaquePointer?
    private let expander: OpaquePointer?

    init() {
        compressor = ZSTD_createCCtx()
        expander = ZSTD_createDCtx()
    }

    deinit {
        ZSTD_freeCCtx(compressor)
        ZSTD_freeDCtx(expander)
    }

    /// A blob that holds these bytes.
    func pack(_ bytes: [UInt8]) -> [UInt8] {
        let bound = ZSTD_compressBound(bytes.count)
        var size = 0
        let packed = [UInt8](unsafeUninitializedCapacity: bound + 1) { room, count in
            // Safety: the room has one byte more than zstd's bound for these bytes.
            room.initialize(repeating: 0)
            room[0] = Method.zstd.rawValue
            size = bytes.withUnsafeBytes { bytes in
                ZSTD_compressCCtx(
                    compressor, room.baseAddress.map { $0 + 1 }, bound, bytes.baseAddress,
                    bytes.count, Self.level)
            }
            count = ZSTD_isError(size) == 0 ? size + 1 : 0
        }
        guard !packed.isEmpty, packed.count <= bytes.count else {
            return [Method.plain.rawValue] + bytes
        }
        return packed
    }

    /// Reads what a blob holds.
    func unpack<Result>(
        _ blob: UnsafeRawBufferPointer,
        _ body: (UnsafeRawBufferPointer) throws(VarintError) -> Result
    ) throws(VarintError) -> Result {
        guard let method = blob.first.flatMap(Method.init) else {
            throw VarintError(reason: "it is packed in an unknown way")
        }
        let content = UnsafeRawBufferPointer(rebasing: blob.dropFirst())
        if method == .plain { return try body(content) }
        let size = ZSTD_getFrameContentSize(content.baseAddress, content.count)
        guard size <= UInt64(Self.limit) else {  // zstd's errors are very large numbers
            throw VarintError(reason: "its size is unknown or too large")
        }
        var written = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: Int(size)) { room, count in
            // Safety: zstd writes no more than the room's count.
            written = ZSTD_decompressDCtx(
                expander, room.baseAddress, room.count, content.baseAddress, content.count)
            count = ZSTD_isError(written) == 0 ? min(written, room.count) : 0
        }
        guard ZSTD_isError(written) == 0, written == Int(size) else {
            throw VarintError(reason: "zstd cannot expand it")
        }
        var result: Swift.Result<Result, VarintError> = .failure(.truncated)
        bytes.withUnsafeBytes { bytes in
            do throws(VarintError) {
                result = .success(try body(bytes))
            } catch {
                result = .failure(error)
            }
        }
        return try result.get()
    }
}
