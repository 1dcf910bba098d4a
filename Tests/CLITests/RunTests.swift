// SPDX-License-Identifier: Apache-2.0
// `sonde run`: what it refuses, and what the program that it becomes finds.

import Foundation
import Testing
import sonde

@Suite struct ProgramImages {
    /// An ELF header for x86-64 with one program header, of the type that is given.
    static func elf(
        _ type: UInt8, offset: UInt8 = 120, length: UInt8 = 28, machine: UInt8 = 62
    ) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 120)
        bytes.replaceSubrange(0..<7, with: [0x7F, 0x45, 0x4C, 0x46, 2, 1, 1])
        bytes[16] = 3
        bytes[18] = machine
        bytes[32] = 64  // e_phoff
        bytes[54] = 56  // e_phentsize
        bytes[56] = 1  // e_phnum
        bytes[64] = type
        bytes[72] = offset
        bytes[96] = length
        return bytes + Array("/lib64/ld-linux-x86-64.so.2".utf8) + [0]
    }

    @Test func theLoaderIsFound() {
        #expect(
            ProgramImage(head: Self.elf(3)) == .dynamic(loader: "/lib64/ld-linux-x86-64.so.2"))
        #expect(ProgramImage(head: Self.elf(1)) == .isStatic)
    }

    @Test func otherFilesAreToldApart() {
        #expect(
            ProgramImage(head: Array("#! /usr/bin/env python3\n".utf8))
                == .script(interpreter: "/usr/bin/env"))
        #expect(ProgramImage(head: Array("#!\n".utf8)) == .unknown)
        #expect(ProgramImage(head: Array("MZ".utf8)) == .unknown)
        #expect(ProgramImage(head: []) == .unknown)
        #expect(
            ProgramImage(head: Self.elf(3, machine: 183))
                == .foreign("a program for another processor (ELF machine 183)"))
        var small = Self.elf(3)
        small[4] = 1
        #expect(ProgramImage(head: small) == .foreign("a 32-bit program"))
    }

    @Test func aBrokenFileIsNoCrash() {
        let whole = Self.elf(3)
        for length in 0...whole.count { _ = ProgramImage(head: Array(whole.prefix(length))) }
        for place in whole.indices {
            for value: UInt8 in [0, 1, 0x7F, 0x80, 0xFF] {
                var broken = whole
                broken[place] = value
                _ = ProgramImage(head: broken)
            }
        }
        #expect(ProgramImage(head: Self.elf(3, offset: 255)) == .isStatic)
    }
}

@Suite struct RunningPrograms {
    /// A library whose constructor says what `sonde run` left in the environment.
    private func library(_ folder: TemporaryFolder) throws -> String {
        let source = try folder.write(
            "witness.c",
            """
            #include <stdio.h>
            #include <stdlib.h>
            __attribute__((constructor)) static void tell(void) {
                const char *names[] = {"SONDE_SERVICE", "SONDE_URL", "SONDE_TOKEN", "SONDE_HERTZ"};
                for (int i = 0; i < 4; i++) {
                    const char *value = getenv(names[i]);
                    fprintf(stderr, "%s=%s\\n", names[i], value ? value : "-");
                }
            }
            """)
        let library = folder.path + "/witness.so"
        try compile(["-shared", "-fPIC", "-o", library, source])
        return library
    }

    private func compile(_ words: [String]) throws {
        let run = try SondeProcess.run([], shell: ["/usr/bin/env", "cc"] + words)
        try #require(run.status == 0, "\(run.errors)")
    }

