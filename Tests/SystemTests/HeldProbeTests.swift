// SPDX-License-Identifier: Apache-2.0
// A service that dies at an install starts again without the probe, says so, and one command goes on.

import Foundation
import Glibc
import SondeHTTPClient
import Testing

extension SystemTests {
    @Suite struct HeldProbes {
        @Test(.timeLimit(.minutes(5)))
        func aProbeAtWhoseInstallTheServiceDiedWaitsForTheUser() async throws {
            let workshop = try Workshop()
            let controller = try await Controller(workshop)
            let markers = workshop.path("markers")
            let environment = [
                "SONDE_URL": controller.url, "SONDE_RUNTIME_DIR": markers.path,
            ]
            let id = try await dieAtInstall(workshop, controller, environment, markers)
            let again = try await Bookmaker(workshop, environment: environment)
            let isHeld = await eventually(within: 40) {
                try state(of: id, in: again, controller) == "held"
            }
            #expect(isHeld, "\(again.agentText)")
            let table = try await sonde(["probes"], workshop, controller)
            #expect(table.status == 0 && table.text.contains("sonde probe enable \(id)"))
            let shown = try await sonde(["probe", "show", id], workshop, controller)
            #expect(shown.text.contains("the service died here"), "\(shown.text)")
            let enabled = try await sonde(["probe", "enable", id], workshop, controller)
            #expect(enabled.status == 0)
            let isActive = await eventually(within: 40) {
                try state(of: id, in: again, controller) == "installed"
            }
            let end = try await sonde(["probe", "show", id], workshop, controller)
            #expect(isActive, "\(end.text)")
        }

        /// Kills a service within the second after its install, and gives the probe's id.
        private func dieAtInstall(
            _ workshop: Workshop, _ controller: Controller, _ environment: [String: String],
            _ markers: URL
        ) async throws -> String {
            // On a busy machine the second may be over before we know that it has begun.
            for _ in 0..<5 {
                let bookmaker = try await Bookmaker(workshop, environment: environment)
                _ = try await controller.agent(within: 60) {
                    $0.pid == Int(bookmaker.process.pid) && $0.missingDebugInfo.isEmpty
                }
                let wish =
                    #"{"location": "OddsDesk.simulateOutcomes", "template": "x", "#
                    + #""service": "bookmaker"}"#
                let added = try controller.send(
                    "POST", "/api/v1/probes", body: Array(wish.utf8))
                let text = String(decoding: added.body, as: UTF8.self)
                let id = try #require(text.firstMatch(of: /"id": ?"(p-[a-z0-9]+)"/)?.1, "\(text)")
                let isThere = await eventually(within: 30, every: 0.01) {
                    !marks(in: markers).isEmpty
                }
                bookmaker.process.signal(SIGKILL)
                bookmaker.process.end()
                if isThere, !marks(in: markers).isEmpty { return String(id) }
                _ = try controller.send("DELETE", "/api/v1/probes?all=true")
            }
            throw Stuck("the service never died within a second of an install")
        }

        private func marks(in folder: URL) -> [String] {
            ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? [])
                .filter { $0.hasSuffix(".installing") }
        }

        /// How the probe is in one process; of one that was killed the controller hears nothing more.
        private func state(
            of id: String, in bookmaker: Bookmaker, _ controller: Controller
        ) throws -> String? {
            let probe: ShownProbe = try controller.get("/api/v1/probes/\(id)")
            return probe.instances.first { $0.pid == Int(bookmaker.process.pid) }?.state
        }

        private struct ShownProbe: Decodable {
            var instances: [Instance]

            struct Instance: Decodable {
                var pid: Int
                var state: String
            }
        }

        private func sonde(
            _ words: [String], _ workshop: Workshop, _ controller: Controller
        ) async throws -> (status: Int32, text: String) {
            try await workshop.run(
                try Workshop.program("sonde"), words, ["SONDE_URL": controller.url])
        }
    }
}
