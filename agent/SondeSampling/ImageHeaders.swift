// SPDX-License-Identifier: Apache-2.0
// An image's program headers as the loader reports them, and the build id in its notes.

internal import CSondeSignal
internal import Glibc
internal import SondeLock
internal import SondeModel

/// An image's program headers, copied while the loader held its lock.
struct ImageHeaders {
    /// The most headers that are looked at; real images have 10 to 15.
    static let maxHeaders = 256
    /// The most bytes of notes that are read of one segment.
    static let maxNoteBytes = 4096

    /// The loader's name of the image; the program's own path where the loader has none.
    var path: String
    /// What the loader added to the image's own addresses.
    var bias: UInt64
    /// The program headers.
    var programHeaders: [Elf64_Phdr]

    /// The headers of all images, in the loader's order.
    static func all() -> [ImageHeaders] {
        var found: [ImageHeaders] = []
        // Copied under the lock, read afterwards: a fork waits for us meanwhile.
        ForkGate.work {
            withUnsafeMutablePointer(to: &found) { list in
                sonde_visit_images(
                    { image, context in
                        // Safety: the loader keeps `image` valid during this call, and `context`
                        // is the array above, which outlives the visit.
                        guard let image = image?.pointee, let context else { return 0 }
                        let list = context.assumingMemoryBound(to: [ImageHeaders].self)
                        list.pointee.append(ImageHeaders(copying: image))
                        return 0
                    }, list)
            }
        }
        if let program = found.first, program.path.isEmpty { found[0].path = programPath() }
        return found
    }

    /// The path of the running program, without the kernel's mark for a deleted file.
    static func programPath() -> String {
        let room = Int(PATH_MAX)
        let path = withUnsafeTemporaryAllocation(of: CChar.self, capacity: room) { buffer in
            guard let start = buffer.baseAddress else { return "" }
            // Safety: `readlink` writes at most as many bytes as it is told.
            let length = readlink("/proc/self/exe", start, buffer.count)
            guard length > 0 else { return "" }
            let bytes = UnsafeRawBufferPointer(start: start, count: length)
            return String(decoding: bytes, as: UTF8.self)
        }
        let mark = " (deleted)"
        return path.hasSuffix(mark) ? String(path.dropLast(mark.count)) : path
    }

    /// The runtime addresses of a segment, or `nil` when they wrap around or are none.
    func range(of header: Elf64_Phdr) -> Range<UInt64>? {
        // A bias may stand for a negative number, so this sum wraps on purpose.
        let start = bias &+ header.p_vaddr
        let (end, overflow) = start.addingReportingOverflow(header.p_memsz)
        guard !overflow, start < end else { return nil }
        return start..<end
    }

    /// The build id in the image's notes, as far as they lie inside a readable segment.
    var buildID: BuildID? {
        for note in programHeaders where note.p_type == UInt32(PT_NOTE) {
            guard let range = range(of: note), isReadable(range) else { continue }
            let size = min(range.upperBound - range.lowerBound, UInt64(Self.maxNoteBytes))
            var bytes = [UInt8](repeating: 0, count: Int(size))
            let copied = bytes.withUnsafeMutableBytes { buffer in
                // Safety: writes at most `size` bytes; the image may be unloaded by now, and the
                // guarded read then fails instead of faulting.
                sonde_read_memory(buffer.baseAddress, range.lowerBound, buffer.count)
            }
            guard copied == bytes.count else { continue }
            if let buildID = NoteReader.buildID(in: bytes) { return buildID }
        }
        return nil
    }

    private func isReadable(_ wanted: Range<UInt64>) -> Bool {
        programHeaders.contains { header in
            header.p_type == UInt32(PT_LOAD) && header.p_flags & UInt32(PF_R) != 0
                && range(of: header).map {
                    $0.lowerBound <= wanted.lowerBound && wanted.upperBound <= $0.upperBound
                } ?? false
        }
    }
}

extension ImageHeaders {
    /// A copy of what the loader shows.
    fileprivate init(copying image: sonde_image) {
        let count = min(Int(image.header_count), Self.maxHeaders)
        // Safety: the loader keeps name and headers valid while it shows the image.
        let headers = UnsafeBufferPointer(start: image.headers, count: count)
        path = image.name.map { String(cString: $0) } ?? ""
        bias = image.bias
        programHeaders = Array(headers)
    }
}
