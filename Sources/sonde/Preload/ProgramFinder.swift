// SPDX-License-Identifier: Apache-2.0
// Finds the program to run and the library to preload, and says why that cannot work.

internal import Glibc

/// Finds files as a shell does.
package enum ProgramFinder {
    /// The file that a command names: a path as it is, a plain name by `PATH`.
    ///
    /// - Parameters:
    ///   - command: What was typed.
    ///   - path: The variable `PATH`.
    /// - Returns: A path of an executable file.
    /// - Throws: ``CommandFailure`` when there is none.
    package static func program(
        _ command: String, path: String?
    ) throws(CommandFailure) -> String {
        let shown = command.forTerminal
        if command.contains("/") {
            guard isFile(command) else {
                throw CommandFailure("cannot run \(shown): no such file; want a program")
            }
            guard access(command, X_OK) == 0 else {
                throw CommandFailure("cannot run \(shown): it is not executable; want a program")
            }
            return command
        }
        for folder in (path ?? "/usr/local/bin:/usr/bin:/bin").split(
            separator: ":", omittingEmptySubsequences: false)
        {
            let candidate = (folder.isEmpty ? "." : String(folder)) + "/" + command
            if isFile(candidate), access(candidate, X_OK) == 0 { return candidate }
        }
        let hint = isFile(command) ? ["there is one in this folder: ./\(shown)"] : []
        throw CommandFailure(
            "cannot run \(shown): no such program in PATH; want a program", advice: hint)
    }

    /// Refuses a program into which nothing can be preloaded.
    ///
    /// - Parameters:
    ///   - program: The file.
    ///   - depth: How many interpreters were followed to come here.
    /// - Throws: ``CommandFailure`` with the reason.
    package static func checkPreloadable(
        _ program: String, depth: Int = 0
    ) throws(CommandFailure) {
        let shown = program.forTerminal
        func refuse(_ found: String, _ advice: String) -> CommandFailure {
            CommandFailure(
                "cannot profile \(shown): \(found); want a dynamically linked program for glibc on"
                    + " x86-64", advice: [advice])
        }
        if let reason = privilege(program) {
            throw refuse(
                reason,
                "the system ignores preloaded libraries there; link the agent into it instead")
        }
        // A program that may be run but not read is not judged.
        guard let head = head(of: program) else { return }
        switch ProgramImage(head: head) {
        case .script(let interpreter):
            guard depth < 4 else {
                throw refuse("its interpreters form a ring", "what does its first line say?")
            }
            guard isFile(interpreter) else {
                throw CommandFailure(
                    "cannot run \(shown): its interpreter \(interpreter.forTerminal) is not there;"
                        + " want an installed one")
            }
            try checkPreloadable(interpreter, depth: depth + 1)
        case .dynamic(let loader):
            guard loader.hasSuffix("/ld-linux-x86-64.so.2") else {
                throw refuse(
                    "it is started by \(loader.forTerminal)", "libsonde.so is built for glibc")
            }
        case .isStatic:
            throw refuse(
                "it is statically linked", "nothing can be preloaded there; link the agent into it")
        case .foreign(let found): throw refuse("it is \(found)", "see: file \(shown)")
        case .unknown:
            throw refuse("it is neither an ELF program nor a script", "see: file \(shown)")
        }
    }

    /// The preload library: beside this executable, or in `../lib`.
    ///
    /// - Parameter given: The path that the user gave, if any.
    /// - Returns: An absolute path.
    /// - Throws: ``CommandFailure`` that names every place that was looked at.
    package static func library(given: String?) throws(CommandFailure) -> String {
        let places = given.map { [$0] } ?? standardPlaces()
        guard let place = places.first(where: isFile), let library = absolute(place) else {
            throw CommandFailure(
                "cannot find libsonde.so: not at \(ValueKind.list(places).forTerminal); want the library"
                    + " beside this program or in ../lib",
                advice: ["it is made by: make build", "--library FILE says where else it is"])
        }
        guard !library.contains(where: { $0 == " " || $0 == ":" }) else {
            throw CommandFailure(
                "cannot preload \(library.forTerminal): LD_PRELOAD ends a path at a space or colon;"
                    + " want a path without them")
        }
        return library
    }

    private static func standardPlaces() -> [String] {
        guard let program = absolute("/proc/self/exe") else { return ["libsonde.so"] }
        let parts = program.split(separator: "/", omittingEmptySubsequences: false)
        let base = parts.dropLast().joined(separator: "/")
        let above = parts.dropLast(2).joined(separator: "/")
        return [
            "\(base)/libsonde.so", "\(above)/lib/libsonde.so", "\(above)/lib/sonde/libsonde.so",
        ]
    }

    private static func absolute(_ path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        // Safety: realpath returned a C string that this function owns until `free`.
        return String(cString: resolved)
    }

    private static func isFile(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
    }

    /// Why the loader would start this program in secure mode, or `nil`.
    private static func privilege(_ program: String) -> String? {
        var status = stat()
        guard stat(program, &status) == 0 else { return nil }
        // The bits change nothing for whom they would make the same user or group.
        if status.st_mode & S_ISUID != 0, status.st_uid != geteuid() { return "it is setuid" }
        if status.st_mode & S_ISGID != 0, status.st_gid != getegid() { return "it is setgid" }
        return nil
    }

    private static func head(of program: String) -> [UInt8]? {
        let descriptor = open(program, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        return [UInt8](unsafeUninitializedCapacity: ProgramImage.headBytes) { buffer, count in
            // Safety: `read` writes at most the buffer's own size, and `count` is what it wrote.
            count = max(0, read(descriptor, buffer.baseAddress, buffer.count))
        }
    }
}
