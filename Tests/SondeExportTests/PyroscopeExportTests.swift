// SPDX-License-Identifier: Apache-2.0
// Profiles reach the other server, whatever it answers, or are counted.

import Foundation
import SondeExport
import SondeFormats
import SondeHTTPClient
import SondeModel
import SondeServer
import SondeStore
import SondeTestServer
import SondeWire
import Synchronization
import Testing

@Suite struct PyroscopeExportTests {
    private let folder = ScratchFolder()

    private func spool(bytes: Int64 = 1 << 30) throws -> ExportSpool {
        try ExportSpool(DataFolder(folder.path), name: "pyroscope", maximumBytes: bytes)
    }

    private func target(_ port: UInt16) -> ExportTarget {
        var target = ExportTarget(url: "http://127.0.0.1:\(port)")
        target.firstBackoffSeconds = 0.01
        target.longestBackoffSeconds = 0.05
        target.batchSeconds = 0.001
        target.timeoutSeconds = 2
        return target
    }

    @Test func profilesArriveAsTheyWere() throws {
        let server = try StandInPyroscope()
        var target = target(server.server.port)
        target.tenant = "night"
        target.token = "secret"
        let export = try PyroscopeExport(target, spool: spool()) { _ in }
        let plain = RawProfileSeries.cpu("shop", value: 1)
        var packed = RawProfileSeries.cpu("shop", value: 2)
        packed.samples[0].rawProfile = try Gzip.compress(packed.samples[0].rawProfile)
        try export.append([plain], tenant: nil, now: .now)
        try export.append([packed], tenant: nil, now: .now)
        export.start()
        defer { export.stop() }
        #expect(eventually { server.values == [1, 2] })
        let request = try #require(server.server.requests.first)
        #expect(request.target == "/push.v1.PusherService/Push")
        #expect(request.headers["x-scope-orgid"] == "night")
        #expect(request.headers["authorization"] == "Bearer secret")
        #expect(request.headers["content-type"] == "application/proto")
        #expect(server.series.first?.labels == plain.labels)
        #expect(eventually { export.figures.sent == 2 && export.figures.waiting.lines == 0 })
    }

    @Test func badDaysCostNoProfile() throws {
        let server = try StandInPyroscope()
        let badDays: [TestAnswer] = [
            .respond(429), .respond(500), .reset, .respond(503), .respond(401), .respond(404),
            .raw(Array("nonsense\r\n\r\n".utf8)), .hang,
        ]
        server.misbehave(badDays)
        let export = try PyroscopeExport(target(server.server.port), spool: spool()) { _ in }
        export.start()
        defer { export.stop() }
        for value in 0..<100 {
            try export.append([.cpu("shop", value: value)], tenant: nil, now: .now)
        }
        #expect(eventually(within: 60) { export.figures.sent == 100 })
        // A profile whose answer was lost comes twice; none is missing.
        #expect(Set(server.values) == Set(0..<100))
        #expect(export.figures.retries >= 6)
        #expect(export.figures.problem == nil)
    }

