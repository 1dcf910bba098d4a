// SPDX-License-Identifier: Apache-2.0
// Reading JSON from anybody.

import Foundation
import SondeWire
import Testing

@Suite struct JSONReaderTests {
    @Test(arguments: [
        "null", "true", "0", "-1.5e3", #""""#, "[]", "{}", "[1,[2,{\"a\":[]}]]",
        #"{"a": {"b": [true, null, "\u00e9\n"]}}"#, " [ 1 , 2 ] ", #"["\ud83d\ude00"]"#,
    ])
    func whatIsJSONIsPassedOver(_ text: String) throws {
        var reader = JSONReader(Array(text.utf8))
        try reader.skip()
        try reader.end()
    }

    @Test(arguments: [
        "", "{", "}", "[", "[1", "[1,", "[1,]", "[,1]", "{\"a\"}", "{\"a\":}", "{a:1}",
        "{\"a\":1,}",
        "01", "+1", ".5", "nul", "tru", "'a'", "\"", "\"\\", "\"\n\"", "[1}", "{\"a\":1]", "1 2",
        "NaN", "Infinity", "--1",
    ])
    func whatIsNoJSONIsRefused(_ text: String) {
        #expect(throws: JSONError.self) {
            var reader = JSONReader(Array(text.utf8))
            try reader.skip()
            try reader.end()
        }
    }

    @Test func deepNestingIsRefusedWithoutRecursion() {
        for bracket in ["[", "{\"a\":"] {
            let text = String(repeating: bracket, count: 1_000_000)
            var reader = JSONReader(Array(text.utf8))
            let error = #expect(throws: JSONError.self) { try reader.skip() }
            #expect(error?.description.contains("64 deep") == true)
        }
    }

    @Test(
        arguments: [
            ("5", 5), ("\"5\"", 5), ("-9223372036854775808", Int64.min), ("5.0", 5), ("1e3", 1000),
            ("\"9223372036854775807\"", Int64.max),
        ] as [(String, Int64)])
    func integersMayStandInQuotes(_ text: String, _ value: Int64) throws {
        var reader = JSONReader(Array(text.utf8))
        #expect(try reader.int64() == value)
    }

    @Test(arguments: ["1.5", "9223372036854775808", "\"x\"", "\"\"", "true", "1e99"])
    func whatIsNoIntegerIsRefused(_ text: String) {
        var reader = JSONReader(Array(text.utf8))
        #expect(throws: JSONError.self) { try reader.int64() }
    }

    @Test func base64IsReadInBothAlphabetsPaddedOrNot() throws {
        for count in 0..<40 {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 97 &+ 200) }
            let standard = Data(bytes).base64EncodedString()
            let url = standard.replacing("+", with: "-").replacing("/", with: "_")
            for text in [standard, url, url.replacing("=", with: "")] {
                var reader = JSONReader(Array("\"\(text)\"".utf8))
                #expect(try reader.base64() == bytes)
            }
        }
        for wrong in ["\"a\"", "\"a===b\"", "\"a b=\"", "\"é\""] {
            var reader = JSONReader(Array(wrong.utf8))
            #expect(throws: JSONError.self) { try reader.base64() }
        }
    }

    @Test func surrogatesAndEscapesBecomeText() throws {
        var reader = JSONReader(Array(#""a\u00e9\ud83d\ude00\n\/\"""#.utf8))
        #expect(try reader.string() == "aé😀\n/\"")
        for wrong in [#""\ud83d""#, #""\ude00""#, #""\ud83dx""#, #""\u12""#, #""\x""#] {
            var reader = JSONReader(Array(wrong.utf8))
            #expect(throws: JSONError.self) { try reader.string() }
        }
    }

    @Test func mutatedTextsNeverDoMoreThanFail() {
        let seed = Array(
            #"{"series":[{"labels":[{"name":"a","value":"\u00e9"}],"x":[1.5e3,null]}]}"#.utf8)
        var random = SystemRandomNumberGenerator()
        for _ in 0..<5000 {
            var bytes = seed
            for _ in 0..<Int.random(in: 1...5, using: &random) {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                bytes[place] = UInt8.random(in: 0...255, using: &random)
            }
            var reader = JSONReader(bytes)
            try? reader.skip()
        }
    }
}
