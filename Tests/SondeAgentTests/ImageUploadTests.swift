// SPDX-License-Identifier: Apache-2.0
// Images are sent when they are wanted, once, and only the ones that are loaded.

import Foundation
import Glibc
import SondeModel
import SondeTestServer
import SondeWire
import Testing

@testable import SondeAgent
@testable import SondeSampling

/// Images made by the test itself.
enum TestImages {
    static let buildID = BuildID(bytes: Array(1...20)) ?? BuildID.none

    /// A file of ELF's form with nothing but a note that holds a build id.
    static func elf(_ buildID: BuildID, padding: Int = 0) -> [UInt8] {
        func little(_ value: UInt64, _ size: Int) -> [UInt8] {
            (0..<size).map { UInt8(truncatingIfNeeded: value >> (8 * UInt64($0))) }
        }
        let note =
            little(4, 4) + little(UInt64(buildID.bytes.count), 4) + little(3, 4)
            + [0x47, 0x4E, 0x55, 0] + buildID.bytes
        let header: [UInt8] =
            [0x7F, 0x45, 0x4C, 0x46, 2, 1, 1] + [UInt8](repeating: 0, count: 9)  // e_ident
            + little(3, 2) + little(62, 2) + little(1, 4) + little(0, 8)  // type ... entry
            + little(64, 8) + little(0, 8) + little(0, 4)  // phoff, shoff, flags
            + little(64, 2) + little(56, 2) + little(1, 2)  // ehsize, phentsize, phnum
            + little(0, 2) + little(0, 2) + little(0, 2)
        let segment =
            little(4, 4) + little(4, 4) + little(120, 8) + little(0, 8) + little(0, 8)
            + little(UInt64(note.count), 8) + little(UInt64(note.count), 8) + little(4, 8)
        return header + segment + note + [UInt8](repeating: 7, count: padding)
    }

    static func image(_ path: String, _ buildID: BuildID?) -> LoadedImage {
        LoadedImage(
            path: path, buildID: buildID, segments: [],
            loadStart: RuntimeAddress(0x1000), loadEnd: RuntimeAddress(0x2000))
    }

    static func catalog(
        _ images: [LoadedImage] = [], changes: @escaping @Sendable () -> UInt64 = { 1 }
    ) -> ImageCatalog {
        ImageCatalog(reading: { images }, changes: changes)
    }

    /// Writes a file for the time of a test.
    static func withFile(_ bytes: [UInt8], _ body: (String) throws -> Void) throws {
        let path = FileManager.default.temporaryDirectory.path + "/sonde-image-\(UUID())"
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        defer { unlink(path) }
        try body(path)
    }
}

extension BuildID {
    /// Never used: the bytes above are a build id.
    fileprivate static var none: BuildID { preconditionFailure("BUG: 20 bytes are a build id") }
}

struct ImageUploadTests {
    private func uploads(_ controller: FakeController) -> [TestRequest] {
        controller.server.requests.filter { $0.target.hasPrefix(Path.upload) }
    }

    private func want(_ controller: FakeController, _ ids: [String], revision: String = "r1") {
        controller.desire { desired in
            desired.revision = revision
            desired.wantedBuildIDs = ids
        }
    }

    @Test func aWantedImageIsSentOnceAsItIs() throws {
        let file = TestImages.elf(TestImages.buildID, padding: 300_000)
        try TestImages.withFile(file) { path in
            let controller = try FakeController()
            defer { controller.server.stop() }
            let catalog = TestImages.catalog([TestImages.image(path, TestImages.buildID)])
            try HurriedAgent(controller.server.url, images: catalog).use { _ in
                want(controller, ["\(TestImages.buildID)", "\(TestImages.buildID)", "not hex"])
                #expect(eventually { uploads(controller).count == 1 })
                let upload = try #require(uploads(controller).first)
                #expect(upload.method == "PUT")
                #expect(upload.target == Path.upload + "\(TestImages.buildID)")
                #expect(upload.headers["content-type"] == "application/octet-stream")
                #expect(upload.headers["authorization"] == "Bearer agent-token")
                #expect(upload.body == file)
                want(controller, ["\(TestImages.buildID)"], revision: "r2")
                #expect(eventually { controller.polls.last?.revision == "r2" })
                let polls = controller.polls.count
                #expect(eventually { controller.polls.count > polls + 1 })
                #expect(uploads(controller).count == 1)
            }
        }
    }