    @Test func theProgramRunsWithTheLibraryAndItsOwnArguments() throws {
        let folder = try TemporaryFolder()
        let library = try library(folder)
        let run = try SondeProcess.run(
            [
                "run", "--library", library, "--service", "shop", "--hertz", "49", "--url",
                "http://h:1", "--token", "t", "--", "sh", "-c", "echo \"$0 $1\"; exit 7", "a",
                "--json",
            ])
        #expect(run.status == 7)
        #expect(run.output == "a --json\n")
        #expect(
            run.errors
                == "SONDE_SERVICE=shop\nSONDE_URL=http://h:1\nSONDE_TOKEN=t\nSONDE_HERTZ=49\n")
    }

    @Test func theServiceIsNamedAfterTheProgramUnlessSomebodySays() throws {
        let folder = try TemporaryFolder()
        let library = try library(folder)
        let plain = try SondeProcess.run(["run", "--library", library, "/bin/true"])
        #expect(plain.errors.hasPrefix("SONDE_SERVICE=true\nSONDE_URL=-\n"), "\(plain.errors)")
        let set = try SondeProcess.run(
            ["run", "--library", library, "/bin/true"], environment: ["SONDE_SERVICE": "mine"])
        #expect(set.errors.hasPrefix("SONDE_SERVICE=mine\n"))
    }

    @Test func aScriptIsJudgedByItsInterpreter() throws {
        let folder = try TemporaryFolder()
        let library = try library(folder)
        let script = try folder.write("job", "#!/bin/sh\necho ran\n")
        chmod(script, 0o755)
        let run = try SondeProcess.run(["run", "--library", library, "--", script])
        #expect(run.status == 0 && run.output == "ran\n")
        #expect(run.errors.hasPrefix("SONDE_SERVICE=job\n"))
        let orphan = try folder.write("orphan", "#!/nowhere/sh\n")
        chmod(orphan, 0o755)
        let refused = try SondeProcess.run(["run", "--library", library, "--", orphan])
        #expect(refused.status == 1)
        #expect(refused.errors.contains("its interpreter /nowhere/sh is not there"))
    }

    @Test func aClosedPipeStillEndsTheProgram() throws {
        // `sonde` itself ignores SIGPIPE; what it becomes must not inherit that.
        let folder = try TemporaryFolder()
        let library = try library(folder)
        let run = try SondeProcess.run(
            [], environment: ["LIBRARY": library],
            shell: [
                "/bin/bash", "-c",
                "$SONDE run --library $LIBRARY -- yes 2>/dev/null | head -n 1; echo ${PIPESTATUS[0]}",
            ])
        #expect(run.output == "y\n141\n")
    }

    @Test func aStaticProgramIsRefused() throws {
        let folder = try TemporaryFolder()
        let source = try folder.write("a.c", "int main(void) { return 0; }\n")
        let program = folder.path + "/fixed"
        try compile(["-static", "-o", program, source])
        let run = try SondeProcess.run(["run", program])
        #expect(run.status == 1)
        #expect(
            run.errors.hasPrefix(
                "sonde: cannot profile \(program): it is statically linked; want a dynamically linked"
            ))
    }

    @Test func aSetuidProgramOfAnotherUserIsRefused() throws {
        // Only root can make one; elsewhere the system's own `su` is one.
        let folder = try TemporaryFolder()
        var program = "/usr/bin/su"
        if geteuid() == 0 {
            program = folder.path + "/other"
            try FileManager.default.copyItem(atPath: "/bin/true", toPath: program)
            chown(program, 1, 1)
            chmod(program, 0o4755)
        }
        let run = try SondeProcess.run(["run", program])
        #expect(run.status == 1)
        #expect(run.errors.contains("cannot profile \(program): it is setuid;"), "\(run.errors)")
    }

    @Test func whatCannotBeRunIsNamed() throws {
        let folder = try TemporaryFolder()
        let text = try folder.write("text", "hello\n")
        let missing = try SondeProcess.run(["run", "no-such-program-here"])
        #expect(missing.status == 1)
        #expect(
            missing.errors
                == "sonde: cannot run no-such-program-here: no such program in PATH; want a program\n"
        )
        let plain = try SondeProcess.run(["run", text])
        #expect(plain.errors.contains("\(text): it is not executable"))
        let folderRun = try SondeProcess.run(["run", "./"])
        #expect(folderRun.status == 1)
        let library = try SondeProcess.run([
            "run", "--library", "/nowhere/libsonde.so", "/bin/true",
        ])
        #expect(library.status == 1)
        #expect(
            library.errors.hasPrefix("sonde: cannot find libsonde.so: not at /nowhere/libsonde.so;")
        )
    }
}
