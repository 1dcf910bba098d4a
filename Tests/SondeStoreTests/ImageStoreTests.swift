// SPDX-License-Identifier: Apache-2.0
// Uploaded images: whole or not at all, once for each build id and role.

import Foundation
import SondeModel
import SondeStore
import Testing

@Suite struct ImageStoreTests {
    private let scratch = ScratchFolder()
    private let id: BuildID

    init() throws { id = try #require(BuildID(hex: "12ab34cd")) }

    private func incoming() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: scratch.path + "/images/incoming")
    }

    @Test func aFileAppearsWholeWhenItIsFinished() throws {
        let store = try ImageStore(DataFolder(scratch.path))
        let upload = try store.beginUpload(id, role: .image, name: "/usr/bin/bookmaker")
        try upload.append(Array("\u{7F}ELF".utf8))
        try upload.append([1, 2, 3][...])
        #expect(!store.contains(id))
        #expect(FileManager.default.contents(atPath: upload.temporaryPath)?.count == 7)
        try upload.finish()
        let file = try #require(store.files(id).first)
        #expect(store.files(id).count == 1)
        #expect(file.role == .image)
        #expect(file.name == "bookmaker")
        #expect(file.bytes == 7)
        #expect(
            FileManager.default.contents(atPath: file.path) == Data("\u{7F}ELF".utf8 + [1, 2, 3]))
        #expect(abs(file.received.unixMilliseconds - SystemClock.now().unixMilliseconds) < 60_000)
        #expect(try incoming().isEmpty)
    }

    @Test func anImageAndItsDebugFileAreKeptSideBySide() throws {
        let store = try ImageStore(DataFolder(scratch.path))
        for role in ImageStore.Role.allCases {
            let upload = try store.beginUpload(id, role: role, name: "b.\(role.rawValue)")
            try upload.append(repeatElement(7, count: 10))
            try upload.finish()
        }
        #expect(store.files(id).map(\.role) == [.image, .debug])
        #expect(store.list().map(\.name) == ["b.image", "b.debug"])
        #expect(store.totalBytes() == 20)
        try store.remove(id)
        #expect(store.list().isEmpty)
        #expect(throws: StoreError.self) { try store.remove(id) }
    }

    @Test func ofTwoUploadsOfOneImageTheFirstToFinishWins() throws {
        let store = try ImageStore(DataFolder(scratch.path))
        let one = try store.beginUpload(id, role: .image, name: "one")
        let two = try store.beginUpload(id, role: .image, name: "two")
        try one.append([1])
        try two.append([2, 2])
        try two.finish()
        let error = try #require(throws: StoreError.self) { try one.finish() }
        #expect(error.code == .alreadyExists)
        one.cancel()
        #expect(store.files(id).map(\.name) == ["two"])
        let late = try #require(throws: StoreError.self) {
            try store.beginUpload(id, role: .image, name: "three")
        }
        #expect(late.code == .alreadyExists)
        #expect(try incoming().isEmpty)
    }

    @Test func aFileThatIsTooLargeIsRefusedBeforeItIsWritten() throws {
        let store = try ImageStore(DataFolder(scratch.path), maximumFileBytes: 10)
        let early = try #require(throws: StoreError.self) {
            try store.beginUpload(id, role: .image, name: "x", expectedBytes: 11)
        }
        #expect(early.code == .tooLarge)
        let upload = try store.beginUpload(id, role: .image, name: "x", expectedBytes: 10)
        try upload.append([UInt8](repeating: 0, count: 10))
        let error = try #require(throws: StoreError.self) { try upload.append([0]) }
        #expect(error.code == .tooLarge)
        #expect(error.message == "cannot store image 12ab34cd: got 11 bytes; want at most 10")
    }

    @Test func whatIsNotFinishedLeavesNothingBehind() throws {
        do {
            let store = try ImageStore(DataFolder(scratch.path))
            let upload = try store.beginUpload(id, role: .image, name: "x")
            try upload.append([1])
        }
        #expect(try incoming().isEmpty)
        // What a killed process left.
        let left = scratch.path + "/images/incoming/7"
        try FileManager.default.createDirectory(atPath: left, withIntermediateDirectories: true)
        try Data([1]).write(to: URL(fileURLWithPath: left + "/x"))
        let store = try ImageStore(DataFolder(scratch.path))
        #expect(try incoming().isEmpty)
        let empty = try store.beginUpload(id, role: .image, name: "x")
        #expect(try #require(throws: StoreError.self) { try empty.finish() }.code == .rejected)
        empty.cancel()
        #expect(throws: StoreError.self) { try empty.append([1]) }
        #expect(store.list().isEmpty)
    }

    @Test(arguments: ["../../etc/passwd", "..", "", "a/", "\u{0}/x y\n", "/", ".hidden"])
    func aNameFromOutsideStaysInsideItsFolder(name: String) throws {
        let store = try ImageStore(DataFolder(scratch.path))
        let upload = try store.beginUpload(id, role: .debug, name: name)
        try upload.append([1])
        try upload.finish()
        let file = try #require(store.files(id).first)
        #expect(file.path.hasPrefix(scratch.path + "/images/12ab34cd/debug/"))
        #expect(!file.name.contains("/"))
        #expect(!file.name.hasPrefix("."))
        #expect(!file.name.isEmpty)
    }
}
