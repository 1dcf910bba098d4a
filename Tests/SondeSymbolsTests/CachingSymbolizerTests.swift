// SPDX-License-Identifier: Apache-2.0
// What the symbolizer remembers, forgets and says about what it lacks.

import Foundation
import SondeModel
import SondeSymbols
import Synchronization
import Testing

@Suite struct CachingSymbolizerTests {
    /// Files by build id that come and go, and a count of how often they were asked for.
    final class Shelf: Sendable {
        let files = Mutex<[BuildID: [String]]>([:])
        let questions = Mutex(0)

        func symbolizer(maxImages: Int = 64) -> CachingSymbolizer {
            CachingSymbolizer(maxImages: maxImages) { [self] buildID in
                questions.withLock { $0 += 1 }
                return files.withLock { $0[buildID] ?? [] }
            }
        }
    }

    /// A program, its image as an agent would name it, and an offset inside `outer`.
    static func subject() throws -> (CompiledProgram, ImageID, FileOffset) {
        let program = try CompiledProgram.c(dwarf: 5)
        let file = try ElfImage(path: program.path)
        let outer = try #require(try program.functions()["outer"])
        let offset = try #require(file.offset(of: ImageAddress(outer)))
        return (program, ImageID(buildID: file.buildID, path: "/srv/app/bin/demo"), offset)
    }

    @Test func namesComeFromTheFileWithTheSameBuildID() throws {
        let (program, image, offset) = try Self.subject()
        let buildID = try #require(image.buildID)
        let shelf = Shelf()
        shelf.files.withLock { $0[buildID] = [program.path] }
        let symbolizer = shelf.symbolizer()
        for _ in 0..<3 {
            let frames = symbolizer.frames(image: image, offset: offset)
            #expect(frames.map(\.name) == ["outer"])
            #expect(frames.map(\.module) == ["demo"])
        }
        #expect(shelf.questions.withLock { $0 } == 1)
        #expect(symbolizer.notes.isEmpty)
    }

    @Test func anImageThatArrivesLateIsUsedAsSoonAsItIsAnnounced() throws {
        let (program, image, offset) = try Self.subject()
        let buildID = try #require(image.buildID)
        let shelf = Shelf()
        let symbolizer = shelf.symbolizer()
        let unknown = symbolizer.frames(image: image, offset: offset)
        #expect(unknown.map(\.kind) == [.unresolved])
        #expect(unknown[0].name == "demo+0x" + String(offset.rawValue, radix: 16))
        #expect(symbolizer.notes == [ImageNote(image: image, lack: .file)])
        #expect(symbolizer.note(for: image)?.description.contains("\(buildID)") == true)
        shelf.files.withLock { $0[buildID] = [program.path] }
        #expect(symbolizer.frames(image: image, offset: offset) == unknown)
        symbolizer.imageArrived(buildID)
        #expect(symbolizer.frames(image: image, offset: offset).map(\.name) == ["outer"])
        #expect(symbolizer.notes.isEmpty)
    }

    @Test func notesSayWhatIsMissingOfAnImage() throws {
        let (program, image, offset) = try Self.subject()
        let buildID = try #require(image.buildID)
        let bare = try program.copy("note-bare", "objcopy", ["--strip-debug"])
        let stripped = try program.copy("note-stripped", "objcopy", ["--strip-all"])
        let debug = try program.copy("note-debug", "objcopy", ["--only-keep-debug"])
        let cases: [([String], ImageNote.Lack?)] = [
            ([program.path], nil), ([bare.path], .debugInfo), ([stripped.path], .symbols),
            ([debug.path], .loadMap), ([stripped.path, debug.path], nil), ([], .file),
        ]
        for (files, lack) in cases {
            let shelf = Shelf()
            shelf.files.withLock { $0[buildID] = files }
            let symbolizer = shelf.symbolizer()
            _ = symbolizer.frames(image: image, offset: offset)
            #expect(symbolizer.note(for: image)?.lack == lack, "\(files)")
        }
        let shelf = Shelf()
        shelf.files.withLock { $0[buildID] = ["/nowhere/at/all"] }
        let symbolizer = shelf.symbolizer()
        _ = symbolizer.frames(image: image, offset: offset)
        #expect(symbolizer.notes.first?.description.contains("/nowhere/at/all") == true)
    }

    @Test func aFileOfAnotherBuildIDIsLeftAside() throws {
        let (_, image, offset) = try Self.subject()
        let buildID = try #require(image.buildID)
        let other = try CompiledProgram.c(dwarf: 4)
        let shelf = Shelf()
        shelf.files.withLock { $0[buildID] = [other.path] }
        let symbolizer = shelf.symbolizer()
        #expect(symbolizer.frames(image: image, offset: offset)[0].kind == .unresolved)
        #expect(symbolizer.note(for: image)?.lack == .file)
    }

    @Test func imagesWithoutABuildIDAndTheKernelsOwnAreUnresolved() {
        let symbolizer = Shelf().symbolizer()
        let offset = FileOffset(0x1A2B)
        func name(_ path: String) -> String {
            symbolizer.frames(image: ImageID(buildID: nil, path: path), offset: offset)[0].name
        }
        #expect(name("/opt/lib/libold.so") == "libold.so+0x1a2b")
        #expect(name("[vdso]") == "[vdso]")
        #expect(name("") == "0x1a2b")
        #expect(symbolizer.notes.map(\.lack) == [.buildID])
        let vdso = ImageID(buildID: BuildID(hex: "ab12"), path: "[vdso]")
        #expect(symbolizer.frames(image: vdso, offset: offset)[0].name == "[vdso]")
    }

    @Test func theImageThatWasNotAskedForTheLongestIsForgotten() throws {
        let (program, image, offset) = try Self.subject()
        let buildID = try #require(image.buildID)
        let shelf = Shelf()
        shelf.files.withLock { $0[buildID] = [program.path] }
        let symbolizer = shelf.symbolizer(maxImages: 2)
        func ask(_ image: ImageID) { _ = symbolizer.frames(image: image, offset: offset) }
        ask(image)
        for digit in 1...3 { ask(ImageID(buildID: BuildID(hex: "0\(digit)"), path: "x\(digit)")) }
        #expect(shelf.questions.withLock { $0 } == 4)
        ask(image)
        #expect(shelf.questions.withLock { $0 } == 5)
        #expect(symbolizer.frames(image: image, offset: offset).map(\.name) == ["outer"])
    }

    @Test func manyThreadsGetTheSameAnswers() async throws {
        let (program, image, offset) = try Self.subject()
        let buildID = try #require(image.buildID)
        let shelf = Shelf()
        shelf.files.withLock { $0[buildID] = [program.path] }
        let symbolizer = shelf.symbolizer()
        let answers = await withTaskGroup(of: [[Frame]].self) { group in
            for task in 0..<8 {
                group.addTask {
                    (0..<200).map { index in
                        if task == 0, index % 50 == 0 { symbolizer.imageArrived(buildID) }
                        let place = FileOffset(offset.rawValue + UInt64(index % 60))
                        return symbolizer.frames(image: image, offset: place)
                    }
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(answers.count == 8)
        #expect(Set(answers).count == 1)
    }
}
