// SPDX-License-Identifier: Apache-2.0
// Profiles whose stacks are names come in through /ingest, and their types by the name's suffix.

import Foundation
import SondeAPI
import SondeFormats
import SondeModel
import SondeServer
import SondeWire
import Testing

@Suite struct NamedIngestTests {
    private static let folded = "main;work 3\nmain;rest 5\n"

    @Test(arguments: [
        ("shop", "process_cpu:cpu:nanoseconds:cpu:nanoseconds", "shop", 80_000_000),
        ("shop.cpu", "process_cpu:cpu:nanoseconds:cpu:nanoseconds", "shop", 80_000_000),
        ("shop.itimer", "process_cpu:cpu:nanoseconds:cpu:nanoseconds", "shop", 80_000_000),
        ("shop.wall", "wall:wall:nanoseconds:cpu:nanoseconds", "shop", 80_000_000),
        ("a.b.milliseconds", "wall:wall:nanoseconds:cpu:nanoseconds", "a.b", 80_000_000),
        ("shop.inuse_objects", "memory:inuse_objects:count::", "shop", 8),
        ("shop.inuse_space", "memory:inuse_space:bytes::", "shop", 8),
        ("shop.alloc_objects", "memory:alloc_objects:count::", "shop", 8),
        ("shop.alloc_space", "memory:alloc_space:bytes::", "shop", 8),
        ("shop.alloc_in_new_tlab_objects", "memory:alloc_in_new_tlab_objects:count::", "shop", 8),
        (
            "shop.alloc_outside_tlab_bytes", "memory:alloc_outside_tlab_bytes:bytes::", "shop", 8
        ),
        ("shop.live", "memory:live:count::", "shop", 8),
        ("shop.bytes", "memory:samples:bytes::", "shop", 8),
        ("shop.goroutines", "goroutine:goroutines:count::", "shop", 8),
        ("shop.mutex_count", "mutex:contentions:count::", "shop", 8),
        ("shop.mutex_duration", "mutex:delay:nanoseconds::", "shop", 8),
        ("shop.lock_count", "block:contentions:count::", "shop", 8),
        ("shop.block_duration", "block:delay:nanoseconds::", "shop", 8),
        ("shop.exceptions", "exceptions:samples:count::", "shop", 8),
        ("shop.v2", "process_cpu:cpu:nanoseconds:cpu:nanoseconds", "shop.v2", 80_000_000),
        (".cpu", "process_cpu:cpu:nanoseconds:cpu:nanoseconds", ".cpu", 80_000_000),
    ])
    func theSuffixIsTheType(
        _ name: String, _ type: String, _ service: String, _ total: Int
    ) throws {
        let controller = try TestController()
        let answer = try controller.send(
            "POST", "/ingest?name=\(name)&sampleRate=100", body: Array(Self.folded.utf8))
        #expect(answer.status == 200, "\(answer.text)")
        #expect(try series(controller) == [type])
        #expect(try labels(controller)["service_name"] == service)
        #expect(try self.total(controller, type) == total)
    }

    @Test(arguments: [
        ("format=lines", "", Array("main;work\nmain;work\nmain;rest\n".utf8), 3),
        ("format=trie", "", [0, 0, 1] + trie, 8),
        ("", "binary/octet-stream+trie", [0, 0, 1] + trie, 8),
        ("format=tree", "", tree, 8), ("", "binary/octet-stream+tree", tree, 8),
        ("", "text/plain", Array("main;work 3\nmain;rest 5".utf8), 8),
        ("format=groups", "application/x-www-form-urlencoded", Array("main;work 8\n".utf8), 8),
        ("units=samples&format=", "", Array("a;b\r\n\nno-count\nmain;work 8\r\n".utf8), 8),
    ])
    func everyFormatIsFoundByItsNameOrItsContentType(
        _ query: String, _ type: String, _ body: [UInt8], _ total: Int
    ) throws {
        for body in [body, try Gzip.compress(body)] {
            for transport in Transport.allCases {
                let controller = try TestController()
                let answer = try controller.send(
                    "POST", "/ingest?name=shop.alloc_objects&\(query)", over: transport,
                    headers: [("Content-Type", type)], body: body)
                #expect(answer.status == 200, "\(query) \(type): \(answer.text)")
                #expect(try self.total(controller, "memory:alloc_objects:count::") == total)
                let folded = try controller.send(
                    "GET", "/api/v1/flame?format=folded&type=memory:alloc_objects:count::")
                #expect(folded.text.contains("main;work "))
            }
        }
    }

    /// `main` with `;work 3` and `;rest 5` below it, and what stands before its root.
    private static let trie: [UInt8] =
        [5] + Array("main;".utf8) + [0, 2] + [4] + Array("work".utf8) + [3, 0] + [4]
        + Array("rest".utf8) + [5, 0]
    private static let tree: [UInt8] =
        [0, 0, 1, 4] + Array("main".utf8) + [0, 2] + [4] + Array("work".utf8) + [3, 0] + [4]
        + Array("rest".utf8) + [5, 0]

    @Test(arguments: [
        ("", 80_000_000), ("&sampleRate=100", 80_000_000), ("&sampleRate=97", 82_474_224),
        ("&sampleRate=1", 8_000_000_000), ("&sampleRate=-5", 80_000_000),
        ("&sampleRate=x", 80_000_000), ("&sampleRate=1000000000", 8),
    ])
    func samplesBecomeTime(_ query: String, _ total: Int) throws {
        let controller = try TestController()
        _ = try controller.send(
            "POST", "/ingest?name=shop\(query)", body: Array(Self.folded.utf8))
        let got = try self.total(controller, "process_cpu:cpu:nanoseconds:cpu:nanoseconds")
        // Each stack is rounded by itself.
        #expect(abs(got - total) <= 2, "\(got)")
    }

