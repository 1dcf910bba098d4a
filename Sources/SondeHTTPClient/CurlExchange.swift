// SPDX-License-Identifier: Apache-2.0
// What libcurl reads from and writes to during one exchange.

internal import CCurl
internal import Glibc
internal import SondeLock

/// A file that is the body of a request.
struct FileUpload {
    let descriptor: Int32
    let byteCount: Int64
    /// 0 for no limit.
    let bytesPerSecond: Int64
}

/// One exchange: the request, and as much of the answer as has come.
final class CurlExchange {
    let request: HTTPClientRequest
    let upload: FileUpload?
    /// Takes the pieces of a successful answer as they come; `nil` when the whole is wanted.
    let pieces: (([UInt8]) -> Bool)?
    /// The interruptions that the caller knew of; `nil`: those until it begins.
    let interruptions: UInt64?
    private(set) var headers: [(name: String, value: String)] = []
    private(set) var body: [UInt8] = []
    /// Whether the answer was longer than the limit.
    private(set) var isTooLarge = false
    /// Whether the taker of pieces wants no more.
    private(set) var isStopped = false
    /// The status of the answer that is coming.
    private var status = 0

    private let limit: Int
    private var headerBytes = 0
    private var uploadOffset: Int64 = 0

    /// The most bytes of header fields that are kept.
    private static let maximumHeaderBytes = 256 << 10

    init(
        _ request: HTTPClientRequest, upload: FileUpload?, limit: Int,
        pieces: (([UInt8]) -> Bool)? = nil, interruptions: UInt64? = nil
    ) {
        self.interruptions = interruptions
        self.request = request
        self.upload = upload
        self.pieces = pieces
        self.limit = limit
    }

    /// Takes a piece of the body; false when it is too much.
    func receive(body piece: UnsafeRawBufferPointer) -> Bool {
        if let pieces, (200...299).contains(status) {
            isStopped = !pieces(Array(piece))
            return !isStopped
        }
        guard piece.count <= limit - body.count else {
            isTooLarge = true
            return false
        }
        body.append(contentsOf: piece)
        return true
    }

    /// Takes one line of the header; false when it is too much.
    func receive(headerLine line: UnsafeRawBufferPointer) -> Bool {
        headerBytes += line.count
        guard headerBytes <= Self.maximumHeaderBytes else {
            isTooLarge = true
            return false
        }
        if line.starts(with: "HTTP/".utf8) {
            // A new answer begins: the one before was an interim one (100 Continue).
            headers.removeAll()
            let words = String(decoding: line, as: UTF8.self).split(separator: " ")
            status = words.count > 1 ? Int(words[1]) ?? 0 : 0
            return true
        }
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { return true }
        let name = String(decoding: line[..<colon], as: UTF8.self).lowercased()
        let blank: (UInt8) -> Bool = { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D || $0 == 0x0A }
        let rest = line[line.index(after: colon)...].drop(while: blank)
        let end = rest.lastIndex { !blank($0) }.map { $0 + 1 } ?? rest.startIndex
        headers.append((name, String(decoding: rest[rest.startIndex..<end], as: UTF8.self)))
        return true
    }

    /// Fills `room` with the next piece of the file; `nil` when it cannot be read.
    func readUpload(into room: UnsafeMutableRawBufferPointer) -> Int? {
        guard let upload else { return nil }
        let want = Int(min(Int64(room.count), upload.byteCount - uploadOffset))
        guard want > 0 else { return 0 }
        // A disk may be slow.
        let got = ForkGate.rest {
            pread(upload.descriptor, room.baseAddress, want, off_t(uploadOffset))
        }
        // A file that became shorter meanwhile ends the exchange: the length is already announced.
        guard got > 0 else { return nil }
        uploadOffset += Int64(got)
        return got
    }

    /// Goes back to a place in the file, when libcurl has to send it again on a new connection.
    func seekUpload(to offset: Int64) -> Bool {
        guard let upload, (0...upload.byteCount).contains(offset) else { return false }
        uploadOffset = offset
        return true
    }
}
