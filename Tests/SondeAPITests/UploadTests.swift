// SPDX-License-Identifier: Apache-2.0
// Images are asked for, uploaded, checked and used.

import Foundation
import SondeAPI
import SondeFormats
import SondeModel
import SondeServer
import SondeSymbols
import SondeWire
import Testing

@Suite struct UploadTests {
    @Test(
        arguments: Transport.allCases,
        ["/api/v1/debuginfo", "/sonde.control.v1.ControlService/UploadImage"])
    func anImageIsStoredOnceAndListed(_ transport: Transport, _ path: String) throws {
        let controller = try TestController()
        let (bytes, buildID) = try library()
        let put = {
            try controller.send(
                "PUT", "\(path)/\(buildID)?name=libz.so.1", over: transport, body: bytes)
        }
        let first = try put()
        #expect(first.status == 200, "\(first.text)")
        #expect(first.json["buildID"] as? String == buildID)
        let second = try put()
        #expect(second.status == 409)
        #expect(second.code == "already_exists")
        let list = try controller.send("GET", "/api/v1/debuginfo", over: transport)
        let images = try #require(list.json["images"] as? [[String: Any]])
        #expect(images.count == 1)
        #expect(images[0]["buildID"] as? String == buildID)
        #expect(images[0]["name"] as? String == "libz.so.1")
        #expect(images[0]["sizeBytes"] as? Int == bytes.count)
    }

    @Test(arguments: Transport.allCases)
    func whatIsNotTheImageThatWasAnnouncedIsRefused(_ transport: Transport) throws {
        let controller = try TestController()
        let (bytes, buildID) = try library()
        let other = String(repeating: "ab", count: 20)
        for (id, body, status) in [
            (other, bytes, 400), (buildID, Array("no ELF at all".utf8), 400), (buildID, [], 400),
            (buildID, Array(bytes.prefix(1000)), 400), ("xyz", bytes, 400), ("abc", bytes, 400),
        ] {
            let answer = try controller.send(
                "PUT", "/api/v1/debuginfo/\(id)", over: transport, body: body)
            #expect(answer.status == status, "\(answer.text)")
            #expect(!answer.message.contains(controller.folder.path))
        }
        let list = try controller.send("GET", "/api/v1/debuginfo")
        #expect((list.json["images"] as? [Any])?.isEmpty == true)
        let left = try FileManager.default.contentsOfDirectory(
            atPath: controller.folder.path + "/images/incoming")
        #expect(left.isEmpty)
    }

    @Test func anImageBeyondTheLimitIsRefused() throws {
        let controller = try TestController { $0.limits.imageBytes = 1000 }
        let (bytes, buildID) = try library()
        for transport in Transport.allCases {
            let answer = try controller.send(
                "PUT", "/api/v1/debuginfo/\(buildID)", over: transport, body: bytes)
            #expect(answer.status == 413)
        }
    }

    @Test func agentsAreAskedForWhatIsMissingOneAtATime() throws {
        let controller = try TestController()
        let (bytes, buildID) = try library()
        var image = Module()
        image.path = "/usr/lib/libz.so.1"
        image.buildID = buildID
        let modules = [image, module("/usr/lib/unused.so", "cd")]
        try controller.register("one", modules: modules)
        try controller.register("two", modules: modules)
        let wanted = { (instance: String) in
            try DesiredState(decoding: controller.poll(instance).body[...]).wantedBuildIDs
        }
        #expect(try wanted("one") == [buildID])
        #expect(try wanted("two") == [])
        #expect(try wanted("one") == [buildID], "asking again does not take it back")
        let put = try controller.send(
            "PUT", "/sonde.control.v1.ControlService/UploadImage/\(buildID)", body: bytes)
        #expect(put.status == 200)
        let list = try controller.send("GET", "/api/v1/debuginfo").text
        #expect(list.contains(#""name":"libz.so.1""#), "the name is the agents' own: \(list)")
        #expect(try wanted("one") == [])
        #expect(try wanted("two") == [])
    }

    @Test func aLibraryIsAskedForWhenItOccursInProfiles() throws {
        let controller = try TestController()
        try controller.register(
            "one", modules: [module("/opt/main", "ab"), module("/usr/lib/a.so", "cd")])
        let wanted = {
            try DesiredState(decoding: controller.poll("one").body[...]).wantedBuildIDs
        }
        let main = String(repeating: "ab", count: 20)
        let library = String(repeating: "cd", count: 20)
        #expect(try wanted() == [main])
        var tree = LocationTree()
        tree.add(
            5,
            rootFirst: [
                .address(
                    image: ImageID(buildID: BuildID(hex: library), path: "/usr/lib/a.so"),
                    offset: FileOffset(0x1000))
            ])
        let document = PprofDocument(
            tree,
            PprofDocument.Description(
                type: .cpu, start: Timestamp(unixMilliseconds: 0), durationNanoseconds: 1))
        let answer = try controller.send(
            "POST", pushTarget, headers: [("Content-Type", "application/proto")],
            body: push(document.encode()))
        #expect(answer.status == 200)
        #expect(try wanted() == [main, library])
        let flame = try controller.send("GET", "/api/v1/flame")
        #expect(flame.json["unresolved"] as? Int == 5)
        #expect((flame.json["notes"] as? [String])?.first?.contains("a.so") == true)
    }

    @Test func aFileThatWasRefusedIsNotAskedForAgain() throws {
        let controller = try TestController()
        try controller.register("one")
        let id = String(repeating: "ab", count: 20)
        #expect(try DesiredState(decoding: controller.poll("one").body[...]).wantedBuildIDs == [id])
        let put = try controller.send(
            "PUT", "/sonde.control.v1.ControlService/UploadImage/\(id)", body: [1, 2, 3])
        #expect(put.status == 400)
        #expect(try DesiredState(decoding: controller.poll("one").body[...]).wantedBuildIDs == [])
    }

    /// A real library of this machine, with its build id.
    private func library() throws -> ([UInt8], String) {
        for folder in ["/usr/lib/x86_64-linux-gnu", "/lib/x86_64-linux-gnu", "/usr/lib64"] {
            let path = folder + "/libz.so.1"
            guard let data = FileManager.default.contents(atPath: path) else { continue }
            let buildID = try #require(try ElfImage(path: path).buildID)
            return (Array(data), buildID.description)
        }
        throw CocoaError(.fileNoSuchFile)
    }
}