    @Test func withoutARateSamplesStaySamples() throws {
        let controller = try TestController()
        for name in ["shop", "shop.wall"] {
            let answer = try controller.send(
                "POST", "/ingest?name=\(name)&sampleRate=0", body: Array(Self.folded.utf8))
            #expect(answer.status == 200)
        }
        #expect(
            try series(controller) == ["process_cpu:samples:count::", "wall:samples:count::"])
        #expect(try total(controller, "wall:samples:count::") == 8)
    }

    @Test func hugeCountsEndAtTheRange() throws {
        let controller = try TestController()
        let answer = try controller.send(
            "POST", "/ingest?name=shop&sampleRate=1",
            body: Array("a \(Int64.max)\na;b \(Int64.max)\n".utf8))
        #expect(answer.status == 200, "\(answer.text)")
        #expect(
            try total(controller, "process_cpu:cpu:nanoseconds:cpu:nanoseconds") == Int(Int64.max))
    }

    @Test func labelsTellTheServiceAndTheClient() throws {
        let controller = try TestController()
        _ = try controller.send(
            "POST",
            "/ingest?name=shop.cpu%7Bservice_name%3Dapi%2C__x%3Dy%2C__session_id__%3D7%2Cpod%3Dp-1%7D&spyName=phpspy",
            body: Array(Self.folded.utf8))
        #expect(
            try labels(controller) == [
                "app_name": "shop.cpu", "pod": "p-1", "pyroscope_spy": "phpspy",
                "service_name": "api",
            ])
    }

    @Test func speedscopeFilesAreReadWithTheirUnits() throws {
        let controller = try TestController()
        func profile(_ name: String, _ unit: String, _ weight: Int) -> String {
            """
            {"type": "sampled", "name": "\(name)", "unit": "\(unit)", "startValue": 0, "endValue": 9,
             "samples": [[0, 1]], "weights": [\(weight)]}
            """
        }
        func file(_ profiles: [String]) -> [UInt8] {
            let list = profiles.joined(separator: ",")
            return Array(
                #"{"$schema": "https://www.speedscope.app/file-format-schema.json", "#.utf8)
                + Array(#""shared": {"frames": [{"name": "main"}, {"name": "work"}]}, "#.utf8)
                + Array("\"profiles\": [\(list)]}".utf8)
        }
        for (name, profiles) in [
            ("one", [profile("main thread", "milliseconds", 7)]),
            ("two", [profile("a", "seconds", 2), profile("b", "bytes", 5)]),
            ("three.cpu", [profile("a", "none", 4)]),
        ] {
            let answer = try controller.send(
                "POST", "/ingest?name=\(name)&format=speedscope", body: file(profiles))
            #expect(answer.status == 200, "\(answer.text)")
        }
        let cpu = "process_cpu:cpu:nanoseconds:cpu:nanoseconds"
        #expect(try total(controller, cpu, "one") == 7_000_000)
        #expect(
            try total(controller, "wall:wall:nanoseconds:cpu:nanoseconds", "two") == 2_000_000_000)
        #expect(try total(controller, "memory:samples:bytes::", "two") == 5)
        #expect(try total(controller, cpu, "three") == 40_000_000)
        let all = try controller.send("GET", "/api/v1/series").text
        #expect(all.contains(#""profile_name":"main thread""#))
    }

    @Test(arguments: [
        ("", Array("a;b x\n".utf8), "line 1"), ("format=tree", [9, 9], "byte"),
        ("format=trie", [255, 255], "byte"), ("format=speedscope", Array("{}".utf8), "$schema"),
        ("format=speedscope", Array("[".utf8), "JSON"),
    ])
    func whatIsNoneOfTheFormatsIsRefusedInWords(
        _ query: String, _ body: [UInt8], _ word: String
    ) throws {
        let controller = try TestController()
        let answer = try controller.send("POST", "/ingest?name=shop&\(query)", body: body)
        #expect(answer.status == 422, "\(answer.text)")
        #expect(answer.message.hasPrefix("cannot read "))
        #expect(answer.message.contains(word), "\(answer.message)")
        #expect(try stored(controller) == 0)
    }

    @Test func aBombInAnyFormatIsCut() throws {
        let controller = try TestController { $0.limits.tenant.profileBytes = 1 << 20 }
        let bomb = try Gzip.compress([UInt8](repeating: UInt8(ascii: "a"), count: 50 << 20))
        for format in ["", "lines", "tree", "trie", "speedscope", "pprof"] {
            let answer = try controller.send(
                "POST", "/ingest?name=shop&format=\(format)", body: bomb)
            #expect(answer.status == 422)
            #expect(answer.message.contains("1048576 (profile_bytes)"))
        }
        let form = Form([("profile", nil, bomb)])
        let answer = try controller.send(
            "POST", "/ingest?name=shop", headers: form.headers, body: form.bytes)
        #expect(answer.status == 422)
    }

    private func total(
        _ controller: TestController, _ type: String, _ service: String = ""
    ) throws -> Int {
        try controller.send("GET", "/api/v1/top?selector=\(service)&type=\(type)").json["total"]
            as? Int ?? -1
    }
}
