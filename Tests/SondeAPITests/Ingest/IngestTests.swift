// SPDX-License-Identifier: Apache-2.0
// Profiles come in through /ingest: the form of each client, names, repairs, answers.

import Foundation
import SondeAPI
import SondeFormats
import SondeModel
import SondeServer
import SondeWire
import Testing

@Suite struct IngestPprofTests {
    @Test(arguments: Transport.allCases, ["/ingest", "/pyroscope/ingest"])
    func whatGosSDKSendsIsStored(_ transport: Transport, _ path: String) throws {
        let controller = try TestController()
        let now = Int64(Date().timeIntervalSince1970) * 1_000_000_000
        let target =
            path + "?aggregationType=sum&from=\(now)&name=shop.api%7B__session_id__%3Dab12%2C"
            + "otel.scope.name%3Dx%2Cprocess.runtime.name%3Dgo%2Cregion%3Deu%7D&sampleRate=100"
            + "&spyName=gospy&units=samples&until=\(now + 10_000_000_000)"
        let body = try Form([
            (
                "profile", "profile.pprof",
                Gzip.compress(pprof(["samples/count", "cpu/nanoseconds"]))
            ),
            (
                "sample_type_config", "sample_type_config.json",
                Array(#"{"samples":{"units":"samples","display-name":"cpu","sampled":true}}"#.utf8)
            ),
        ])
        let answer = try controller.send(
            "POST", target, over: transport, headers: body.headers, body: body.bytes)
        #expect(answer.status == 200)
        #expect(answer.body.isEmpty)
        #expect(
            try series(controller) == [
                "process_cpu:cpu:nanoseconds:cpu:nanoseconds",
                "process_cpu:samples:count:cpu:nanoseconds",
            ])
        let labels = try labels(controller)
        #expect(
            labels == [
                "otel.scope.name": "x", "process.runtime.name": "go", "pyroscope_spy": "gospy",
                "region": "eu", "service_name": "shop.api",
            ])
        let top = try controller.send("GET", "/api/v1/top?selector=shop.api")
        #expect(top.json["total"] as? Int == 20)
    }

    @Test(arguments: [
        (["samples/count", "cpu/nanoseconds"], nil, "process_cpu"),
        (["samples/count", "wall/nanoseconds"], nil, "wall"),
        (["objects/count", "space/bytes"], nil, "memory"),
        (["inuse_objects/count", "inuse_space/bytes"], nil, "memory"),
        (["alloc_objects/count", "alloc_space/bytes"], nil, "memory"),
        (["contentions/count", "delay/nanoseconds"], nil, "mutex"),
        (
            ["contentions/count", "delay/nanoseconds"],
            #"{"contentions":{"display-name":"block_count"},"delay":{"display-name":"block_duration"}}"#,
            "block"
        ),
        (["goroutine/count"], nil, "goroutines"),
        (["strange/count", "odd/count"], nil, "odd"),
        (["samples/count"], #"{"other":{"display-name":"x","cumulative":true}}"#, "samples"),
    ])
    func profilesAreNamedByTheirSampleTypes(
        _ types: [String], _ config: String?, _ name: String
    ) throws {
        let controller = try TestController()
        var parts = [("profile", "p", pprof(types))]
        if let config { parts.append(("sample_type_config", "c", Array(config.utf8))) }
        let body = Form(parts)
        let answer = try controller.send(
            "POST", "/ingest?name=shop", headers: body.headers, body: body.bytes)
        #expect(answer.status == 200, "\(answer.text)")
        let names = try series(controller).map { $0.split(separator: ":")[0] }
        #expect(Set(names) == [Substring(name)])
    }

    @Test func whatNodesSDKSendsIsStored() throws {
        let controller = try TestController()
        let now = Int(Date().timeIntervalSince1970)
        let body = try Form([
            ("profile", "profile", Gzip.compress(pprof(["samples/count", "wall/nanoseconds"])))
        ])
        let answer = try controller.send(
            "POST",
            "/ingest?from=\(now)&name=shop%7Ba%3Db%7D&spyName=nodespy&until=\(now + 60)&sampleRate=100",
            headers: body.headers, body: body.bytes)
        #expect(answer.status == 200)
        #expect(
            try series(controller) == [
                "wall:samples:count:cpu:nanoseconds", "wall:wall:nanoseconds:cpu:nanoseconds",
            ])
    }

    @Test(arguments: [false, true], [false, true])
    func pprofComesRawOrInAFormUnderItsFormat(_ isForm: Bool, _ isGzip: Bool) throws {
        let controller = try TestController()
        let raw = pprof(["cpu/nanoseconds"])
        let sent = isGzip ? try Gzip.compress(raw) : raw
        let form = Form([("profile", nil, sent)])
        let answer = try controller.send(
            "POST", "/ingest?name=shop&format=pprof",
            headers: isForm ? form.headers : [("Content-Type", "application/octet-stream")],
            body: isForm ? form.bytes : sent)
        #expect(answer.status == 200, "\(answer.text)")
        #expect(try stored(controller) == 1)
    }

    @Test func aProfileWithoutATimeHasThatOfTheRequest() throws {
        let controller = try TestController()
        let from = Int64(Date().timeIntervalSince1970) - 1000
        let body = Form([("profile", nil, pprof(["cpu/nanoseconds"], time: 0))])
        _ = try controller.send(
            "POST", "/ingest?name=shop&from=\(from)&until=\(from + 10)", headers: body.headers,
            body: body.bytes)
        let top = try controller.send(
            "GET", "/api/v1/top?from=\(from * 1000)&until=\(from * 1000)")
        #expect(top.json["profiles"] as? Int == 1)
    }

    @Test(arguments: [
        ("pyspy", "shop.py", "shop.py main"), ("pyspy", "/usr/lib/x.py", "main"),
        ("rbspy", "/usr/lib/x.rb", "/usr/lib/x.rb main"), ("scripting", "a.js", "a.js main"),
        ("gospy", "main.go", "main"), ("pyspy", "", "main"),
    ])
    func scriptsShowTheFileBeforeTheFunction(
        _ spy: String, _ file: String, _ name: String
    ) throws {
        let controller = try TestController()
        let body = Form([("profile", nil, pprof(["cpu/nanoseconds"], file: file))])
        let answer = try controller.send(
            "POST", "/ingest?name=shop&spyName=\(spy)", headers: body.headers, body: body.bytes)
        #expect(answer.status == 200)
        let functions = try controller.send("GET", "/api/v1/top").json["functions"]
        #expect((functions as? [[String: Any]])?.first?["name"] as? String == name)
    }

    @Test func whatOldDotnetClientsSendIsRepaired() throws {
        let controller = try TestController()
        var document = try PprofDocument(
            decoding: pprof(["cpu/nanoseconds", "alloc-size/bytes"])[...])
        for index in document.functions.indices { document.functions[index].id = 0 }
        let body = Form([("profile", nil, document.encode())])
        for (spy, status) in [("dotnetspy", 200), ("gospy", 422)] {
            let answer = try controller.send(
                "POST", "/ingest?name=shop&spyName=\(spy)", headers: body.headers, body: body.bytes)
            #expect(answer.status == status, "\(answer.text)")
        }
        #expect(
            try series(controller) == [
                "process_cpu:alloc_size:bytes:cpu:nanoseconds",
                "process_cpu:cpu:nanoseconds:cpu:nanoseconds",
            ])
    }

    @Test(arguments: [
        ("/ingest", "text/plain", "a;b 1", 400, "name"),
        ("/ingest?name=", "text/plain", "a;b 1", 400, "name"),
        ("/ingest?name=a%7Bb", "text/plain", "a;b 1", 400, "name"),
        ("/ingest?name=a&format=pprof", "x/y", "nonsense", 422, "cannot read pprof"),
        ("/ingest?name=a", "multipart/form-data", "x", 422, "boundary"),
        ("/ingest?name=a", "multipart/form-data; boundary=x", "--x--", 422, "profile"),
        (
            "/ingest?name=a", "multipart/form-data; boundary=x",
            "--x\r\ncontent-disposition: a; name=prev_profile\r\n\r\ny\r\n--x--", 422,
            "prev_profile"
        ),
        (
            "/ingest?name=a", "multipart/form-data; boundary=x",
            "--x\r\ncontent-disposition: a; name=profile\r\n\r\ny\r\n--x\r\n"
                + "content-disposition: a; name=sample_type_config\r\n\r\n{]\r\n--x--", 422, "JSON"
        ),
    ])
    func whatCannotBeReadIsRefusedInWords(
        _ target: String, _ type: String, _ body: String, _ status: Int, _ word: String
    ) throws {
        let controller = try TestController()
        for transport in Transport.allCases {
            let answer = try controller.send(
                "POST", target, over: transport, headers: [("Content-Type", type)],
                body: Array(body.utf8))
            #expect(answer.status == status, "\(answer.text)")
            #expect(answer.code == (status == 400 ? "invalid_argument" : "unprocessable"))
            #expect(answer.message.contains(word), "\(answer.message)")
        }
        #expect(try stored(controller) == 0)
    }

    @Test func nothingIsWrongWithNothing() throws {
        let controller = try TestController()
        let empty = Form([("profile", "profile.pprof", [])])
        for (headers, body, target) in [
            (empty.headers, empty.bytes, "/ingest?name=a"),
            ([("Content-Type", "x/y")], [], "/ingest?name=a&format=pprof"),
            // Spans of old clients.
            (empty.headers, [1, 2, 3], "/ingest?name=a%7Bprofile_id%3Dab%7D"),
        ] {
            let answer = try controller.send("POST", target, headers: headers, body: body)
            #expect(answer.status == 200)
            #expect(answer.body.isEmpty)
        }
        #expect(try stored(controller) == 0)
    }
}

