// SPDX-License-Identifier: Apache-2.0
// Remembers on disk which probes were being installed, so that a crash does not repeat itself.

internal import Glibc

/// A small file that exists while probes are being installed, and a little longer.
///
/// A process that dies meanwhile leaves it behind. The next start of the same service on this
/// machine finds it and holds those revisions of those probes back, until somebody enables them
/// again. A file names its process by number and start time, so that several instances do not
/// disturb each other. When the folder cannot be used, nothing is remembered and ``problem`` says so;
/// when a single file cannot be written, that is counted, and ``problem`` says so until one can.
package final class InstallMarker {
    /// How far an install was when the process died.
    package enum Phase: String, Hashable, Sendable {
        /// The text was being changed.
        case installing
        /// The probe was in the text, and had not passed its trial yet.
        case installed
    }

    /// One revision of one probe.
    package struct Key: Hashable, Sendable {
        /// The probe's id.
        package var id: String
        /// Its revision.
        package var revision: UInt64

        /// A key from its parts.
        package init(id: String, revision: UInt64) {
            self.id = id
            self.revision = revision
        }
    }

    /// Why nothing can be remembered, or `nil`.
    package var problem: String? { folderProblem ?? writeProblem }

    /// How often something could not be written down: a death after that is not learned from.
    package private(set) var unwritten: UInt64 = 0

    /// Why the folder cannot be used.
    private let folderProblem: String?
    /// Why the last file could not be written.
    private var writeProblem: String?
    private let folder: String
    private let service: String
    private let own: (pid: Int32, start: UInt64)
    /// What the file says.
    private var entries: [(key: Key, phase: Phase)] = []

    /// The most refused revisions that are remembered for a service; the oldest go first.
    static let maximumRefused = 256
    private static let maximumBytes = 64 << 10
    private static let maximumFiles = 1024

    /// A marker in a folder, which is made when it is not there.
    ///
    /// - Parameters:
    ///   - folder: Where the files are; only this user may have access to it.
    ///   - service: The service's name; its files bear a digest of it.
    package convenience init(folder: String, service: String) {
        let pid = getpid()
        self.init(
            folder: folder, service: service, own: (pid, Self.startTime(of: pid) ?? 0))
    }

    init(folder: String, service: String, own: (pid: Int32, start: UInt64)) {
        self.folder = folder
        self.own = own
        var digest: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in service.utf8 { digest = (digest ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
        self.service = String(digest, radix: 16)
        folderProblem = Self.prepare(folder)
    }

    /// Where markers are when nobody says otherwise: below `XDG_RUNTIME_DIR`, or in `/tmp`.
    package static func defaultFolder(environment: (String) -> String?) -> String {
        if let runtime = environment("XDG_RUNTIME_DIR"), runtime.hasPrefix("/") {
            return "\(runtime)/sonde"
        }
        return "/tmp/sonde-\(getuid())"
    }

    /// Writes down that these probes are being installed.
    package func begin(_ keys: [Key]) { note(keys, .installing) }

    /// Writes down that these probes are in the text, and on trial.
    package func complete(_ keys: [Key]) { note(keys, .installed) }

    /// Notes that the process survived these probes.
    package func end(_ keys: [Key]) {
        guard entries.contains(where: { keys.contains($0.key) }) else { return }
        entries.removeAll { keys.contains($0.key) }
        save()
    }

    /// Notes that the process survived all of them.
    package func end() {
        guard !entries.isEmpty else { return }
        entries = []
        save()
    }

    /// What processes of this service left behind when they died, now and earlier.
    ///
    /// Files of dead processes are taken together into one.
    package func refused() -> [Key: Phase] {
        guard folderProblem == nil else { return [:] }
        let refusedPath = "\(folder)/\(service).refused"
        var all = Self.read(refusedPath)?.entries ?? []
        var dead: [String] = []
        for name in Self.files(in: folder)
        where name.hasPrefix("\(service)-") && name.hasSuffix(".installing") {
            let path = "\(folder)/\(name)"
            guard let (head, entries) = Self.read(path) else { continue }
            let process = head.split(separator: " ")
            guard process.count == 2, let pid = Int32(process[0]), let start = UInt64(process[1])
            else {
                dead.append(path)
                continue
            }
            if let current = Self.startTime(of: pid), current == start { continue }
            dead.append(path)
            for entry in entries where !all.contains(where: { $0.key == entry.key }) {
                all.append(entry)
            }
        }
        if !dead.isEmpty {
            all = all.suffix(Self.maximumRefused)
            // What could not be taken together stays where it is, for the next start.
            if write(all[...], to: refusedPath, head: "refused") {
                for path in dead { unlink(path) }
            }
        }
        return Dictionary(all.map { ($0.key, $0.phase) }) { first, _ in first }
    }

    private func note(_ keys: [Key], _ phase: Phase) {
        guard folderProblem == nil, !keys.isEmpty else { return }
        entries.removeAll { keys.contains($0.key) }
        entries += keys.map { ($0, phase) }
        entries = entries.suffix(Self.maximumRefused)
        save()
    }

    private func save() {
        guard entries.isEmpty else {
            _ = write(entries[...], to: path, head: "\(own.pid) \(own.start)")
            return
        }
        if unlink(path) != 0, errno != ENOENT { fail("remove \(path)", errno) }
    }

    private func fail(_ what: String, _ error: Int32) {
        unwritten &+= 1
        writeProblem =
            "cannot remember installs: got error \(error) when it was to \(what); want room and leave "
            + "to write in \(folder)"
    }

    private var path: String { "\(folder)/\(service)-\(own.pid).installing" }

    private func write(
        _ entries: ArraySlice<(key: Key, phase: Phase)>, to path: String, head: String
    ) -> Bool {
        var text = head + "\n"
        for (key, phase) in entries
        where !key.id.utf8.contains(UInt8(ascii: "\n")) && key.id.utf8.count <= 64 {
            text += "\(key.revision) \(phase.rawValue) \(key.id)\n"
        }
        let bytes = Array(text.utf8)
        let temporary = "\(path).\(own.pid)"
        let flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY
        let file = open(temporary, flags, 0o600)
        guard file >= 0 else {
            fail("open \(temporary)", errno)
            return false
        }
        let written = Glibc.write(file, bytes, bytes.count)
        let writeError = written < 0 ? errno : ENOSPC
        close(file)
        // Renamed into place, so that nobody ever reads a half.
        guard written == bytes.count else {
            fail("write \(temporary)", writeError)
            unlink(temporary)
            return false
        }
        guard rename(temporary, path) == 0 else {
            fail("name \(path)", errno)
            unlink(temporary)
            return false
        }
        writeProblem = nil
        return true
    }

    private static func read(_ path: String)
        -> (head: Substring, entries: [(key: Key, phase: Phase)])?
    {
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: maximumBytes)
        let got = Glibc.read(file, &bytes, bytes.count)
        guard got > 0 else { return nil }
        let text = String(decoding: bytes.prefix(got), as: UTF8.self)
        let lines = text.split(separator: "\n")
        guard let head = lines.first else { return nil }
        let entries = lines.dropFirst().prefix(maximumRefused).compactMap {
            line -> (key: Key, phase: Phase)? in
            let parts = line.split(separator: " ", maxSplits: 2)
            guard parts.count == 3, let revision = UInt64(parts[0]),
                let phase = Phase(rawValue: String(parts[1]))
            else { return nil }
            return (Key(id: String(parts[2]), revision: revision), phase)
        }
        return (head, entries)
    }

    /// Makes the folder; tells why it cannot be used.
    private static func prepare(_ folder: String) -> String? {
        let made = mkdir(folder, 0o700)
        let error = errno
        var status = stat()
        guard lstat(folder, &status) == 0 else {
            return "cannot remember installs in \(folder): got error \(made == 0 ? errno : error); "
                + "want a folder"
        }
        // A folder that others may write could be made to refuse, or to lead elsewhere.
        guard status.st_mode & S_IFMT == S_IFDIR, status.st_uid == geteuid(),
            status.st_mode & 0o022 == 0
        else {
            return "cannot remember installs in \(folder): got something that others may change; "
                + "want a folder of this user alone"
        }
        return nil
    }

    private static func files(in folder: String) -> [String] {
        guard let directory = opendir(folder) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while names.count < maximumFiles, let entry = readdir(directory) {
            // Safety: the kernel ends `d_name` with a zero within its 256 bytes.
            let name = withUnsafePointer(to: &entry.pointee.d_name) { place in
                place.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            names.append(name)
        }
        return names
    }

    /// When a process started, in ticks since the machine's; `nil` when there is none.
    private static func startTime(of pid: Int32) -> UInt64? {
        let file = open("/proc/\(pid)/stat", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 2048)
        let got = Glibc.read(file, &bytes, bytes.count)
        guard got > 0 else { return nil }
        let text = String(decoding: bytes.prefix(got), as: UTF8.self)
        // The command's name stands in brackets and may hold anything, brackets too.
        guard let bracket = text.utf8.lastIndex(of: UInt8(ascii: ")")) else { return nil }
        let fields = text[bracket...].split(separator: " ")
        return fields.count > 20 ? UInt64(fields[20]) : nil
    }
}
