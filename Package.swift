// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0
// The house of Sonde: what runs in a service, what runs in the controller, what they share.

import PackageDescription

/// Swift 6 mode for everything; a warning is an error.
let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .treatAllWarnings(as: .error),
    // https://github.com/swiftlang/swift-evolution/blob/main/proposals/0444-member-import-visibility.md
    .enableUpcomingFeature("MemberImportVisibility"),
    // https://github.com/swiftlang/swift-evolution/blob/main/proposals/0409-access-level-on-imports.md
    .enableUpcomingFeature("InternalImportsByDefault"),
]

/// For modules that hold no C calls: every unsafe expression has to be marked.
let strictAndSafe: [SwiftSetting] = strict + [.strictMemorySafety()]

/// For C that runs in the user's process.
let cStrict: [CSetting] = [.define("_GNU_SOURCE")]

func library(
    _ name: String, in folder: String, _ dependencies: [Target.Dependency] = [],
    exclude: [String] = [], settings: [SwiftSetting] = strict
) -> Target {
    .target(
        name: name, dependencies: dependencies, path: "\(folder)/\(name)", exclude: exclude,
        swiftSettings: settings)
}

func system(_ name: String, pkgConfig: String, apt: String) -> Target {
    .systemLibrary(
        name: name, path: "Sources/\(name)", pkgConfig: pkgConfig, providers: [.apt([apt])])
}

func tests(
    _ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []
) -> Target {
    .testTarget(
        name: name, dependencies: dependencies, path: "Tests/\(name)", exclude: exclude,
        swiftSettings: strict)
}

