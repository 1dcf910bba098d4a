// SPDX-License-Identifier: Apache-2.0
// Profiles that are downloaded say at which line a function called the next one.

import Foundation
import SondeFormats
import SondeModel
import SondeSymbols
import SondeWire
import Testing

@Suite struct CallLineTests {
    /// A controller that has a program's debug info and one stack of it: main at line 10, settle at line 6.
    struct Subject {
        let controller: TestController
        let image: CompiledBet

        init() throws {
            controller = try TestController()
            image = try CompiledBet()
            let put = try controller.send(
                "PUT", "/api/v1/debuginfo/\(image.buildID)", body: image.bytes)
            try #require(put.status == 200, "\(put.message)")
            let path = controller.folder.path + "/bet.elf"
            try Data(image.bytes).write(to: URL(fileURLWithPath: path))
            let (debug, elf) = (try ProbeImage(path: path), try ElfImage(path: path))
            let file = try #require(debug.files(matching: "bet.c").first)
            let id = ImageID(buildID: image.buildID, path: "/opt/bet")
            let stack = try [UInt32(10), 6].map { line -> Location in
                let place = try #require(debug.places(file: file, line: line).first)
                return .address(image: id, offset: try #require(elf.offset(of: place.address)))
            }
            var tree = LocationTree()
            tree.add(70, rootFirst: stack)
            let now = Int64(Date().timeIntervalSince1970 * 1e9)
            let description = PprofDocument.Description(
                type: .cpu, start: Timestamp(unixNanoseconds: now),
                durationNanoseconds: 10_000_000_000)
            let pushed = try controller.send(
                "POST", pushTarget, headers: [("Content-Type", "application/proto")],
                body: push(PprofDocument(tree, description).encode()))
            try #require(pushed.status == 200, "\(pushed.message)")
        }

        /// The stacks that `SelectMergeProfile` answers.
        func merged(_ selector: String = "") throws -> Answer {
            let now = Int64(Date().timeIntervalSince1970 * 1000)
            let body =
                #"{"profileTypeID":"\#(ProfileType.cpu)","start":\#(now - 60_000),"#
                + #""end":\#(now + 60_000)\#(selector)}"#
            return try controller.send(
                "POST", "/querier.v1.QuerierService/SelectMergeProfile",
                headers: [("Content-Type", "application/json")], body: Array(body.utf8))
        }
    }

    @Test func aDownloadHasTheLinesOfCallsAndTheFunctionsOwn() throws {
        let subject = try Subject()
        let answer = try subject.controller.send("GET", "/api/v1/flame?format=pprof")
        let document = try PprofDocument(
            decoding: try Gzip.expand(answer.body, limit: 1 << 20)[...])
        let lines = document.locations.flatMap(\.lines).map { line in
            let function = document.functions.first { $0.id == line.functionID }
            return "\(function?.name ?? "") from \(function?.startLine ?? 0) at \(line.line)"
        }
        #expect(lines.sorted() == ["main from 10 at 10", "settle from 4 at 6"])
        #expect(document.functions.allSatisfy { $0.filename.hasSuffix("bet.c") })
        let mapping = try #require(document.mappings.first)
        #expect(mapping.hasFunctions && mapping.hasFilenames && mapping.hasLineNumbers)
        #expect(mapping.buildID == subject.image.buildID.description)
    }

    @Test func aCompilerGetsTheLinesOfCallsWithoutThoseOfCallees() throws {
        let subject = try Subject()
        for (selector, want) in [
            ("", [6, 10]),
            (#","stackTraceSelector":{"goPgo":{"keepLocations":2}}"#, [6, 10]),
            (
                #","stackTraceSelector":{"goPgo":{"keepLocations":2,"aggregateCallees":true}}"#,
                [0, 10]
            ),
            (
                #","stackTraceSelector":{"goPgo":{"keepLocations":1,"aggregateCallees":true}}"#,
                [0]
            ),
        ] as [(String, [Int])] {
            let answer = try subject.merged(selector)
            #expect(answer.status == 200, "\(answer.text)")
            let locations = try #require(answer.json["location"] as? [[String: Any]])
            let lines = locations.flatMap { $0["line"] as? [[String: Any]] ?? [] }
            let numbers = lines.map { ($0["line"] as? String).flatMap { Int($0) } ?? 0 }
            #expect(numbers.sorted() == want, "\(selector)")
        }
    }
}
