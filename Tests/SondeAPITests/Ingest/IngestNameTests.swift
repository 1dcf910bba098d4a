// SPDX-License-Identifier: Apache-2.0
// What /ingest is asked with: names with labels, times, forms.

import SondeAPI
import SondeModel
import Testing

@Suite struct IngestNameTests {
    @Test(arguments: [
        ("app", "app", ""), (" app.cpu ", "app.cpu", ""), ("app{}", "app", ""),
        ("app.cpu{a=b,c = d e }", "app.cpu", "a=b;c=d e"), ("app{a=b,}", "app", "a=b"),
        ("app{a=}", "app", "a="), ("app{a=b=c}", "app", "a=b=c"),
        (#"app{a="x, }y",b="z"}"#, "app", "a=x, }y;b=z"), (#"app{a="x"y}"#, "app", #"a="x"y"#),
        ("app{a=1,a=2}", "app", "a=2"), ("a/b:c{host.name=h-1} ", "a/b:c", "host.name=h-1"),
    ])
    func namesAreReadAsTheirSendersMeanThem(
        _ text: String, _ application: String, _ labels: String
    ) throws {
        let name = try ApplicationName(text)
        #expect(name.application == application)
        #expect(name.labels.map { "\($0.name)=\($0.value)" }.joined(separator: ";") == labels)
    }

    @Test(arguments: [
        "", " ", "{a=b}", "app{", "app{a", "app{a=b", "app{a}", "app{=b}", "app{a=b}c",
        #"app{a="b"#, "app{a=b,c}",
    ])
    func namesThatAreNoneAreRefusedInWords(_ text: String) {
        let error = #expect(throws: APIError.self) { try ApplicationName(text) }
        #expect(error?.code == .invalidArgument)
        #expect(error?.message.hasPrefix("cannot read the name: got ") == true)
    }

    private static let now = Timestamp(unixNanoseconds: 1_769_871_600_000_000_000)

    @Test(arguments: [
        ("1769871600", 1_769_871_600_000_000_000), ("1769871600123", 1_769_871_600_123_000_000),
        ("1769871600123456", 1_769_871_600_123_456_000),
        ("1769871600123456789", 1_769_871_600_123_456_789), ("0", 0), ("12", 12_000_000_000),
        ("19700101", 0), ("20260131", 1_769_817_600_000_000_000),
        ("2026_01_31", 1_769_817_600_000_000_000), ("20240229", 1_709_164_800_000_000_000),
        // No days: 20 million and some seconds.
        ("20230229", 20_230_229_000_000_000), ("20261331", 20_261_331_000_000_000),
        ("19000101", 19_000_101_000_000_000),
        // More than a number holds: the end of time.
        ("9223372036854775807", Int64.max), ("99999999999", Int64.max),
    ])
    func digitsAreTimesByTheirCount(_ text: String, _ want: Int64) {
        #expect(AttimeExpression.time(text, now: Self.now).unixNanoseconds == want)
    }

    @Test(arguments: [
        ("now", 0), ("", 0), ("soon", 0), ("now-1h", -3600), ("now-1h30m", -5400),
        ("now - 1h 30min", -5400), ("now+5s", 5), ("-1d", -86_400), ("now-2w", -1_209_600),
        ("now-1M", -2_592_000), ("now-1mon", -2_592_000), ("now-1y", -31_536_000),
        ("midnight-1s", -1), ("now-", 0), ("now-1", 0), ("now-1x", 0), ("now-1h1x", -3600),
        ("99999999999999999999", 0),
    ])
    func otherTimesAreThePresentAndSomething(_ text: String, _ seconds: Int64) {
        let want = Self.now.unixNanoseconds + seconds * 1_000_000_000
        #expect(AttimeExpression.time(text, now: Self.now).unixNanoseconds == want)
    }

    @Test func timesBeyondTheRangeEndAtIt() {
        let late = AttimeExpression.time("now+999999999999999y", now: Self.now)
        #expect(late.unixNanoseconds == .max)
        let early = AttimeExpression.time("now-999999999999999y9999999999y", now: Self.now)
        #expect(early.unixNanoseconds < -7_000_000_000_000_000_000)
    }
}

@Suite struct MultipartFormTests {
    private func form(_ body: String, _ type: String = "multipart/form-data; boundary=xyz") throws
        -> MultipartForm
    {
        try MultipartForm(Array(body.utf8), contentType: type)
    }

    private func shown(_ form: MultipartForm) -> [String] {
        form.parts.map { "\($0.name)=\(String(decoding: $0.content, as: UTF8.self))" }
    }

    @Test func partsAreFoundWithAndWithoutFileNames() throws {
        let body = """
            preamble\r
            --xyz\r
            Content-Disposition: form-data; name="profile"; filename="profile.pprof"\r
            Content-Type: application/octet-stream\r
            \r
            one\r
            two--xyz\r
            \r
            --xyz  \r
            content-disposition: form-data;name=plain\r
            \r
            \r
            --xyz--\r
            epilogue
            """
        #expect(try shown(form(body)) == ["profile=one\r\ntwo--xyz\r\n", "plain="])
        let bare = String(decoding: body.utf8.filter { $0 != 13 }, as: UTF8.self)
        #expect(try shown(form(bare)) == ["profile=one\ntwo--xyz\n", "plain="])
    }

    @Test(arguments: [
        #"multipart/form-data; boundary="x y;z""#, #"multipart/form-data;BOUNDARY="x y;z""#,
        #"multipart/form-data; charset=utf-8; boundary="x y;z"; a=b"#,
    ])
    func theBoundaryIsReadAsItIsWritten(_ type: String) throws {
        let body =
            "--x y;z\r\nContent-Disposition: form-data; name=\"a\\\"b\"\r\n\r\nv\r\n--x y;z--"
        #expect(try shown(form(body, type)) == ["a\"b=v"])
    }

    @Test(arguments: [
        ("", "multipart/form-data; boundary=xyz"), ("--xyz--", "multipart/form-data"),
        ("--xyz--", "multipart/form-data; boundary="),
        ("--xyz", "multipart/form-data; boundary=xyz"),
        ("--xyz\r\n", "multipart/form-data; boundary=xyz"),
        ("--xyz\r\nContent-Disposition: form-data; name=a\r\n\r\nv", "a/b; boundary=xyz"),
        ("--xyz\r\nno empty line\r\n--xyz--", "a/b; boundary=xyz"),
        ("--xyz\r\n--xyz--", "a/b; boundary=xyz"),
    ])
    func whatIsNoFormIsRefusedInWords(_ body: String, _ type: String) {
        let error = #expect(throws: MultipartError.self) { try form(body, type) }
        #expect(error?.description.hasPrefix("cannot read the form: got ") == true)
    }

    @Test func partsAndTheirHeadersAreBounded() {
        let part = "--xyz\r\nContent-Disposition: form-data; name=a\r\n\r\nv\r\n"
        #expect(throws: MultipartError.self) {
            try form(String(repeating: part, count: MultipartForm.partLimit + 1) + "--xyz--")
        }
        let head = String(repeating: "x: y\r\n", count: MultipartForm.headLimit)
        #expect(throws: MultipartError.self) { try form("--xyz\r\n\(head)\r\nv\r\n--xyz--") }
    }

    @Test func aPartWithoutANameIsPassedOver() throws {
        #expect(try form("--xyz\r\nx: y\r\n\r\nv\r\n--xyz--").parts.isEmpty)
    }
}
