// SPDX-License-Identifier: Apache-2.0
// Profiles that people upload are shown and compared.

import Foundation
import SondeModel
import SondeWire
import Testing

@Suite struct AdHocProfileTests {
    @Test func aProfileOfEachFormatIsShownAndKept() throws {
        let controller = try TestController()
        let folded = Array("main;work 70\nmain;idle 30\n".utf8)
        let speedscope = Array(
            """
            {"$schema":"https://www.speedscope.app/file-format-schema.json",
            "shared":{"frames":[{"name":"main"},{"name":"work"}]},"profiles":[{"type":"sampled",
            "name":"p","unit":"none","startValue":0,"endValue":100,"samples":[[0],[0,1]],
            "weights":[30,70]}]}
            """.utf8)
        let pprof = try Gzip.compress(profile(["main", "work"], 100))
        for file in [folded, speedscope, pprof] {
            let answer = try call(
                controller, "Upload",
                "\"name\":\"a.file\",\"profile\":\"\(Data(file).base64EncodedString())\"")
            #expect(answer.status == 200, "\(answer.text)")
            let id = try #require(answer.json["id"] as? String)
            let graph = try flamebearer(answer)
            #expect(graph["numTicks"] as? Int == 100)
            #expect((graph["names"] as? [String])?.contains("work") == true)
            let again = try call(controller, "Get", "\"id\":\"\(id)\"")
            #expect(again.text == answer.text)
        }
        let list = try call(controller, "List", "").json["profiles"] as? [[String: Any]]
        #expect(list?.count == 3)
        #expect(list?.first?["name"] as? String == "a.file")
    }

    @Test func twoProfilesAreCompared() throws {
        let controller = try TestController()
        let ids = try ["a;b 1\na;c 2", "a;b 3"].map { text in
            let file = Data(text.utf8).base64EncodedString()
            let answer = try call(controller, "Upload", "\"name\":\"x\",\"profile\":\"\(file)\"")
            return try #require(answer.json["id"] as? String)
        }
        let answer = try call(
            controller, "Diff", "\"leftId\":\"\(ids[0])\",\"right_id\":\"\(ids[1])\"")
        #expect(answer.status == 200)
        let text = try #require(answer.json["flamebearerProfile"] as? String)
        #expect(text.contains("\"leftTicks\":3,\"rightTicks\":3"))
        #expect(text.contains("\"format\":\"double\""))
        let wrong = try call(
            controller, "Diff",
            "\"leftId\":\"\(ids[0])\",\"rightId\":\"\(ids[1])\",\"profileType\":\"heap\"")
        #expect(wrong.status == 400)
    }

    @Test func whatIsNoProfileIsRefused() throws {
        let controller = try TestController()
        for file in ["", "no stacks", "{}", "\u{1F}\u{8B}gone"] {
            let answer = try call(
                controller, "Upload",
                "\"name\":\"x\",\"profile\":\"\(Data(file.utf8).base64EncodedString())\"")
            #expect(answer.status == 400, "\(file)")
        }
        #expect(try call(controller, "Upload", "\"profile\":\"***\"").status == 400)
        let missing = try call(controller, "Get", "\"id\":\"none\"")
        #expect(missing.status == 404)
        #expect(missing.code == "not_found")
        #expect(try call(controller, "List", "").text == "{}")
    }

    private func flamebearer(_ answer: Answer) throws -> [String: Any] {
        let text = try #require(answer.json["flamebearerProfile"] as? String)
        let document = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
        return try #require(document?["flamebearer"] as? [String: Any])
    }

    private func call(
        _ controller: TestController, _ procedure: String, _ members: String
    ) throws -> Answer {
        try controller.send(
            "POST", "/adhocprofiles.v1.AdHocProfileService/" + procedure,
            headers: [("Content-Type", "application/json")], body: Array("{\(members)}".utf8))
    }
}
