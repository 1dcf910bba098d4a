// SPDX-License-Identifier: Apache-2.0
// The HTTP client against a server on raw sockets: good answers, bad answers, none.

import Foundation
import Glibc
import SondeHTTPClient
import SondeTestServer
import Testing

struct HTTPClientTests {
    private func client(
        _ url: String, token: String? = nil, limit: Int = 1 << 20
    ) throws -> HTTPClient {
        try HTTPClient(
            HTTPClientConfiguration(
                baseURL: url, token: token, maxResponseBytes: limit, userAgent: "test/1"))
    }

    private func code(_ body: () throws -> HTTPClientResponse) -> HTTPClientError.Code? {
        do {
            _ = try body()
            return nil
        } catch {
            return (error as? HTTPClientError)?.code
        }
    }

    @Test func aRequestArrivesWithMethodTargetFieldsAndBody() throws {
        let server = try TestServer { _ in
            .respond(201, headers: [("X-One", " 1 ")], body: Array("hello".utf8))
        }
        defer { server.stop() }
        let answer = try client(server.url + "/base/", token: "secret").send(
            HTTPClientRequest(
                method: "POST", target: "/a?b=c", headers: [("Content-Type", "application/proto")],
                body: [0, 1, 2]))
        #expect(answer.status == 201)
        #expect(answer.header("x-one") == "1")
        #expect(answer.body == Array("hello".utf8))
        let request = try #require(server.requests.first)
        #expect(request.method == "POST")
        #expect(request.target == "/base/a?b=c")
        #expect(request.body == [0, 1, 2])
        #expect(request.headers["authorization"] == "Bearer secret")
        #expect(request.headers["content-type"] == "application/proto")
        #expect(request.headers["user-agent"] == "test/1")
        #expect(request.headers["expect"] == nil)
    }

    @Test(arguments: ["GET", "POST", "PUT", "PATCH", "DELETE"])
    func aRequestWithoutABodyEndsAtOnce(method: String) throws {
        let server = try TestServer { _ in .respond(200) }
        defer { server.stop() }
        let answer = try client(server.url).send(
            HTTPClientRequest(method: method, target: "/", timeoutSeconds: 5))
        #expect(answer.status == 200)
        #expect(server.requests.first?.method == method)
        #expect(server.requests.first?.headers["content-type"] == nil)
    }

    @Test func oneConnectionServesManyRequests() throws {
        let server = try TestServer { _ in .respond(200) }
        defer { server.stop() }
        let client = try client(server.url)
        for _ in 0..<5 { _ = try client.send(HTTPClientRequest(target: "/")) }
        #expect(server.requests.map(\.connection) == [1, 1, 1, 1, 1])
    }

    @Test func aRedirectIsAnAnswerAndIsNotFollowed() throws {
        let server = try TestServer { _ in .respond(302, headers: [("Location", "/elsewhere")]) }
        defer { server.stop() }
        #expect(try client(server.url).send(HTTPClientRequest(target: "/")).status == 302)
        #expect(server.requests.count == 1)
    }

    @Test(arguments: [
        "", "127.0.0.1:4040:1", "ftp://127.0.0.1", "file:///etc/passwd", "http://", "http://a b/",
        "http://user@127.0.0.1", "http://127.0.0.1/?x=1", "http://127.0.0.1/#x", "http://ö/",
    ])
    func anAddressThatCannotBeUsedIsRefusedAtOnce(url: String) throws {
        let error = #expect(throws: HTTPClientError.self) { try client(url) }
        #expect(error?.code == .badAddress)
        #expect(error?.message.contains("want one like http://127.0.0.1:4040") == true)
    }

