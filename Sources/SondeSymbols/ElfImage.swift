// SPDX-License-Identifier: Apache-2.0
// An ELF file that nobody vouches for: what it is, where its segments lie, what it holds.

internal import CElfutils
internal import Glibc
package import SondeModel

/// An open ELF file.
///
/// The file is mapped, not copied: it must not be truncated while it is open. Not thread safe, as
/// libelf is not.
package final class ElfImage {
    /// The path that was opened.
    package let path: String
    /// The GNU build id, if the file has one.
    package private(set) var buildID: BuildID?
    /// Whether there is a full symbol table, which `strip` would have removed.
    package private(set) var hasSymbolTable = false
    /// Whether there is DWARF about functions and inlined calls.
    package private(set) var hasDebugInfo = false
    /// Whether there is DWARF about source lines.
    package private(set) var hasLineTable = false
    /// The name of the file with the debug info that was split off, if the image states one.
    package private(set) var debugLink: String?
    /// The machine, as ELF numbers it (62: x86-64).
    package private(set) var machine: UInt16 = 0

    // Safety: owned by this object from the end of init to deinit, used by one thread at a time.
    let handle: OpaquePointer
    private let descriptor: Int32
    private(set) var segments: [Segment] = []
    private(set) var sections: [Section] = []

    /// A part of the file that is loaded.
    struct Segment {
        var address: UInt64
        var offset: UInt64
        var fileSize: UInt64
        var memorySize: UInt64
        var isExecutable: Bool
    }

    /// A section's header, with what is needed to find its bytes again.
    struct Section {
        var index: Int
        var name: String
        var type: UInt32
        var flags: UInt64
        var address: UInt64
        var size: UInt64
        var link: Int
    }

    /// Opens an image.
    ///
    /// - Parameters:
    ///   - path: A regular file, from untrusted hands.
    ///   - limits: What is refused for its size.
    /// - Throws: ``SymbolError``.
    package init(path: String, limits: SymbolLimits = SymbolLimits()) throws(SymbolError) {
        self.path = path
        descriptor = try Self.openRegularFile(path, limits)
        _ = elf_version(UInt32(EV_CURRENT))
        guard let elf = elf_begin(descriptor, ELF_C_READ_MMAP, nil) else {
            close(descriptor)
            throw .notELF(path: path, reason: Self.libraryError)
        }
        handle = elf
        try readHeader()
        readSegments()
        readSections()
        readNotes()
        try checkCompression(limits)
    }

    deinit {
        elf_end(handle)
        close(descriptor)
    }

    static var libraryError: String {
        elf_errmsg(-1).map { String(cString: $0) } ?? "unknown error"
    }

    private static func openRegularFile(
        _ path: String, _ limits: SymbolLimits
    ) throws(SymbolError) -> Int32 {
        // O_NONBLOCK: opening a pipe must not wait for its other end.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            throw .unreadable(path: path, reason: String(cString: strerror(errno)))
        }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            throw .unreadable(path: path, reason: "it is not a regular file")
        }
        guard UInt64(max(0, status.st_size)) <= limits.fileBytes else {
            close(descriptor)
            throw .tooLarge(path: path, what: "bytes", limit: limits.fileBytes)
        }
        return descriptor
    }

    private func readHeader() throws(SymbolError) {
        guard elf_kind(handle) == ELF_K_ELF else {
            throw .notELF(path: path, reason: "it has no ELF header")
        }
        var header = GElf_Ehdr()
        guard gelf_getehdr(handle, &header) != nil else {
            throw .notELF(path: path, reason: Self.libraryError)
        }
        machine = header.e_machine
        switch Int32(header.e_type) {
        case ET_EXEC, ET_DYN: break
        case ET_REL: throw .wrongKind(path: path, kind: "an object file")
        case ET_CORE: throw .wrongKind(path: path, kind: "a core dump")
        default: throw .wrongKind(path: path, kind: "the ELF type \(header.e_type)")
        }
    }

    private func readSegments() {
        var count = 0
        guard elf_getphdrnum(handle, &count) == 0 else { return }
        for index in 0..<min(count, 65_536) {
            var header = GElf_Phdr()
            guard gelf_getphdr(handle, Int32(index), &header) != nil, header.p_type == PT_LOAD
            else { continue }
            segments.append(
                Segment(
                    address: header.p_vaddr, offset: header.p_offset, fileSize: header.p_filesz,
                    memorySize: header.p_memsz, isExecutable: header.p_flags & UInt32(PF_X) != 0))
        }
    }

    private func readSections() {
        var names = 0
        guard elf_getshdrstrndx(handle, &names) == 0 else { return }
        var section: OpaquePointer?
        // Bounded by libelf: it never finds more headers than the file has bytes for.
        while let next = elf_nextscn(handle, section) {
            section = next
            var header = GElf_Shdr()
            guard gelf_getshdr(next, &header) != nil else { continue }
            let name = elf_strptr(handle, names, Int(header.sh_name)).map { String(cString: $0) }
            sections.append(
                Section(
                    index: elf_ndxscn(next), name: name ?? "", type: header.sh_type,
                    flags: header.sh_flags, address: header.sh_addr, size: header.sh_size,
                    link: Int(header.sh_link)))
        }
        func holds(_ name: String) -> Bool {
            sections.contains { $0.name == name && $0.type != SHT_NOBITS && $0.size > 0 }
        }
        hasSymbolTable = sections.contains { $0.type == SHT_SYMTAB && $0.size > 0 }
        hasDebugInfo = holds(".debug_info") || holds(".zdebug_info")
        hasLineTable = holds(".debug_line") || holds(".zdebug_line")
        if let link = sections.first(where: { $0.name == ".gnu_debuglink" }),
            let bytes = bytes(of: link)
        {
            let name = bytes.prefix { $0 != 0 }
            debugLink = name.isEmpty ? nil : String(decoding: name, as: UTF8.self)
        }
    }

    /// A section's bytes; expanded when it was compressed and debug info was read already.
    func bytes(of section: Section) -> UnsafeRawBufferPointer? {
        guard let scn = elf_getscn(handle, section.index), let data = elf_getdata(scn, nil),
            let start = data.pointee.d_buf
        else { return nil }
        // Safety: libelf keeps the bytes until elf_end, and callers do not outlive this object.
        return UnsafeRawBufferPointer(start: start, count: data.pointee.d_size)
    }

    private func readNotes() {
        for section in sections where section.type == SHT_NOTE {
            guard let scn = elf_getscn(handle, section.index), let data = elf_getdata(scn, nil)
            else { continue }
            if findBuildID(data) { return }
        }
        var count = 0
        guard elf_getphdrnum(handle, &count) == 0 else { return }
        for index in 0..<min(count, 65_536) {
            var header = GElf_Phdr()
            guard gelf_getphdr(handle, Int32(index), &header) != nil, header.p_type == PT_NOTE,
                header.p_filesz <= 1 << 20, header.p_offset <= UInt64(Int64.max)
            else { continue }
            let kind = header.p_align == 8 ? ELF_T_NHDR8 : ELF_T_NHDR
            guard
                let data = elf_getdata_rawchunk(
                    handle, Int64(header.p_offset), Int(header.p_filesz), kind)
            else { continue }
            if findBuildID(data) { return }
        }
    }

    private func findBuildID(_ data: UnsafeMutablePointer<Elf_Data>) -> Bool {
        var offset = 0
        var note = GElf_Nhdr()
        var nameOffset = 0
        var descriptionOffset = 0
        guard let start = data.pointee.d_buf else { return false }
        // Each step moves on by at least a note's header, so this ends.
        while true {
            let next = gelf_getnote(data, offset, &note, &nameOffset, &descriptionOffset)
            guard next > offset else { return false }
            offset = next
            let bytes = UnsafeRawBufferPointer(start: start, count: data.pointee.d_size)
            guard note.n_type == NT_GNU_BUILD_ID, note.n_namesz == 4,
                bytes.count - nameOffset >= 4,
                bytes[nameOffset..<nameOffset + 4].elementsEqual([0x47, 0x4E, 0x55, 0]),
                bytes.count - descriptionOffset >= Int(note.n_descsz)
            else { continue }
            let id = bytes[descriptionOffset..<descriptionOffset + Int(note.n_descsz)]
            buildID = BuildID(bytes: Array(id))
            return buildID != nil
        }
    }

    /// Refuses an image whose compressed sections would expand to more than the limit.
    private func checkCompression(_ limits: SymbolLimits) throws(SymbolError) {
        var total: UInt64 = 0
        for section in sections {
            guard let scn = elf_getscn(handle, section.index) else { continue }
            var size: UInt64 = 0
            if section.flags & UInt64(SHF_COMPRESSED) != 0 {
                var header = GElf_Chdr()
                guard gelf_getchdr(scn, &header) != nil else { continue }
                size = header.ch_size
            } else if section.name.hasPrefix(".zdebug"), let bytes = bytes(of: section),
                bytes.count >= 12
            {
                // The old framing: "ZLIB", then the size with its highest byte first.
                size = bytes[4..<12].reduce(0) { $0 << 8 | UInt64($1) }
            }
            let (sum, overflow) = total.addingReportingOverflow(size)
            total = overflow ? .max : sum
        }
        guard total <= limits.expandedBytes else {
            throw .tooLarge(path: path, what: "bytes of debug info", limit: limits.expandedBytes)
        }
    }
}