    @Test func aFileThatWasReplacedIsNotSent() throws {
        let other = try #require(BuildID(bytes: [9, 9, 9]))
        try TestImages.withFile(TestImages.elf(other)) { path in
            let controller = try FakeController()
            defer { controller.server.stop() }
            let catalog = TestImages.catalog([TestImages.image(path, TestImages.buildID)])
            try HurriedAgent(controller.server.url, images: catalog).use { hurried in
                want(controller, ["\(TestImages.buildID)"])
                #expect(
                    eventually {
                        hurried.agent.report.problems.contains { $0.contains("no file with") }
                    })
                #expect(uploads(controller).isEmpty)
            }
        }
    }

    @Test func nothingThatIsNotLoadedIsSent() throws {
        try TestImages.withFile(TestImages.elf(TestImages.buildID)) { path in
            let controller = try FakeController()
            defer { controller.server.stop() }
            let loaded = try #require(BuildID(bytes: [1]))
            let catalog = TestImages.catalog([TestImages.image(path, loaded)])
            try HurriedAgent(controller.server.url, images: catalog).use { _ in
                want(controller, ["\(TestImages.buildID)"])
                #expect(eventually { controller.polls.last?.revision == "r1" })
                let polls = controller.polls.count
                #expect(eventually { controller.polls.count > polls + 1 })
                #expect(uploads(controller).isEmpty)
            }
        }
    }

    @Test func anUploadThatFailsIsTriedAgainAndOneThatIsRefusedIsNot() throws {
        let target = Path.upload + "\(TestImages.buildID)"
        try TestImages.withFile(TestImages.elf(TestImages.buildID)) { path in
            let controller = try FakeController()
            defer { controller.server.stop() }
            let catalog = TestImages.catalog([TestImages.image(path, TestImages.buildID)])
            controller.answer(target, with: .respond(503))
            try HurriedAgent(controller.server.url, images: catalog).use { hurried in
                want(controller, ["\(TestImages.buildID)"])
                #expect(eventually { uploads(controller).count >= 2 })
                controller.answer(target, with: .respond(400, body: Array("bad file".utf8)))
                #expect(
                    eventually {
                        hurried.agent.report.problems.contains { $0.contains("(bad file)") }
                    })
                let count = uploads(controller).count
                let polls = controller.polls.count
                #expect(eventually { controller.polls.count > polls + 1 })
                #expect(uploads(controller).count == count)
            }
        }
    }

    @Test func uploadsCanBeForbidden() throws {
        try TestImages.withFile(TestImages.elf(TestImages.buildID)) { path in
            let controller = try FakeController()
            defer { controller.server.stop() }
            let catalog = TestImages.catalog([TestImages.image(path, TestImages.buildID)])
            try HurriedAgent(controller.server.url, images: catalog) { $0.uploadsImages = false }
                .use { _ in
                    want(controller, ["\(TestImages.buildID)"])
                    #expect(eventually { controller.polls.last?.revision == "r1" })
                    let polls = controller.polls.count
                    #expect(eventually { controller.polls.count > polls + 1 })
                    #expect(uploads(controller).isEmpty)
                }
        }
    }

    @Test func theBuildIDOfAFileIsReadWithoutTrust() throws {
        let whole = TestImages.elf(TestImages.buildID)
        func read(_ bytes: [UInt8]) throws -> BuildID? {
            var result: BuildID?
            try TestImages.withFile(bytes) { path in
                let file = open(path, O_RDONLY)
                defer { close(file) }
                result = ELFFileNotes.buildID(ofFile: file)
            }
            return result
        }
        #expect(try read(whole) == TestImages.buildID)
        for length in stride(from: 0, to: whole.count, by: 3) {
            #expect(try read(Array(whole[..<length])) == nil)
        }
        for place in 0..<whole.count {
            var damaged = whole
            damaged[place] ^= 0xFF
            _ = try read(damaged)
        }
        let own = open("/proc/self/exe", O_RDONLY)
        defer { close(own) }
        #expect(ELFFileNotes.buildID(ofFile: own) == LoadedImage.all().first?.buildID)
    }
}
