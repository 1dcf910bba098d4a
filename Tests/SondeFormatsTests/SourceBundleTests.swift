// SPDX-License-Identifier: Apache-2.0
// Archives of source files: what tar makes is read, and what is hostile is refused in words.

import Foundation
import SondeFormats
import Testing

@Suite struct SourceBundleTests {
    private static func read(
        _ bytes: [UInt8], limits: SourceBundle.Limits = .init()
    ) throws(SourceBundleError) -> SourceBundle {
        try SourceBundle(tar: bytes, limits: limits) { $0.hasSuffix(".swift") }
    }

    private static func file(_ path: String, _ text: String, at time: Int64 = 0)
        -> SourceBundle.File
    {
        .init(path: path, bytes: Array(text.utf8), modified: time)
    }

    /// One header and its content, as an archive has it.
    private static func entry(
        _ name: String, type: Character = "0", size: Int? = nil, _ content: [UInt8] = []
    ) -> [UInt8] {
        var header = [UInt8](repeating: 0, count: 512)
        func put(_ text: String, at offset: Int) {
            for (index, byte) in text.utf8.enumerated() { header[offset + index] = byte }
        }
        put(name, at: 0)
        put("0000644\0", at: 100)
        put(String(format: "%011o", size ?? content.count), at: 124)
        put("00000000000", at: 136)
        put("        ", at: 148)
        put(String(type), at: 156)
        put("ustar\0", at: 257)
        let sum = header.reduce(0) { $0 + Int($1) }
        put(String(format: "%06o\0 ", sum), at: 148)
        let padding = (512 - content.count % 512) % 512
        return header + content + [UInt8](repeating: 0, count: padding)
    }

    private static let end = [UInt8](repeating: 0, count: 1024)

    private func refusal(_ bytes: [UInt8], limits: SourceBundle.Limits = .init()) -> String? {
        do throws(SourceBundleError) {
            _ = try Self.read(bytes, limits: limits)
            return nil
        } catch { return error.description }
    }

    @Test func aBundleIsReadAsItWasWritten() throws {
        let long = String(repeating: "very-long-folder/", count: 12) + "Cart.swift"
        let bundle = SourceBundle([
            Self.file("Sources/App/Cart.swift", "let cart = 1\n", at: 1_769_871_600),
            Self.file("Sources/App/Empty.swift", ""),
            Self.file(long, String(repeating: "x", count: 512)),
            Self.file("Sources/Größe.swift", String(repeating: "y", count: 513)),
        ])
        #expect(try Self.read(bundle.tar) == bundle)
        #expect(bundle.tar.count % 512 == 0)
    }