    @Test func nobodyListeningIsSaidInOneSentence() throws {
        let url = "http://127.0.0.1:\(try unusedPort())"
        let error = #expect(throws: HTTPClientError.self) {
            try client(url).send(HTTPClientRequest(target: "/ready"))
        }
        #expect(error?.code == .cannotConnect)
        #expect(
            error?.message
                == "cannot GET \(url)/ready: got \"Connection refused\"; want a server there")
    }

    @Test func anAnswerThatNeverComesOrDripsEndsAtTheTimeLimit() throws {
        let server = try TestServer { request in
            request.target == "/hang"
                ? .hang : .drip(Array("HTTP/1.1 200 OK".utf8), milliseconds: 90)
        }
        defer { server.stop() }
        let client = try client(server.url)
        for target in ["/hang", "/drip"] {
            let begin = Date()
            #expect(
                code { try client.send(HTTPClientRequest(target: target, timeoutSeconds: 0.3)) }
                    != nil)
            #expect(Date().timeIntervalSince(begin) < 20)
        }
    }

    @Test func brokenAnswersAreErrorsAndTheClientWorksOn() throws {
        let server = try TestServer { request in
            switch request.target {
            case "/garbage": .raw(Array("SSH-2.0-OpenSSH_9.2\r\n".utf8))
            case "/reset": .reset
            case "/middle": .resetInBody
            case "/gzip":
                .respond(200, headers: [("Content-Encoding", "gzip")], body: [1, 2, 3])
            default: .respond(200)
            }
        }
        defer { server.stop() }
        let client = try client(server.url)
        for target in ["/garbage", "/reset", "/middle", "/gzip"] {
            #expect(code { try client.send(HTTPClientRequest(target: target)) } == .broken)
            #expect(try client.send(HTTPClientRequest(target: "/ok")).status == 200)
        }
    }

    @Test func anAnswerBeyondTheLimitIsCutOffAlsoWhenItIsCompressed() throws {
        // A gzip member of 20 000 zero bytes.
        let bomb = try #require(
            Data(
                base64Encoded:
                    "H4sIAKb2AGsC/+3BMQEAAADCoPVPbQ0PoAAAAAAAAAAAAAAAAAAAAAAAAAB4MAJTL5cgTgAA"))
        let server = try TestServer { request in
            request.target == "/bomb"
                ? .respond(200, headers: [("Content-Encoding", "gzip")], body: Array(bomb))
                : .respond(200, body: Array(repeating: 65, count: 1001))
        }
        defer { server.stop() }
        let client = try client(server.url, limit: 1000)
        #expect(code { try client.send(HTTPClientRequest(target: "/")) } == .tooLarge)
        #expect(code { try client.send(HTTPClientRequest(target: "/bomb")) } == .tooLarge)
    }

    @Test func aFileIsSentAsItIs() throws {
        let path = FileManager.default.temporaryDirectory.path + "/sonde-upload-\(getpid())"
        let content = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        try Data(content).write(to: URL(fileURLWithPath: path))
        defer { unlink(path) }
        let server = try TestServer { _ in .respond(200) }
        defer { server.stop() }
        let client = try client(server.url)
        let answer = try client.upload(
            file: path, HTTPClientRequest(method: "PUT", target: "/image"))
        #expect(answer.status == 200)
        #expect(server.requests.first?.body == content)
        #expect(server.requests.first?.headers["content-length"] == "300000")
        for notAFile in [path + "-not", "/"] {
            let put = HTTPClientRequest(method: "PUT", target: "/")
            #expect(code { try client.upload(file: notAFile, put) } == .unreadableFile)
        }
    }

    @Test func cancellingEndsAnExchangeThatHangsAndEveryLaterOne() throws {
        let server = try TestServer { _ in .hang }
        defer { server.stop() }
        let client = try client(server.url)
        Thread.detachNewThread {
            _ = eventually { server.requests.count == 1 }
            client.cancel()
        }
        let begin = Date()
        #expect(code { try client.send(HTTPClientRequest(target: "/")) } == .cancelled)
        #expect(Date().timeIntervalSince(begin) < 20)
        #expect(code { try client.send(HTTPClientRequest(target: "/")) } == .cancelled)
    }

    @Test func aLineBreakInAFieldIsNotSent() throws {
        let server = try TestServer { _ in .respond(200) }
        defer { server.stop() }
        let client = try client(server.url, token: "a\r\nX-Evil: 1")
        #expect(code { try client.send(HTTPClientRequest(target: "/")) } == .broken)
        #expect(server.requests.isEmpty)
    }
}
