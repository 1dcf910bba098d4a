// SPDX-License-Identifier: Apache-2.0
// An agent that was told its tenant says it with everything that it sends.

import SondeTestServer
import SondeWire
import Testing

@testable import SondeAgent

struct TenantTests {
    @Test func everyRequestNamesTheTenant() throws {
        let file = TestImages.elf(TestImages.buildID, padding: 1000)
        try TestImages.withFile(file) { path in
            let controller = try FakeController()
            defer { controller.server.stop() }
            let catalog = TestImages.catalog([TestImages.image(path, TestImages.buildID)])
            let hurried = try HurriedAgent(controller.server.url, images: catalog) {
                $0.tenant = "night"
            }
            hurried.use { hurried in
                controller.desire { desired in
                    desired.revision = "r1"
                    desired.probes = [SampleProbe.wanted("p-1", tag: "billing")]
                    desired.wantedBuildIDs = ["\(TestImages.buildID)"]
                }
                #expect(eventually { hurried.patcher.hit("p-1", 250) })
                let paths = [
                    Path.register, Path.poll, Path.push, Path.logs,
                    Path.upload + "\(TestImages.buildID)",
                ]
                for path in paths {
                    #expect(
                        eventually { !controller.server.requests(to: path).isEmpty }, "\(path)")
                }
            }
            let tenants = controller.server.requests.map { $0.headers["x-scope-orgid"] }
            #expect(Set(tenants) == ["night"])
        }
    }

    @Test func withoutATenantNoneIsNamed() throws {
        let controller = try FakeController()
        defer { controller.server.stop() }
        try HurriedAgent(controller.server.url).use { _ in
            #expect(eventually { controller.profiles.count >= 1 })
        }
        #expect(controller.server.requests.allSatisfy { $0.headers["x-scope-orgid"] == nil })
    }
}
