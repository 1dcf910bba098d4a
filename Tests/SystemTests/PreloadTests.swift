// SPDX-License-Identifier: Apache-2.0
// `sonde run` with a program that knows nothing of Sonde, from its start to the name in `sonde top`.

import Foundation
import Glibc
import Testing

extension SystemTests {
    @Suite struct Preloading {
        static let source = """
            #include <stdio.h>
            #include <unistd.h>

            static volatile double sum = 1;

            __attribute__((noinline)) void heat_water(void) {
                for (long round = 0; round < 10000000; round++) sum = sum * 1.0000001 + 0.1;
            }

            int main(void) {
                puts("heating");
                fflush(stdout);
                for (;;) {
                    heat_water();
                    usleep(50000);
                }
            }
            """

        @Test(
            .enabled(
                if: Workshop.hasPreload, "no libsonde.so; run: make build"), .timeLimit(.minutes(5))
        )
        func aPlainCProgramsHotFunctionLeadsTheList() async throws {
            let workshop = try Workshop()
            let controller = try await Controller(workshop)
            let source = workshop.path("kettle.c")
            try Self.source.write(to: source, atomically: true, encoding: .utf8)
            // As C programs are built: optimized, without frame pointers, without debug info. Most
            // distributions' compilers give a build id by themselves.
            let kettle = workshop.path("kettle")
            try await workshop.tool(
                "clang", "-O2", "-Wl,--build-id", "-o", kettle.path, source.path)

            let sonde = try Workshop.program("sonde")
            let process = try workshop.start(
                sonde, ["run", "--service", "kitchen", "--", kettle.path],
                ["SONDE_URL": controller.url])
            let agent = try await controller.agent(of: "kitchen") { $0.state == "connected" }
            #expect(agent.pid == Int(process.pid), "sonde run becomes the program")
            // The first profile comes after ten seconds; then the controller asks for the image.
            var top = ""
            let isNamed = await eventually(within: 60, every: 0.5) {
                let answer = try controller.top("kitchen")
                top = "\(answer.functions.prefix(3)) \(answer.notes)"
                return answer.share(of: "heat_water") > 0.8
            }
            #expect(isNamed, "\(top)")
            let shown = try await workshop.run(
                sonde, ["top", "kitchen"], ["SONDE_URL": controller.url])
            #expect(shown.status == 0)
            let rows = shown.text.split(separator: "\n")
            let first = try #require(rows.first { $0.contains("%") && $0.contains("s ") })
            #expect(shown.text.contains("heat_water") && shown.text.contains("kettle"))
            #expect(rows.firstIndex { $0.contains("heat_water") } ?? .max <= 3, "\(first)")

            // The program is what it was: its output is its own and signals end it as ever.
            #expect(process.isRunning && process.text == "heating\n")
            #expect(await process.finish() == 128 + SIGTERM)
        }
    }
}
