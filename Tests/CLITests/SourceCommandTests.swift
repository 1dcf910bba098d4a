// SPDX-License-Identifier: Apache-2.0
// `sonde source` of the built program, against a real controller.

import Foundation
import Testing
import sonde

@Suite struct SourceCommandTests {
    private let folder: TemporaryFolder
    private let controller: RunningController
    private let program: String

    /// A program of two files that was built in a folder, and another file beside them.
    init() throws {
        folder = try TemporaryFolder()
        controller = try RunningController(in: TemporaryFolder())
        for name in ["src", ".hidden"] {
            try FileManager.default.createDirectory(
                atPath: folder.path + "/" + name, withIntermediateDirectories: true)
        }
        _ = try folder.write("src/odds.h", "static inline int odds(int a) { return a * 3; }\n")
        let source = try folder.write(
            "src/bet.c", "#include \"odds.h\"\nint main(int c, char **v) { return odds(c); }\n")
        _ = try folder.write("src/unused.c", "int unused;\n")
        _ = try folder.write("src/notes.txt", "nothing\n")
        _ = try folder.write(".hidden/secret.c", "int secret;\n")
        try FileManager.default.createSymbolicLink(
            atPath: folder.path + "/src/passwd.c", withDestinationPath: "/etc/passwd")
        program = folder.path + "/bet"
        let built = try SondeProcess.run(
            [],
            // The compiler lies where the tests' own tools do.
            environment: ["PATH": ProcessInfo.processInfo.environment["PATH"] ?? ""],
            shell: [
                "/usr/bin/env", "clang", "-gdwarf-5", "-Wl,--build-id", "-o", program, source,
            ])
        try #require(built.status == 0, "\(built.errors)")
    }

    private func sonde(_ words: String...) throws -> SondeProcess {
        try SondeProcess.run(["source"] + words, environment: ["SONDE_URL": controller.url])
    }

    @Test func theFilesOfALineTableAreSentListedAndRemoved() throws {
        let dry = try sonde("push", "--binary", program, "--dry-run", folder.path)
        #expect(dry.status == 0, "\(dry.errors)")
        #expect(dry.output == "src/bet.c\nsrc/odds.h\n")
        #expect(dry.errors.contains("would send 2 files"))
        #expect(try sonde("list").output.isEmpty)
        let push = try sonde("push", "--binary", program, "--service", "bets", folder.path)
        #expect(push.status == 0, "\(push.errors)")
        #expect(push.output.hasPrefix("sent 2 files, "), "\(push.output)")
        #expect(!push.errors.contains("changed since"), "\(push.errors)")
        let list = try sonde("list")
        #expect(list.output.contains("bets") && list.errors.contains("on disk"), "\(list.errors)")
        let json = try sonde("list", "--json")
        let id = try #require(json.output.firstMatch(of: /"buildID":"([0-9a-f]+)"/)?.1)
        #expect(try sonde("rm", "none").status == 1)
        let remove = try sonde("rm", String(id.prefix(8)))
        #expect(remove.output == "removed the source files of build \(id)\n", "\(remove.errors)")
        #expect(try sonde("list").output.isEmpty)
    }

    @Test func aFileThatIsNotTheCompiledOneIsSaid() throws {
        _ = try folder.write("src/odds.h", "static inline int odds(int a) { return a * 4; }\n")
        let push = try sonde("push", "--binary", program, folder.path)
        #expect(push.status == 0)
        #expect(
            push.errors.contains("1 file changed since the program was built"), "\(push.errors)")
        #expect(push.errors.contains("src/odds.h"))
    }

    @Test func aPrefixKeepsOtherFilesOut() throws {
        let good = try sonde(
            "push", "--dry-run", "--binary", program, "--prefix", folder.path + "/src",
            folder.path + "/src")
        #expect(good.output == "bet.c\nodds.h\n", "\(good.errors)")
        let bad = try sonde(
            "push", "--binary", program, "--prefix", "/elsewhere/", folder.path + "/src")
        #expect(bad.status == 1)
        #expect(bad.errors.contains("no source file below"), "\(bad.errors)")
    }

    @Test func aWholeFolderIsSentForANamedBuild() throws {
        let push = try sonde("push", "--build-id", "abcd1234", "--dry-run", folder.path)
        // No hidden files, no links, no notes.
        #expect(push.output == "src/bet.c\nsrc/odds.h\nsrc/unused.c\n", "\(push.errors)")
        #expect(try sonde("push", "--build-id", "abcd1234", folder.path).status == 0)
        #expect(try sonde("list").output.contains("abcd1234"))
    }

    @Test func whatCannotBeDoneIsOneSentence() throws {
        for (words, status, part) in [
            (["push", folder.path], 2, "which build?"),
            (["push", "--build-id", "xyz", folder.path], 2, "want 2...128 hexadecimal digits"),
            (["push", "--build-id", "abcd", "--binary", program], 2, "not both"),
            (["push", "--build-id", "abcd", "--prefix", "/x"], 2, "--prefix goes with --binary"),
            (["push", "--binary", "/nowhere", folder.path], 1, "/nowhere"),
            (["push", "--binary", "/bin/true", folder.path], 1, "debug info"),
            (["push", "--build-id", "abcd", "/nowhere"], 1, "cannot read /nowhere"),
            (["push", "--build-id", "abcd", folder.path + "/.hidden/none"], 1, "cannot read"),
            (["push", "--service", "none", folder.path], 1, "no connected instance"),
        ] {
            let process = try SondeProcess.run(
                ["source"] + words, environment: ["SONDE_URL": controller.url])
            #expect(process.status == status, "\(words): \(process.errors)")
            #expect(process.errors.contains(part), "\(words): \(process.errors)")
        }
    }

    @Test func theControllersRefusalIsPrintedInItsWords() throws {
        let folder = try TemporaryFolder()
        let config = try folder.write("sonde.yaml", "source:\n  bundle_bytes: 1KiB\n")
        let small = try RunningController(["--config", config], in: folder)
        let noise = (0..<4000).map { _ in String(Int.random(in: 0..<36), radix: 36) }.joined()
        _ = try self.folder.write("src/noise.c", "// \(noise)\n")
        let push = try SondeProcess.run(
            ["source", "push", "--build-id", "abcd1234", self.folder.path],
            environment: ["SONDE_URL": small.url])
        #expect(push.status == 1)
        let words = try #require(
            push.errors.firstMatch(of: /cannot keep sources of .* want at most 1024/))
        let log = try String(contentsOfFile: folder.path + "/log", encoding: .utf8)
        #expect(log.contains(words.output), "\(log)")
    }
}
