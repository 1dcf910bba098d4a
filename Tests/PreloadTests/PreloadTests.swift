// SPDX-License-Identifier: Apache-2.0
// libsonde.so in programs that know nothing of it: it samples them, and never gets in their way.

import Foundation
import SondeFormats
import SondeTestServer
import Testing

@Suite(.serialized) struct PreloadTests {
    init() throws {
        try #require(
            FileManager.default.fileExists(atPath: Preload.library),
            "no \(Preload.library); run: swift build -c release && scripts/link-preload")
        try #require(!Preload.burn.isEmpty, "clang cannot compile Programs/burn.c")
    }

    @Test(arguments: [("plain", 1), ("threads", 3)])
    func aCProgramIsSampledUntilItsEnd(way: String, threads: Int64) throws {
        let profiles = try ProfileServer()
        defer { profiles.server.stop() }
        let outcome = try Preload.runPreloaded(
            [Preload.burn, way, "1500"], url: profiles.server.url)
        #expect(outcome.status == 0)
        #expect(outcome.output == "done\n")
        #expect(outcome.errors.isEmpty)
        let arrival = try #require(profiles.arrivals.first)
        #expect(profiles.arrivals.count == 1)
        #expect(arrival.labels["service_name"] == "preloaded")
        #expect(arrival.labels["__name__"] == "process_cpu")
        // 0.2 s pass before the agent starts. Other processes may have the processors as well.
        #expect(arrival.nanoseconds(in: "/burn") > 300_000_000)
        #expect(arrival.nanoseconds(in: "/burn") < threads * 1_500_000_000)
        #expect(arrival.document.mappings.first?.filename == Preload.burn)
    }

    @Test(arguments: [
        ["/bin/true"], ["/bin/false"], ["/bin/ls", "/"], ["/bin/echo", "hello"],
        ["/bin/bash", "-c", "for i in 1 2 3; do echo $i | sed s/2/two/ | cat; done; exit 7"],
        ["/bin/sh", "-c", "seq 1 2000 | sort -rn | head -n 3 | tr 0-9 a-j; kill -TERM $$"],
        ["/bin/sh", "-c", "exec 3>&- 4>&-; ulimit -n 5; ls / > /dev/null; echo still here"],
    ])
    func smallProgramsBehaveAsWithoutIt(command: [String]) throws {
        // A server that never answers: nothing may wait for it.
        let server = try TestServer { _ in .hang }
        defer { server.stop() }
        var plain = try Preload.run(command, environment: [:])
        var preloaded = try Preload.runPreloaded(command, url: server.url)
        #expect(preloaded.seconds < plain.seconds + 2)
        plain.seconds = 0
        preloaded.seconds = 0
        #expect(preloaded == plain)
    }

    @Test func pythonWithThreadsIsSampled() throws {
        let profiles = try ProfileServer()
        defer { profiles.server.stop() }
        let program = """
            import threading, time, subprocess
            end = time.monotonic() + 1.5
            def work():
                while time.monotonic() < end: sum(range(1000))
            threads = [threading.Thread(target=work) for _ in range(4)]
            [t.start() for t in threads]; [t.join() for t in threads]
            print(subprocess.run(["echo", "child"], capture_output=True, text=True).stdout, end="")
            """
        let outcome = try Preload.runPreloaded(
            ["/usr/bin/env", "python3", "-c", program], url: profiles.server.url)
        #expect(outcome.status == 0)
        #expect(outcome.output == "child\n")
        #expect(outcome.errors.isEmpty)
        let total = profiles.arrivals.flatMap(\.document.samples).reduce(0) { $0 + $1.values[1] }
        #expect(total > 300_000_000)
    }

    @Test func aProgramThatBecomesADaemonIsSampled() throws {
        let profiles = try ProfileServer()
        defer { profiles.server.stop() }
        let outcome = try Preload.runPreloaded(
            [Preload.burn, "daemon", "1500"], url: profiles.server.url)
        #expect(outcome.status == 0)
        #expect(eventually(within: 20) { !profiles.arrivals.isEmpty })
        #expect((profiles.arrivals.first?.nanoseconds(in: "/burn") ?? 0) > 80_000_000)
        #expect(profiles.instances.count == 1)
    }

    @Test func aChildThatIsForkedWhileTheAgentRunsGetsItsOwn() throws {
        let profiles = try ProfileServer()
        defer { profiles.server.stop() }
        let outcome = try Preload.runPreloaded(
            [Preload.burn, "fork", "1000"], url: profiles.server.url)
        #expect(outcome.status == 0)
        #expect(outcome.output == "done\n")
        #expect(profiles.instances.count == 2)
        for arrival in profiles.arrivals {
            #expect(arrival.nanoseconds(in: "/burn") > 50_000_000)
        }
    }

    @Test func aProgramThatClosesDescriptorsThatAreNotItsOwnKeepsItsOwn() throws {
        let profiles = try ProfileServer()
        defer { profiles.server.stop() }
        let outcome = try Preload.runPreloaded(
            [Preload.burn, "close", "800"], url: profiles.server.url)
        #expect(outcome.status == 0)
        #expect(outcome.output == "done\n")
        #expect(!profiles.arrivals.isEmpty)
    }

    @Test func aProgramThatHasTheAgentLinkedAsWellRunsOne() throws {
        let program = URL(fileURLWithPath: Preload.library).deletingLastPathComponent()
            .appendingPathComponent("bookmaker").path
        let log = Preload.folder.appendingPathComponent("both.log").path
        defer { try? FileManager.default.removeItem(atPath: log) }
        let outcome = try Preload.runPreloaded(
            [program, "--listen", "127.0.0.1:0", "--duration", "1"], url: "http://127.0.0.1:1",
            ["SONDE_LOG": log])
        #expect(outcome.status == 0)
        let starts = try String(contentsOfFile: log, encoding: .utf8)
            .components(separatedBy: "started for the service")
        #expect(starts.count == 2)
    }

    @Test func withoutAServiceNothingIsLoadedAndNoThreadRuns() throws {
        for off in [
            ["LD_PRELOAD": Preload.library],
            [
                "LD_PRELOAD": Preload.library, "SONDE_SERVICE": "x", "SONDE_OFF": "1",
            ],
        ] {
            let outcome = try Preload.run([Preload.burn, "maps", "400"], environment: off)
            #expect(outcome.status == 0)
            #expect(outcome.output.contains("libsonde.so"))
            #expect(!outcome.output.contains("libsonde-agent.so"))
            #expect(!outcome.output.contains("libcurl"))
            #expect(outcome.output.contains("Threads:\t1\n"))
        }
    }

    @Test func withoutTheAgentsFileTheProgramRunsAndTheLogSaysWhy() throws {
        let folder = Preload.folder.appendingPathComponent("alone")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let alone = folder.appendingPathComponent("libsonde.so").path
        try FileManager.default.copyItem(atPath: Preload.library, toPath: alone)
        let log = folder.appendingPathComponent("log").path
        let outcome = try Preload.runPreloaded(
            [Preload.burn, "plain", "500"], url: "http://127.0.0.1:1",
            ["LD_PRELOAD": alone, "SONDE_LOG": log])
        #expect(outcome.status == 0)
        #expect(outcome.output == "done\n")
        #expect(outcome.errors.isEmpty)
        let text = try String(contentsOfFile: log, encoding: .utf8)
        #expect(text.contains("cannot load the agent"))
        #expect(text.contains("libsonde-agent.so"))
    }

    @Test func aBadSettingIsSaidInTheLogAlone() throws {
        let outcome = try Preload.runPreloaded(
            [Preload.burn, "plain", "500"], url: "http://127.0.0.1:1", ["SONDE_HERTZ": "often"])
        #expect(outcome.output == "done\n")
        #expect(outcome.errors.isEmpty)
        let loud = try Preload.runPreloaded(
            [Preload.burn, "plain", "500"], url: "http://127.0.0.1:1",
            ["SONDE_HERTZ": "often", "SONDE_LOG": "stderr"])
        #expect(loud.output == "done\n")
        #expect(loud.errors.contains("cannot use SONDE_HERTZ: got \"often\""))
    }
}