/// A form as clients send it.
struct Form {
    let bytes: [UInt8]
    let headers = [("Content-Type", "multipart/form-data; boundary=\(boundary)")]

    private static let boundary = "c5dbf0a1e8b94b1b9a7c3f1e2d"

    init(_ parts: [(name: String, file: String?, content: [UInt8])]) {
        var bytes: [UInt8] = []
        for part in parts {
            let file = part.file.map { "; filename=\"\($0)\"" } ?? ""
            let head =
                "--\(Self.boundary)\r\nContent-Disposition: form-data; name=\"\(part.name)\"\(file)\r\n"
                + "Content-Type: application/octet-stream\r\n\r\n"
            bytes += Array(head.utf8) + part.content + Array("\r\n".utf8)
        }
        self.bytes = bytes + Array("--\(Self.boundary)--\r\n".utf8)
    }
}

/// A pprof of one stack, `main` and under it `work`, whose value of each type is 10, 20, ...
func pprof(_ types: [String], time: Int64? = nil, file: String = "main.go") -> [UInt8] {
    var document = PprofDocument()
    document.sampleTypes = types.map { type in
        let halves = type.split(separator: "/").map(String.init)
        return PprofDocument.ValueType(type: halves[0], unit: halves[1])
    }
    document.samples = [
        PprofDocument.Sample(
            locationIDs: [1, 2], values: types.indices.map { Int64($0 + 1) * 10 })
    ]
    for (index, name) in ["main", "work"].enumerated() {
        let id = UInt64(index + 1)
        var location = PprofDocument.Location(id: id)
        location.lines = [PprofDocument.Line(functionID: id, line: 1)]
        document.locations.append(location)
        var function = PprofDocument.Function(id: id)
        function.name = name
        function.filename = file
        document.functions.append(function)
    }
    document.periodType = PprofDocument.ValueType(type: "cpu", unit: "nanoseconds")
    document.period = 10_000_000
    document.timeNanos = time ?? Int64(Date().timeIntervalSince1970 * 1e9)
    document.durationNanos = time == 0 ? 0 : 10_000_000_000
    return document.encode()
}

/// The ids of the profile types that a controller has.
func series(_ controller: TestController) throws -> [String] {
    let list = try controller.send("GET", "/api/v1/series").json["series"] as? [[String: Any]]
    return Set((list ?? []).compactMap { $0["type"] as? String }).sorted()
}

/// The labels of the first series that a controller has.
func labels(_ controller: TestController) throws -> [String: String] {
    let list = try controller.send("GET", "/api/v1/series").json["series"] as? [[String: Any]]
    return list?.first?["labels"] as? [String: String] ?? [:]
}
