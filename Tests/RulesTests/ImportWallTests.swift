// SPDX-License-Identifier: Apache-2.0
// The walls between folders: who may import whom, and why.

import Testing

@Suite struct ImportWalls {
    /// Everything that is linked into the user's process.
    static let guestFolders = [
        "agent", "probes/SondeProbeProgram", "probes/SondeProbeRuntime", "Sources/SondeModel",
        "Sources/SondeWire", "Sources/SondeFormats", "Sources/SondeHTTPClient",
        "Sources/SondeLock",
    ]

    @Test(arguments: guestFolders)
    func nothingInTheServicesProcessImportsFoundation(folder: String) {
        // The guest stays small: Foundation is 20 MB and starts threads and caches of its own.
        let banned: Set = ["Foundation", "FoundationEssentials", "Dispatch", "_Concurrency"]
        for path in Repository.swiftFiles(below: folder) {
            let found = banned.intersection(Repository.imports(of: path))
            #expect(found.isEmpty, "\(path) imports \(found): the guest links no Foundation")
        }
    }

    @Test(arguments: guestFolders)
    func nothingInTheServicesProcessUsesSwiftsOwnMutex(folder: String) {
        // It traps or hangs in a child of fork (Swift 6.3); SondeLock holds the one that does not.
        // Comments may speak of it.
        for path in Repository.swiftFiles(below: folder) {
            for (number, line) in Repository.text(of: path).split(
                separator: "\n", omittingEmptySubsequences: false
            ).enumerated() {
                let code = line.firstRange(of: "//").map { line[..<$0.lowerBound] } ?? line
                #expect(!Self.usesMutex(code), "\(path):\(number + 1) uses Synchronization.Mutex")
            }
        }
    }

    @Test func theRuleAboutSwiftsMutexFindsIt() {
        #expect(Self.usesMutex("    private let state = Mutex(State())"))
        #expect(Self.usesMutex("    private let queue: Mutex<DeliveryQueue>"))
        #expect(Self.usesMutex("    let one = Synchronization.Mutex<Int>(0)"))
        #expect(!Self.usesMutex("    pthread_mutex_lock(mutex)"))
        #expect(!Self.usesMutex("    private let lock = PthreadMutex(1)"))
    }

    private static func usesMutex(_ code: Substring) -> Bool {
        code.split(whereSeparator: { !$0.isLetter && !$0.isNumber && $0 != "_" })
            .contains("Mutex")
    }

    @Test func theControllerNeverImportsWhatRunsInTheService() {
        let guest: Set = [
            "CSondeSignal", "SondeSampling", "SondeAgent", "SondePreload", "CSondeProbe",
            "SondeProbeRuntime",
        ]
        for path in Repository.swiftFiles(below: "controller") {
            let found = guest.intersection(Repository.imports(of: path))
            #expect(found.isEmpty, "\(path) imports \(found): they meet in Sources/")
        }
    }

    @Test func probesAreCompiledWithoutFoundation() {
        // The compiler is a function of bytes: the same in the controller, in the CLI and in CI.
        let banned: Set = ["Foundation", "FoundationEssentials", "Dispatch"]
        for folder in ["probes/SondeProbeLanguage", "probes/SondeProbeCompiler"] {
            let files = Repository.swiftFiles(below: folder)
            #expect(!files.isEmpty)
            for path in files {
                let found = banned.intersection(Repository.imports(of: path))
                #expect(found.isEmpty, "\(path) imports \(found): it needs bytes alone")
            }
        }
    }

    @Test func theAgentNeverImportsTheController() {
        let host: Set = [
            "SondeStore", "SondeQuery", "SondeAPI", "SondeServer", "SondeExport", "SondeSymbols",
            "SondeProbeCompiler", "SondeProbeLanguage", "SondeSnappy",
        ]
        for path in Repository.swiftFiles(below: "agent") {
            let found = host.intersection(Repository.imports(of: path))
            #expect(found.isEmpty, "\(path) imports \(found): they meet in Sources/")
        }
    }

    @Test func aCModuleHasExactlyOneSwiftImporter() {
        // A second importer would be a second place that has to keep the C contract.
        var importers: [String: Set<String>] = [:]
        for folder in ["agent", "probes", "controller", "Sources"] {
            for path in Repository.swiftFiles(below: folder) {
                let target = path.split(separator: "/").prefix(2).joined(separator: "/")
                for module in Repository.imports(of: path) where Self.isOurCModule(module) {
                    importers[module, default: []].insert(target)
                }
            }
        }
        #expect(
            importers.count >= 9, "want the C modules of the first slice; got \(importers.keys)")
        for (module, targets) in importers {
            #expect(targets.count == 1, "\(module) is imported by \(targets.sorted())")
        }
    }

    @Test func onlySondeAgentJoinsSamplingAndProbes() {
        for path in Repository.swiftFiles(below: "agent") + Repository.swiftFiles(below: "probes") {
            let imports = Set(Repository.imports(of: path))
            let joins = imports.contains("SondeSampling") && imports.contains("SondeProbeRuntime")
            #expect(!joins || path.hasPrefix("agent/SondeAgent/"), "\(path) joins both")
        }
    }

    private static func isOurCModule(_ name: String) -> Bool {
        let letters = Array(name)
        return letters.count > 1 && letters[0] == "C" && letters[1].isUppercase
    }
}