    @Test(arguments: ["ustar", "pax", "gnu", "v7"])
    func whatTarMakesIsRead(_ format: String) throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
            "sonde-bundle-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        let deep = String(repeating: "folder/", count: 6) + "deeper"
        let name = format == "v7" ? "Cart.swift" : String(repeating: "n", count: 60) + ".swift"
        try FileManager.default.createDirectory(
            at: folder.appendingPathComponent(deep), withIntermediateDirectories: true)
        try "let a = 1\n".write(
            to: folder.appendingPathComponent("\(deep)/\(name)"), atomically: true, encoding: .utf8)
        try "secret".write(
            to: folder.appendingPathComponent("notes.txt"), atomically: true, encoding: .utf8)
        try FileManager.default.createSymbolicLink(
            atPath: folder.path + "/Passwd.swift", withDestinationPath: "/etc/passwd")
        let tar = Process()
        tar.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        tar.arguments = ["tar", "--format=\(format)", "-C", folder.path, "-cf", "-", "."]
        let pipe = Pipe()
        tar.standardOutput = pipe
        try tar.run()
        let bytes = Array(pipe.fileHandleForReading.readDataToEndOfFile())
        tar.waitUntilExit()
        #expect(tar.terminationStatus == 0)
        let bundle = try Self.read(bytes)
        #expect(bundle.files.map(\.path) == ["\(deep)/\(name)"])
        #expect(bundle.files.first?.bytes == Array("let a = 1\n".utf8))
        #expect(
            abs((bundle.files.first?.modified ?? 0) - Int64(Date().timeIntervalSince1970)) < 600)
        // The link and the notes.
        #expect(bundle.leftOut == 2)
    }

    @Test func linksAndDevicesAreLeftOut() throws {
        let bytes =
            Self.entry("Leak.swift", type: "2") + Self.entry("Hard.swift", type: "1")
            + Self.entry("Disk.swift", type: "4") + Self.entry("Pipe.swift", type: "6")
            + Self.entry("Sources/", type: "5") + Self.end
        let bundle = try Self.read(bytes)
        #expect(bundle.files.isEmpty && bundle.leftOut == 4)
    }

    @Test(
        arguments: [
            "/etc/passwd.swift", "../Leak.swift", "Sources/../../Leak.swift", "Sources//A.swift",
            "a/./b.swift", "..", "./../Leak.swift", "a\u{1}b.swift", "a\nb.swift", "/",
            "..//x.swift",
        ])
    func pathsThatLeadOutAreRefused(_ path: String) throws {
        let words = try #require(refusal(Self.entry(path, Array("x".utf8)) + Self.end))
        #expect(words.hasPrefix("cannot read the source bundle: got the path "), "\(words)")
        #expect(words.contains("; want one below the bundle's folder"))
        #expect(!words.contains("\n") && !words.contains("\u{1}"))
        // By a pax header, too.
        let value = "path=\(path)\n"
        let length = value.utf8.count + 3
        let record = Array("\(length) \(value)".utf8)
        let pax = Self.entry("pax", type: "x", record) + Self.entry("Good.swift") + Self.end
        #expect(refusal(pax) != nil)
        // And by GNU's long name.
        let gnu =
            Self.entry("././@LongLink", type: "L", Array(path.utf8) + [0])
            + Self.entry("Good.swift") + Self.end
        #expect(refusal(gnu) != nil)
    }

    @Test func aFileMayComeOnce() {
        let one = Self.entry("A.swift", Array("1".utf8))
        #expect(
            refusal(one + Self.entry("./A.swift", Array("2".utf8)) + Self.end)
                == "cannot read the source bundle: got \"A.swift\" twice; want each file once")
        #expect(refusal(one + Self.end) == nil)
    }

    @Test func whatIsCutOffIsRefusedAtEachByte() {
        let whole = SourceBundle([
            Self.file("A.swift", "let a = 1\n"),
            Self.file(String(repeating: "long/", count: 30) + "B.swift", "let b = 1\n"),
        ]).tar
        // One of the two blocks of zeros at the end is enough.
        for count in 0..<(whole.count - 1023) {
            let words = refusal(Array(whole.prefix(count)))
            #expect(words?.contains("cut off") == true, "\(count): \(words ?? "read")")
        }
        #expect(refusal(whole) == nil)
    }

    @Test func whatIsNoArchiveIsRefused() {
        for bytes in [
            Array("PK\u{3}\u{4}".utf8) + [UInt8](repeating: 1, count: 2000),
            [UInt8](repeating: 0x20, count: 1024), [UInt8](repeating: 0xFF, count: 1024),
        ] { #expect(refusal(bytes)?.contains("want a tar archive") == true) }
        var broken = Self.entry("A.swift") + Self.end
        broken[0] = UInt8(ascii: "B")
        #expect(refusal(broken)?.contains("no entry of a tar archive at byte 0") == true)
    }

    @Test func sizesThatLieAreRefused() {
        #expect(
            refusal(Self.entry("A.swift", size: 1 << 30) + Self.end)?.contains("cut off") == true)
        for size in ["99999999999999999999", "-1", "9223372036854775807"] {
            let value = "size=\(size)\n"
            let record = Array("\(value.utf8.count + 3) \(value)".utf8)
            let bytes =
                Self.entry("pax", type: "x", record) + Self.entry("A.swift") + Self.end
            #expect(refusal(bytes) != nil, "\(size)")
        }
        for record in ["", "5", "9999 path=x\n", "0 a=b\n", "4 ab", "-3 a\n"] {
            let bytes =
                Self.entry("pax", type: "x", Array(record.utf8)) + Self.entry("A.swift") + Self.end
            #expect((refusal(bytes) == nil) == record.isEmpty, "\(record)")
        }
    }

    @Test func limitsHold() {
        var limits = SourceBundle.Limits()
        limits.fileBytes = 3
        limits.files = 2
        limits.pathBytes = 9
        limits.pathComponents = 2
        func words(_ names: [String], _ text: String = "abc") -> String? {
            refusal(
                names.flatMap { Self.entry($0, Array(text.utf8)) } + Self.end, limits: limits)
        }
        #expect(words(["A.swift", "B.swift"]) == nil)
        #expect(
            words(["A.swift"], "abcd")?.contains("got 4 bytes of \"A.swift\"; want at most 3")
                == true)
        #expect(words(["A.swift", "B.swift", "C.swift"])?.contains("more than 2 files") == true)
        #expect(words(["ABCD.swift"])?.contains("a path of 10 bytes; want at most 9") == true)
        #expect(words(["a/b/c"])?.contains("a path of 3 components; want at most 2") == true)
    }
}
