// SPDX-License-Identifier: Apache-2.0
// A probe in a library that comes, goes and comes again.

import Foundation
import Glibc
import SondeModel
import SondeProbeProgram
import SondeSampling
import SondeTestServer
import SondeWire
import Testing

@testable import SondeAgent

struct PluginProbeTests {
    /// A library with one function, compiled for the time of a test.
    private struct Plugin {
        let path: String
        let buildID: BuildID
        let start: ImageAddress
        let end: ImageAddress

        private static let source = """
            __asm__(".text\\n.globl plugin_twice\\n.type plugin_twice, @function\\nplugin_twice:\\n"
                    "push %rbp\\nmov %rsp, %rbp\\nlea (%rdi,%rdi), %rax\\npop %rbp\\nret\\n"
                    ".globl plugin_end\\nplugin_end:\\nnop\\n");
            """

        init() throws {
            let base = FileManager.default.temporaryDirectory.path + "/sonde-plugin-\(UUID())"
            let library = base + ".so"
            try Self.source.write(toFile: base + ".c", atomically: true, encoding: .utf8)
            defer { unlink(base + ".c") }
            let compiler = Process()
            compiler.executableURL = URL(fileURLWithPath: "/usr/bin/env")
            compiler.arguments = [
                "clang", "-shared", "-fPIC", "-Wl,--build-id", "-o", library, base + ".c",
            ]
            try compiler.run()
            compiler.waitUntilExit()
            let handle = try #require(dlopen(library, RTLD_NOW))
            defer { dlclose(handle) }
            let image = try #require(LoadedImage.all().first { $0.path == library })
            let first = try #require(dlsym(handle, "plugin_twice"))
            let last = try #require(dlsym(handle, "plugin_end"))
            let build = try #require(image.buildID)
            path = library
            buildID = build
            start = ImageAddress(UInt64(UInt(bitPattern: first)) &- image.bias)
            end = ImageAddress(UInt64(UInt(bitPattern: last)) &- image.bias)
        }

        /// A probe behind the function's first two instructions, which take four bytes.
        var probe: ProbeState {
            var image = ImageProgram(buildID: buildID)
            image.sites = [
                ProbeSite(
                    address: ImageAddress(start.rawValue + 4), entry: 0, function: "plugin_twice",
                    functionStart: start, functionEnd: end)
            ]
            image.code = [
                Instruction(.accept), Instruction(.readRegister, d: 0, imm: 5),
                Instruction(.write64, a: 0), Instruction(.commit),
            ]
            image.shapes = [.unsigned(bits: 64)]
            image.template = [.value(expression: "a", shape: 0, format: nil)]
            var program = ProbeProgram(
                probe: "p-plugin",
                limits: ProbeLimits(
                    expiresUnixNanos: Int64((Date().timeIntervalSince1970 + 120) * 1e9)),
                file: "plugin.c", line: 1, images: [])
            program.images = [image]
            var state = ProbeState()
            state.id = program.probe
            state.revision = program.revision
            state.enabled = true
            state.program = program.encode()
            return state
        }
    }

    @Test(.timeLimit(.minutes(5))) func aProbeFollowsALibraryThatComesAndGoes() async throws {
        let controller = try FakeController()
        defer { controller.server.stop() }
        let plugin = try Plugin()
        defer { unlink(plugin.path) }
        controller.desire { desired in
            desired.revision = "r1"
            desired.probes = [plugin.probe]
        }
        await #expect(processExitsWith: .success) {
            [url = controller.server.url as String, path = plugin.path as String] in
            typealias Twice = @convention(c) (UInt64) -> UInt64
            let sonde = try Sonde.start(Sonde.Configuration(service: "plugin", url: url))
            let becomes = { (state: String) in
                eventually(within: 40) { sonde.status.probes.first?.state == state }
            }
            LifeActions.check(81, becomes("pending"))
            for round in UInt64(1)...5 {
                guard let handle = dlopen(path, RTLD_NOW),
                    let symbol = dlsym(handle, "plugin_twice")
                else { _exit(82) }
                // Safety: this is the type of the function above.
                let twice = unsafeBitCast(symbol, to: Twice.self)
                LifeActions.check(83, becomes("installed"))
                LifeActions.check(84, twice(round) == 2 * round)
                dlclose(handle)
                LifeActions.check(85, becomes("pending"))
            }
            LifeActions.check(86, eventually(within: 40) { sonde.status.linesSent == 5 })
            sonde.stop()
        }
        #expect(controller.lines.map(\.text) == ["1", "2", "3", "4", "5"])
        let sequence = controller.lines.compactMap { $0.metadata["sequence"] }
        #expect(sequence == ["1", "2", "3", "4", "5"])
    }
}