let package = Package(
    name: "sonde",
    products: [
        .library(name: "SondeAgent", targets: ["SondeAgent"]),
        .library(name: "SondePreload", type: .static, targets: ["SondePreload"]),
        .executable(name: "sonde", targets: ["sonde"]),
    ],
    targets: [
        // Shared by both ends.
        library("SondeModel", in: "Sources", settings: strictAndSafe),
        library("SondeWire", in: "Sources", ["SondeModel", "CZlib"]),
        library("SondeSnappy", in: "Sources", ["CSnappy"]),
        .target(name: "CSondeLock", path: "Sources/CSondeLock", cSettings: cStrict),
        library("SondeLock", in: "Sources", ["CSondeLock"]),
        library("SondeHTTPClient", in: "Sources", ["SondeLock", "CCurl"]),
        library(
            "SondeFormats", in: "Sources", ["SondeModel", "SondeWire"], settings: strictAndSafe),
        library("SondeSymbols", in: "Sources", ["SondeModel", "CElfutils", "CZydis"]),

        // Runs inside the user's process.
        .target(
            name: "CSondeSignal", path: "agent/CSondeSignal", exclude: ["allowed_symbols.txt"],
            cSettings: cStrict),
        library("SondeSampling", in: "agent", ["CSondeSignal", "SondeLock", "SondeModel"]),
        .target(name: "CSondeProcess", path: "agent/CSondeProcess", cSettings: cStrict),
        library(
            "SondeAgent", in: "agent",
            [
                "CSondeProcess", "SondeSampling", "SondeLock", "SondeModel", "SondeWire",
                "SondeFormats", "SondeHTTPClient", "SondeProbeRuntime",
            ]),
        library("SondePreload", in: "agent", ["SondeAgent"], exclude: ["loader"]),

        // A probe's life, in the order in which it lives.
        library("SondeProbeLanguage", in: "probes", settings: strictAndSafe),
        library(
            "SondeProbeCompiler", in: "probes",
            ["SondeProbeLanguage", "SondeProbeProgram", "SondeSymbols", "SondeModel"],
            settings: strictAndSafe),
        .target(
            name: "CSondeProbe", path: "probes/CSondeProbe", exclude: ["allowed_symbols.txt"],
            cSettings: cStrict),
        library(
            "SondeProbeProgram", in: "probes", ["SondeModel", "SondeWire"], settings: strictAndSafe),
        library(
            "SondeProbeRuntime", in: "probes",
            ["CSondeProbe", "SondeProbeProgram", "SondeLock", "SondeModel", "SondeWire"]),

        // Runs on its own machine.
        library(
            "SondeStore", in: "controller",
            ["SondeModel", "SondeWire", "SondeFormats", "CSQLite", "CGnuTLS", "CZstd"]),
        library("SondeQuery", in: "controller", ["SondeModel", "CPCRE2"]),
        library(
            "SondeAPI", in: "controller",
            [
                "SondeModel", "SondeWire", "SondeSnappy", "SondeFormats", "SondeSymbols",
                "SondeProbeCompiler", "SondeProbeLanguage", "SondeProbeProgram", "SondeStore",
                "SondeQuery",
            ]),
        library(
            "SondeExport", in: "controller",
            [
                "SondeHTTPClient", "SondeModel", "SondeQuery", "SondeSnappy", "SondeStore",
                "SondeWire",
            ]),
        .target(
            name: "CSondeWeb", path: "controller/SondeServer/web",
            exclude: ["index.html", "icon.svg", "styles", "modules"]),
        library(
            "SondeServer", in: "controller",
            [
                "SondeAPI", "SondeExport", "SondeHTTPClient", "SondeStore", "SondeQuery",
                "SondeSymbols", "SondeModel", "SondeWire", "CMicroHTTPD", "CYAML", "CSondeWeb",
            ],
            exclude: ["web"]),

        .executableTarget(
            name: "sonde",
            dependencies: [
                "SondeServer", "SondeAPI", "SondeStore", "SondeHTTPClient", "SondeModel",
                "SondeFormats", "SondeSymbols", "SondeProbeCompiler", "SondeWire",
            ],
            path: "Sources/sonde", swiftSettings: strict),

        // The subject of the demo and of the end-to-end tests.
        .target(
            name: "CBookmaker", path: "Examples/Bookmaker/Sources/CBookmaker", cSettings: cStrict),
        .executableTarget(
            name: "bookmaker", dependencies: ["SondeAgent", "CBookmaker"],
            path: "Examples/Bookmaker/Sources/bookmaker", swiftSettings: strict),
        .executableTarget(
            name: "bookmaker-load", path: "Examples/Bookmaker/Sources/bookmaker-load",
            swiftSettings: strict),

        // Benchmarks, each against a peer in the same run.
        library("BenchmarkReport", in: "Benchmarks"),
        .target(
            name: "CCaptureStack", dependencies: ["CSondeSignal", "CLibunwind"],
            path: "Benchmarks/CaptureStack/CCaptureStack", cSettings: cStrict),
        .executableTarget(
            name: "bench-capture", dependencies: ["CCaptureStack", "SondeSampling"],
            path: "Benchmarks/CaptureStack/bench-capture", swiftSettings: strict),
        .executableTarget(
            name: "bench-agent", dependencies: ["BenchmarkReport", "SondeAgent"],
            path: "Benchmarks/AgentOverhead",
            exclude: ["run", "thresholds.txt"], swiftSettings: strict),
        .executableTarget(
            name: "bench-pprof", dependencies: ["SondeFormats", "SondeModel", "SondeWire"],
            path: "Benchmarks/Pprof", exclude: ["run"], swiftSettings: strict),
        .executableTarget(
            name: "bench-ingest",
            dependencies: [
                "SondeServer", "SondeAPI", "SondeHTTPClient", "SondeStore", "SondeFormats",
                "SondeModel", "SondeWire",
            ],
            path: "Benchmarks/Ingest", exclude: ["run"], swiftSettings: strict),
        .executableTarget(
            name: "bench-store",
            dependencies: ["SondeStore", "SondeFormats", "SondeModel", "SondeWire"],
            path: "Benchmarks/Store", exclude: ["run", "thresholds.txt"], swiftSettings: strict),
        .executableTarget(
            name: "latency-service", dependencies: ["SondeAgent"],
            path: "Benchmarks/LogPoint/latency-service", swiftSettings: strict),
        .executableTarget(
            name: "bench-latency", dependencies: ["BenchmarkReport", "SondeHTTPClient"],
            path: "Benchmarks/LogPoint/bench-latency", swiftSettings: strict),
        .executableTarget(
            name: "bench-logs",
            dependencies: ["BenchmarkReport", "SondeStore", "SondeQuery", "SondeModel"],
            path: "Benchmarks/LogStore", exclude: ["run", "thresholds.txt"], swiftSettings: strict),
        .executableTarget(
            name: "bench-probe-hit", dependencies: ["CSondeProbe"], path: "Benchmarks/ProbeHit",
            exclude: ["run", "thresholds.txt", "peers.py"],
            cSettings: cStrict + [.headerSearchPath("../../probes/CSondeProbe")]),
        .executableTarget(
            name: "bench-symbols", dependencies: ["SondeSymbols", "SondeModel"],
            path: "Benchmarks/Symbols", exclude: ["run"], swiftSettings: strict),

        .executableTarget(
            name: "bench-machine", dependencies: ["CSondeProbe", "SondeProbeProgram"],
            path: "Benchmarks/ProbeMachine", exclude: ["run", "thresholds.txt"],
            swiftSettings: strict),

        // C libraries from the distribution; each has exactly one Swift importer.
        system("CZlib", pkgConfig: "zlib", apt: "zlib1g-dev"),
        system("CCurl", pkgConfig: "libcurl", apt: "libcurl4-openssl-dev"),
        system("CElfutils", pkgConfig: "libdw", apt: "libdw-dev"),
        .systemLibrary(name: "CZydis", path: "Sources/CZydis", providers: [.apt(["libzydis-dev"])]),
        system("CMicroHTTPD", pkgConfig: "libmicrohttpd", apt: "libmicrohttpd-dev"),
        system("CSQLite", pkgConfig: "sqlite3", apt: "libsqlite3-dev"),
        system("CZstd", pkgConfig: "libzstd", apt: "libzstd-dev"),
        system("CSnappy", pkgConfig: "snappy", apt: "libsnappy-dev"),
        system("CGnuTLS", pkgConfig: "gnutls", apt: "libgnutls28-dev"),
        system("CPCRE2", pkgConfig: "libpcre2-8", apt: "libpcre2-dev"),
        system("CLibunwind", pkgConfig: "libunwind", apt: "libunwind-dev"),
        system("CYAML", pkgConfig: "yaml-0.1", apt: "libyaml-dev"),

        // Tests.
        library("SondeTestServer", in: "Tests"),
        tests("RulesTests", []),
        tests("SondeModelTests", ["SondeModel"]),
        tests("SondeWireTests", ["SondeWire", "SondeModel"]),
        tests("SondeSnappyTests", ["SondeSnappy"]),
        tests("SondeHTTPClientTests", ["SondeHTTPClient", "SondeTestServer"]),
        tests("SondeFormatsTests", ["SondeFormats", "SondeModel", "SondeWire"]),
        tests("SondeSymbolsTests", ["SondeSymbols", "SondeModel"]),
        tests("SondeProbeLanguageTests", ["SondeProbeLanguage"]),
        tests(
            "SondeProbeCompilerTests",
            [
                "SondeProbeCompiler", "SondeProbeLanguage", "SondeProbeProgram", "SondeSymbols",
                "SondeModel", "CSondeProbe",
            ]),
        tests("SondeProbeProgramTests", ["SondeProbeProgram", "SondeModel", "SondeWire"]),
        .target(
            name: "CProbedSubject", path: "Tests/Programs/CProbedSubject", cSettings: cStrict),
        tests(
            "SondeProbeRuntimeTests",
            [
                "SondeProbeRuntime", "SondeProbeProgram", "SondeModel", "SondeWire",
                "CProbedSubject",
            ]),
        .executableTarget(
            name: "probe-subject", dependencies: ["CSondeProbe"],
            path: "Tests/Programs/probe-subject", cSettings: cStrict),
        tests("CSondeProbeTests", ["CSondeProbe", "probe-subject"]),
        .target(
            name: "CMachineSubject", dependencies: ["CSondeProbe"],
            path: "Tests/Programs/CMachineSubject", cSettings: cStrict),
        tests(
            "SondeProbeMachineTests",
            ["CMachineSubject", "CSondeProbe", "SondeProbeProgram", "SondeModel"]),
        tests("CSondeSignalTests", ["CSondeSignal"], exclude: ["Fixtures"]),
        .target(
            name: "CSamplingSubject", path: "Tests/Programs/CSamplingSubject", cSettings: cStrict),
        .executableTarget(
            name: "sampling-subject",
            dependencies: ["CSamplingSubject", "SondeSampling", "SondeModel"],
            path: "Tests/Programs/sampling-subject", swiftSettings: strict),
        tests("SondeSamplingTests", ["SondeSampling", "SondeModel", "sampling-subject"]),
        .executableTarget(
            name: "forking-service", dependencies: ["SondeAgent"],
            path: "Tests/Programs/forking-service", swiftSettings: strict),
        tests(
            "SondeAgentTests",
            [
                "SondeAgent", "SondeSampling", "SondeModel", "SondeWire", "SondeFormats",
                "SondeHTTPClient", "SondeTestServer", "SondeProbeRuntime", "SondeProbeProgram",
                "CProbedSubject", "forking-service",
            ]),
        .executableTarget(
            name: "numbered-service", dependencies: ["SondeAgent"],
            path: "Tests/Programs/numbered-service", swiftSettings: strict),
        .executableTarget(
            name: "loki-stand-in",
            dependencies: ["SondeTestServer", "SondeSnappy", "SondeModel", "SondeWire"],
            path: "Tests/Programs/loki-stand-in", swiftSettings: strict),
        .executableTarget(
            name: "store-writer", dependencies: ["SondeStore", "SondeModel"],
            path: "Tests/Programs/store-writer", swiftSettings: strict),
        tests(
            "SondeStoreTests", ["SondeStore", "SondeModel", "store-writer"], exclude: ["Fixtures"]),
        tests(
            "SondeExportTests",
            [
                "SondeExport", "SondeServer", "SondeFormats", "SondeHTTPClient", "SondeModel",
                "SondeSnappy", "SondeStore", "SondeTestServer", "SondeWire",
            ]),
        tests("SondeQueryTests", ["SondeQuery", "SondeModel"]),
        tests(
            "SondeAPITests",
            [
                "SondeAPI", "SondeServer", "SondeHTTPClient", "SondeStore", "SondeQuery",
                "SondeSymbols", "SondeProbeProgram", "SondeModel", "SondeWire", "SondeSnappy",
                "SondeFormats",
            ], exclude: ["Peers"]),
        tests(
            "SondeServerTests",
            ["SondeServer", "SondeAPI", "SondeHTTPClient", "SondeModel", "SondeStore", "SondeWire"]),
        tests(
            "CLITests",
            ["sonde", "SondeModel", "SondeWire", "SondeFormats", "SondeHTTPClient"],
            exclude: ["Fixtures"]),
        tests(
            "PreloadTests", ["SondeTestServer", "SondeModel", "SondeWire", "SondeFormats"],
            exclude: ["Programs"]),
        tests(
            "SystemTests",
            [
                "SondeModel", "SondeWire", "SondeFormats", "SondeHTTPClient", "SondeSymbols",
                "SondeTestServer", "bookmaker", "numbered-service", "loki-stand-in",
            ], exclude: ["Programs"]),
    ],
    cLanguageStandard: .gnu2x
)

// Only for `make fuzz`: these need `--sanitize=fuzzer` to link.
if Context.environment["SONDE_FUZZ"] == "1" {
    package.targets.append(
        .executableTarget(
            name: "fuzz",
            dependencies: [
                "CSondeProbe", "SondeAPI", "SondeFormats", "SondeModel", "SondeProbeLanguage",
                "SondeProbeProgram", "SondeQuery", "SondeSnappy", "SondeSymbols", "SondeWire",
            ],
            path: "Tests/Fuzz", exclude: ["run"], swiftSettings: strict))
}