    @Test func whatIsRefusedIsCountedAndWhatIsTooLargeComesInPieces() throws {
        let server = try StandInPyroscope()
        let notes = Notes()
        let export = try PyroscopeExport(target(server.server.port), spool: spool()) {
            notes.add($0)
        }
        for value in 0..<5 {
            try export.append([.cpu("shop", value: value)], tenant: nil, now: .now)
        }
        // All five, then the first alone, then the second.
        server.misbehave([.respond(413), .respond(413), .respond(400, body: Array("bad".utf8))])
        export.start()
        defer { export.stop() }
        #expect(eventually { export.figures.waiting.lines == 0 })
        let refused = export.figures.refused
        #expect(refused["413"] == 1)
        #expect(refused["400"].map { $0 >= 1 } == true)
        #expect(export.figures.sent + refused.values.reduce(0, +) == 5)
        #expect(
            eventually { notes.all.contains { $0.hasPrefix("lost 1 profiles: got status 413") } })
    }

    @Test func eachTenantsProfilesGoToItsOwn() throws {
        let server = try StandInPyroscope()
        let export = try PyroscopeExport(
            target(server.server.port), spool: spool(), hasTenants: true
        ) { _ in }
        for (value, tenant) in ["day", "night", "day"].enumerated() {
            try export.append([.cpu("shop", value: value)], tenant: tenant, now: .now)
        }
        export.start()
        defer { export.stop() }
        #expect(eventually { server.values == [0, 1, 2] })
        #expect(
            server.server.requests.map { $0.headers["x-scope-orgid"] } == ["day", "night", "day"])
        #expect(!server.series.contains { $0.labels.contains { $0.name == "__tenant__" } })
    }

    @Test func whatIsStoredOfAPushIsForwardedWhenTheRestIsTooOld() throws {
        let server = try StandInPyroscope()
        var configuration = ServerConfiguration(dataFolder: folder.path)
        configuration.listen = "127.0.0.1:0"
        configuration.stopSeconds = 2
        configuration.pyroscopeExport = target(server.server.port)
        let controller = try ControllerServer(configuration)
        let client = try HTTPClient(
            HTTPClientConfiguration(baseURL: controller.start().url, userAgent: "test"))
        defer { controller.stop() }
        var push = PushRequest()
        let year: Int64 = 366 * 86_400_000_000_000
        push.series = [.cpu("shop", value: 3), .cpu("shop", value: 4, ago: year)]
        let answer = try client.send(
            HTTPClientRequest(
                method: "POST", target: "/push.v1.PusherService/Push",
                headers: [(name: "Content-Type", value: "application/proto")], body: push.encode()))
        #expect(answer.status == 400)
        #expect(eventually { server.values.contains(3) })
    }

    @Test func theConfigurationNamesTheServer() throws {
        let file = folder.path + "/sonde.yaml"
        let text = """
            export:
              pyroscope:
                url: https://pyroscope.example.com
                tenant: all
                token: t
                username: u
                password: p
                ca_file: /etc/ca.pem
                spool_bytes: 1MiB
            """
        try text.write(toFile: file, atomically: true, encoding: .utf8)
        var configuration = ServerConfiguration(dataFolder: folder.path)
        try ConfigurationFile.read(file, into: &configuration)
        var wanted = ExportTarget(url: "https://pyroscope.example.com")
        wanted.tenant = "all"
        wanted.token = "t"
        wanted.username = "u"
        wanted.password = "p"
        wanted.certificateAuthorityFile = "/etc/ca.pem"
        #expect(configuration.pyroscopeExport == wanted)
        #expect(configuration.pyroscopeSpoolBytes == 1 << 20)
        #expect(configuration.lokiExport == nil)
        configuration.pyroscopeExport?.url = "pyroscope.example.com"
        let error = #expect(throws: ServerError.self) { try ControllerServer(configuration) }
        #expect(error?.message.contains("export.pyroscope.url") == true)
    }

    /// One controller forwards to another, which is away at first: the same answers in the end.
    @Test func aSecondControllerGivesTheSameAnswers() throws {
        let other = ScratchFolder()
        var second = ServerConfiguration(dataFolder: other.path)
        second.listen = "127.0.0.1:0"
        second.stopSeconds = 2
        let port = try unusedPort()
        var first = ServerConfiguration(dataFolder: folder.path)
        first.listen = "127.0.0.1:0"
        first.stopSeconds = 2
        // The other side is away at first; once it is there, it gets the time that it needs.
        first.pyroscopeExport = target(port)
        first.pyroscopeExport?.timeoutSeconds = 60
        let here = try ControllerServer(first)
        let client = try HTTPClient(
            HTTPClientConfiguration(baseURL: here.start().url, userAgent: "test"))
        defer { here.stop() }
        for body in try Self.bodies() {
            let answer = try client.send(body)
            #expect(answer.status == 200, "\(String(decoding: answer.body, as: UTF8.self))")
        }
        let wanted = try Self.answers(client)
        #expect(wanted.contains { $0.contains("checkout") })
        second.listen = "127.0.0.1:\(port)"
        let there = try ControllerServer(second)
        let thereClient = try HTTPClient(
            HTTPClientConfiguration(baseURL: there.start().url, userAgent: "test"))
        defer { there.stop() }
        var got: [String] = []
        #expect(
            eventually(within: 60) {
                got = (try? Self.answers(thereClient)) ?? []
                return got == wanted
            }, "\(got) is not \(wanted)")
    }

    /// A push of two profiles, and what /ingest takes.
    private static func bodies() throws -> [HTTPClientRequest] {
        var push = PushRequest()
        push.series = [.cpu("shop", value: 3), .cpu("shop", value: 4)]
        let pprof = RawProfileSeries.cpu("shop", value: 5).samples[0].rawProfile
        return [
            HTTPClientRequest(
                method: "POST", target: "/push.v1.PusherService/Push",
                headers: [(name: "Content-Type", value: "application/proto")], body: push.encode()),
            HTTPClientRequest(
                method: "POST", target: "/ingest?name=shop%7Ba%3Db%7D&format=pprof&spyName=pyspy",
                headers: [], body: pprof),
        ]
    }

    private static func answers(_ client: HTTPClient) throws -> [String] {
        try ["/api/v1/series", "/api/v1/top", "/api/v1/flame?format=folded"].map { target in
            let answer = try client.send(
                HTTPClientRequest(
                    method: "GET", target: target + (target.contains("?") ? "&" : "?") + "until=now"
                ))
            return String(decoding: answer.body, as: UTF8.self)
        }
    }
}

