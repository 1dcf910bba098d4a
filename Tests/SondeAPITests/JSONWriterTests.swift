// SPDX-License-Identifier: Apache-2.0
// Writing JSON for anybody.

import Foundation
import SondeAPI
import Testing

@Suite struct JSONWriterTests {
    @Test func whatIsWrittenIsReadBackByFoundation() throws {
        var json = JSONWriter()
        json.object { json in
            json.member("text", "quote \" backslash \\ newline \n bell \u{7} é 😀")
            json.member("numbers") { $0.array([Int64.min, -1, 0, 9, 10, Int64.max]) }
            json.member("doubles") { $0.array([0.5, -1e300, 3]) { $0.value($1) } }
            json.member("nothing") { $0.value(Double.nan) }
            json.member("nested") { json in json.object { $0.member("flag", true) } }
            json.member("empty") { $0.array([String]()) }
        }
        let read = try JSONSerialization.jsonObject(with: Data(json.bytes)) as? [String: Any]
        #expect(read?["text"] as? String == "quote \" backslash \\ newline \n bell \u{7} é 😀")
        #expect(read?["numbers"] as? [Int64] == [Int64.min, -1, 0, 9, 10, Int64.max])
        #expect(read?["doubles"] as? [Double] == [0.5, -1e300, 3])
        #expect(read?["nothing"] is NSNull)
        #expect((read?["nested"] as? [String: Bool]) == ["flag": true])
        #expect((read?["empty"] as? [Any])?.isEmpty == true)
    }
}
