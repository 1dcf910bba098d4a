// SPDX-License-Identifier: Apache-2.0
// Source files come from configured folders, whatever a recorded path says.

import Foundation
import SondeStore
import Testing

@Suite struct SourceFoldersTests {
    private let scratch = ScratchFolder()
    private var root: String { scratch.path + "/root" }

    init() throws {
        for folder in ["root/Sources/App", "root/.git", "root/other", "outside"] {
            try FileManager.default.createDirectory(
                atPath: "\(scratch.path)/\(folder)", withIntermediateDirectories: true)
        }
        try write("root/Sources/App/Cart.swift", "let cart = 1\n")
        try write("root/Cart.swift", "let nearer = 1\n")
        try write("root/.git/config.swift", "secret")
        try write("root/.env", "secret")
        try write("root/passwords.txt", "secret")
        try write("outside/Leak.swift", "secret")
    }

    private func write(_ path: String, _ text: String) throws {
        try text.write(toFile: "\(scratch.path)/\(path)", atomically: true, encoding: .utf8)
    }

    private func link(_ path: String, to target: String) throws {
        try FileManager.default.createSymbolicLink(
            atPath: "\(scratch.path)/\(path)", withDestinationPath: target)
    }

    private func text(_ recorded: String, roots: [String]? = nil) -> String? {
        SourceFolders(roots: roots ?? [root]).file(recorded)
            .map { String(decoding: $0.bytes, as: UTF8.self) }
    }

    @Test func theLongestEndOfARecordedPathIsTaken() {
        #expect(text("/build/7/app/Sources/App/Cart.swift") == "let cart = 1\n")
        #expect(text("Sources/App/Cart.swift") == "let cart = 1\n")
        #expect(text("/build/App/Cart.swift") == "let nearer = 1\n")
        let found = SourceFolders(roots: [root]).file("/build/app/Sources/App/Cart.swift")
        #expect(found?.path == "Sources/App/Cart.swift")
        #expect(text("/build/Sources/App/Basket.swift") == nil)
        #expect(text("Cart.swift", roots: []) == nil)
        #expect(text("Cart.swift", roots: ["/nowhere", root]) == "let nearer = 1\n")
    }

    @Test(
        arguments: [
            "../outside/Leak.swift", "/../outside/Leak.swift", "Sources/../../outside/Leak.swift",
            "..", "/", "", ".", "Sources/App/../../../outside/Leak.swift", "outside/Leak.swift",
            "%2e%2e/outside/Leak.swift", "..\\outside\\Leak.swift", "Leak.swift\0.swift",
            ".env", ".git/config.swift", "passwords.txt", "Sources/App", "/etc/passwd",
            "/proc/self/environ", "//..//outside//Leak.swift", "./../outside/Leak.swift",
        ])
    func nothingElseIsRead(_ recorded: String) {
        #expect(text(recorded) == nil)
    }

    @Test func linksDoNotLeadOut() throws {
        try link("root/Leak.swift", to: "../outside/Leak.swift")
        try link("root/away", to: scratch.path + "/outside")
        try link("root/Passwd.swift", to: "/etc/passwd")
        try link("root/Env.swift", to: ".env")
        try link("root/Config.swift", to: ".git/config.swift")
        try link("root/Same.swift", to: "Cart.swift")
        for recorded in [
            "Leak.swift", "away/Leak.swift", "Passwd.swift", "Env.swift", "Config.swift",
        ] {
            #expect(text(recorded) == nil, "\(recorded)")
        }
        #expect(text("Same.swift") == "let nearer = 1\n")
        // A folder whose name begins like the root's is another folder.
        try FileManager.default.createDirectory(
            atPath: root + "-more", withIntermediateDirectories: true)
        try write("root-more/More.swift", "secret")
        try link("root/More.swift", to: "../root-more/More.swift")
        #expect(text("More.swift") == nil)
    }

    @Test func aRootThatIsALinkIsFollowed() throws {
        try link("alias", to: "root")
        #expect(text("Cart.swift", roots: [scratch.path + "/alias"]) == "let nearer = 1\n")
    }

    @Test func pipesAndLargeFilesAreLeftAside() throws {
        #expect(mkfifo("\(root)/Pipe.swift", 0o600) == 0)
        #expect(text("Pipe.swift") == nil)
        let large = Data(count: SourceFolders.fileLimit + 1)
        try large.write(to: URL(fileURLWithPath: "\(root)/Large.swift"))
        #expect(text("Large.swift") == nil)
        try Data().write(to: URL(fileURLWithPath: "\(root)/Empty.swift"))
        #expect(text("Empty.swift") == "")
    }
}