/// What stands in for Pyroscope: takes pushes, and misbehaves on demand.
private final class StandInPyroscope: Sendable {
    let server: TestServer
    private let state: State

    private final class State: Sendable {
        struct Content {
            var badDays: [TestAnswer] = []
            var series: [RawProfileSeries] = []
        }
        let content = Mutex(Content())
    }

    init() throws {
        let state = State()
        self.state = state
        server = try TestServer { request in
            let bad = state.content.withLock { $0.badDays.isEmpty ? nil : $0.badDays.removeFirst() }
            if let bad { return bad }
            guard let push = try? PushRequest(decoding: request.body[...]) else {
                return .respond(400)
            }
            state.content.withLock { $0.series += push.series }
            return .respond(200)
        }
    }

    /// What the next requests get, one after the other; then all is well.
    func misbehave(_ answers: [TestAnswer]) { state.content.withLock { $0.badDays = answers } }

    var series: [RawProfileSeries] { state.content.withLock { $0.series } }

    /// The values of the profiles that came, in order.
    var values: [Int64] {
        series.flatMap(\.samples).map { sample in
            guard let raw = try? Gzip.expand(sample.rawProfile, limit: 1 << 20),
                let document = try? PprofDocument(decoding: raw[...])
            else { return -1 }
            return document.samples.first?.values.first ?? -1
        }
    }
}

extension RawProfileSeries {
    /// A series of one profile of CPU time.
    fileprivate static func cpu(
        _ service: String, value: Int, ago: Int64 = 0
    ) -> RawProfileSeries {
        var tree = FrameTree()
        let stack = ["main", "checkout"].map { Frame(name: $0, file: "shop.swift", startLine: 3) }
        tree.add(Int64(value), rootFirst: stack)
        // One that has the value 0 says so too.
        var document = PprofDocument(
            tree,
            PprofDocument.Description(
                type: .cpu, start: Timestamp.now.advanced(byNanoseconds: -ago),
                durationNanoseconds: 10_000_000_000))
        if value == 0 { document.samples = [.init(locationIDs: [1], values: [0])] }
        var series = RawProfileSeries()
        series.labels = [
            Label(name: "__name__", value: "process_cpu"),
            Label(name: "service_name", value: service),
        ]
        series.samples = [RawSample()]
        series.samples[0].rawProfile = document.encode()
        return series
    }
}

/// Collects sentences.
private final class Notes: Sendable {
    private let lines = Mutex<[String]>([])
    func add(_ line: String) { lines.withLock { $0.append(line) } }
    var all: [String] { lines.withLock { $0 } }
}
