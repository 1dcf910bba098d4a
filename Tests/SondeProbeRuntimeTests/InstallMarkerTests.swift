// SPDX-License-Identifier: Apache-2.0
// What was being installed when a process died is not installed again by itself.

import Foundation
import SondeWire
import Testing

@testable import SondeProbeRuntime

struct InstallMarkerTests {
    private let folder = FileManager.default.temporaryDirectory
        .appendingPathComponent("sonde-marker-\(UUID().uuidString)").path
    private let key = InstallMarker.Key(id: "p-1", revision: 2)

    private func files() -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
    }

    @Test func whatADeadProcessLeftBehindIsRefusedUntilItsRevisionChanges() {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        // No process has this number: the kernel's largest is 2^22.
        let dead = InstallMarker(folder: folder, service: "s", own: (1 << 30, 1))
        let other = InstallMarker.Key(id: "p-2", revision: 1)
        dead.begin([other])
        dead.complete([other])
        // What is still on trial is not forgotten because of what comes next.
        dead.begin([key])
        #expect(files().count == 1)
        let next = InstallMarker(folder: folder, service: "s")
        #expect(next.refused() == [key: .installing, other: .installed])
        // The file of the dead is gone, and it is remembered all the same.
        #expect(files().count == 1)
        #expect(
            InstallMarker(folder: folder, service: "s").refused()
                == [key: .installing, other: .installed])
        #expect(InstallMarker(folder: folder, service: "other").refused().isEmpty)

        let patcher = FakePatcher()
        let runtime = ProbeRuntime(
            policy: ProbePolicy(), patcher: patcher, marker: next,
            senses: FakeTime().senses)
        let image = Sample.image(1, "shop")
        runtime.want(
            [("p-1", 2), ("p-2", 1)].map { Sample.wanted(Sample.program($0.0, $0.1)) },
            images: [image])
        #expect(
            runtime.reports.map(\.reason) == [
                "the service died here while this was being put into its code; "
                    + "`sonde probe enable p-1` tries again",
                "the service died here within a second after this was put into its code; "
                    + "`sonde probe enable p-2` tries again",
            ])
        #expect(runtime.reports.map(\.state) == ["held", "held"])
        #expect(patcher.log.isEmpty)
        runtime.want([Sample.wanted(Sample.program("p-1", 3))], images: [image])
        #expect(patcher.log == ["install p-1.3 in shop"])
    }

    @Test func whatCannotBeWrittenIsCountedAndSaidUntilItCan() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let marker = InstallMarker(folder: folder, service: "s")
        marker.begin([key])
        #expect(marker.problem == nil && marker.unwritten == 0)
        let name = try #require(files().first)
        // Where the next one is to be written there is a folder: not even root opens it.
        let blocked = "\(folder)/\(name).\(getpid())"
        try FileManager.default.createDirectory(
            atPath: blocked, withIntermediateDirectories: true)
        marker.complete([key])
        #expect(marker.unwritten == 1)
        let problem = try #require(marker.problem)
        #expect(problem.hasPrefix("cannot remember installs: got error 21 when it was to open "))
        #expect(problem.contains("; want room and leave to write in \(folder)"))
        let patcher = FakePatcher()
        let runtime = ProbeRuntime(
            policy: ProbePolicy(), patcher: patcher, marker: marker, senses: FakeTime().senses)
        // Installs go on: what is lost is only the memory of them.
        runtime.want([Sample.wanted(Sample.program("p-1", 3))], images: [Sample.image(1, "shop")])
        #expect(patcher.log == ["install p-1.3 in shop"])
        #expect(runtime.memory.failures > 1 && runtime.memory.problem != nil)
        let before = marker.unwritten
        try FileManager.default.removeItem(atPath: blocked)
        marker.begin([key])
        #expect(marker.problem == nil && marker.unwritten == before)
    }

    @Test func aProcessThatSurvivesOrStillRunsIsNotHeldAgainstItsProbes() {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let running = InstallMarker(folder: folder, service: "s")
        let other = InstallMarker.Key(id: "p-2", revision: 1)
        running.begin([key, other])
        running.complete([key, other])
        #expect(InstallMarker(folder: folder, service: "s").refused().isEmpty)
        running.end([key])
        #expect(files().count == 1)
        running.end()
        #expect(files().isEmpty)
        // The number is one that lives, but it is another process than the one that wrote this.
        InstallMarker(folder: folder, service: "s", own: (getpid(), 1)).begin([key])
        #expect(InstallMarker(folder: folder, service: "s").refused() == [key: .installing])
    }

    @Test func theMarkerIsThereWhileProbesAreInstalledAndGoesAfterASecond() {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let time = FakeTime()
        let patcher = FakePatcher()
        let runtime = ProbeRuntime(
            policy: ProbePolicy(), patcher: patcher,
            marker: InstallMarker(folder: folder, service: "s"), senses: time.senses)
        let image = Sample.image(1, "shop")
        runtime.want([Sample.wanted(Sample.program("a"))], images: [image])
        #expect(files().count == 1)
        _ = runtime.work(images: [image])
        #expect(files().count == 1)
        time.pass(seconds: 1.1)
        _ = runtime.work(images: [image])
        #expect(files().isEmpty)
        runtime.want([Sample.wanted(Sample.program("a", 2))], images: [image])
        #expect(files().count == 1)
        _ = runtime.removeAll()
        #expect(files().isEmpty)
    }

    @Test func aHitThatTheProcessOutlivesEndsTheTrialEarly() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let time = FakeTime()
        let patcher = FakePatcher()
        let runtime = ProbeRuntime(
            policy: ProbePolicy(), patcher: patcher,
            marker: InstallMarker(folder: folder, service: "s"), senses: time.senses)
        let image = Sample.image(1, "shop")
        let programs = ["hot", "cold"].map { Sample.wanted(Sample.program($0)) }
        runtime.want(programs, images: [image])
        var activity = ProbeActivity()
        activity.hits = 1
        patcher.activities[try #require(patcher.handle(of: "hot"))] = activity
        let held = {
            let dead = files().first.flatMap {
                try? String(contentsOfFile: "\(folder)/\($0)", encoding: .utf8)
            }
            return dead?.split(separator: "\n").dropFirst().map(String.init) ?? []
        }
        #expect(held() == ["1 installed hot", "1 installed cold"])
        _ = runtime.work(images: [image])
        #expect(held() == ["1 installed hot", "1 installed cold"])
        _ = runtime.work(images: [image])
        #expect(held() == ["1 installed cold"])
        #expect(runtime.isBusy)
        time.pass(seconds: 1.1)
        _ = runtime.work(images: [image])
        #expect(files().isEmpty)
    }

    @Test func whatCouldNotBeInstalledIsNotOnTrial() {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let patcher = FakePatcher()
        patcher.refusals["a"] = "no room for a jump"
        let runtime = ProbeRuntime(
            policy: ProbePolicy(), patcher: patcher,
            marker: InstallMarker(folder: folder, service: "s"), senses: FakeTime().senses)
        runtime.want([Sample.wanted(Sample.program("a"))], images: [Sample.image(1, "shop")])
        #expect(runtime.reports.first?.state == "failed" && files().isEmpty)
    }

    @Test func whatIsRememberedIsBounded() {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        for round in 0..<5 {
            let keys = (0..<100).map { InstallMarker.Key(id: "p-\(round)-\($0)", revision: 1) }
            InstallMarker(folder: folder, service: "s", own: (Int32(1 << 30 + round), 1)).begin(
                keys)
            _ = InstallMarker(folder: folder, service: "s").refused()
        }
        let refused = InstallMarker(folder: folder, service: "s").refused()
        #expect(refused.count == InstallMarker.maximumRefused)
        #expect(refused[InstallMarker.Key(id: "p-4-99", revision: 1)] == .installing)
    }

    @Test func aFolderThatOthersMayChangeIsNotUsed() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        mkdir(folder, 0o700)
        chmod(folder, 0o777)
        let marker = InstallMarker(folder: folder, service: "s")
        #expect(marker.problem?.contains("want a folder of this user alone") == true)
        marker.begin([key])
        #expect(files().isEmpty)
        #expect(InstallMarker(folder: "/proc/nowhere", service: "s").problem != nil)
        #expect(
            InstallMarker.defaultFolder { $0 == "XDG_RUNTIME_DIR" ? "/run/user/7" : nil }
                == "/run/user/7/sonde")
        #expect(InstallMarker.defaultFolder { _ in nil } == "/tmp/sonde-\(getuid())")
    }

    @Test func nonsenseInTheFilesDoesNoHarm() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let marker = InstallMarker(folder: folder, service: "s", own: (1 << 30, 1))
        marker.begin([key])
        let name = try #require(files().first)
        for content in [
            "", "\n", "x", "1073741824 1\nx\n5\n 6 \n-1 p\n7 p-9\n7 held p-9\n7 installed p-9",
            String(repeating: "9", count: 100_000),
        ] {
            try content.write(toFile: "\(folder)/\(name)", atomically: false, encoding: .utf8)
            let refused = InstallMarker(folder: folder, service: "s").refused()
            #expect(Set(refused.keys).isSubset(of: [InstallMarker.Key(id: "p-9", revision: 7)]))
        }
    }
}
