// SPDX-License-Identifier: Apache-2.0
// WebSocket's handshake and frames, against the examples of RFC 6455 and against hostile clients.

import Testing

@testable import SondeServer

@Suite struct WebSocketFrameTests {
    /// A client's frame, masked as clients have to.
    private func masked(_ first: UInt8, _ payload: [UInt8]) -> [UInt8] {
        let mask: [UInt8] = [0x37, 0xFA, 0x21, 0x3D]
        let length: [UInt8] =
            payload.count < 126
            ? [0x80 | UInt8(payload.count)]
            : [0x80 | 126, UInt8(payload.count >> 8), UInt8(payload.count & 0xFF)]
        return [first] + length + mask + payload.enumerated().map { $1 ^ mask[$0 % 4] }
    }

    @Test func theHandshakeIsTheStandardsExample() {
        #expect(
            WebSocketFrame.accept(key: "dGhlIHNhbXBsZSBub25jZQ==")
                == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
    }

    @Test func aServersFramesAreTheStandardsExamples() {
        let hello = Array("Hello".utf8)
        #expect(WebSocketFrame.bytes(.text, hello) == [0x81, 0x05] + hello)
        let long = [UInt8](repeating: 7, count: 256)
        #expect(WebSocketFrame.bytes(.binary, long) == [0x82, 0x7E, 0x01, 0x00] + long)
        let longer = [UInt8](repeating: 7, count: 65_536)
        #expect(
            WebSocketFrame.bytes(.binary, longer) == [0x82, 0x7F, 0, 0, 0, 0, 0, 1, 0, 0] + longer)
        #expect(WebSocketFrame.close(.normal) == [0x88, 2, 0x03, 0xE8])
        let reason = WebSocketFrame.close(.internalError, String(repeating: "ü", count: 200))
        #expect(reason.count <= 127)
        #expect(String(validating: reason[4...], as: UTF8.self) != nil)
    }

    @Test func aClientsFramesAreReadHoweverTheyAreCut() {
        let bytes =
            masked(0x81, Array("ignored".utf8)) + masked(0x89, Array("are you there".utf8))
            + masked(0x8A, []) + masked(0x82, Array(repeating: 1, count: 300))
            + masked(0x88, [3, 232])
        let want: [WebSocketReader.Event] = [.ping(Array("are you there".utf8)), .close]
        for size in [1, 2, 3, 7, bytes.count] {
            var reader = WebSocketReader()
            var events: [WebSocketReader.Event] = []
            for start in stride(from: 0, to: bytes.count, by: size) {
                events += reader.take(Array(bytes[start..<min(bytes.count, start + size)]))
            }
            #expect(events == want, "in pieces of \(size)")
        }
    }

    @Test(
        arguments: [
            ([0x81, 0x05, 1, 2, 3, 4, 5], .protocolError),  // not masked
            ([0xC1, 0x80], .protocolError),  // an extension that nobody asked for
            ([0x83, 0x80], .protocolError),  // a kind that there is not
            ([0x89, 0xFE, 1, 0], .protocolError),  // a long ping
            ([0x09, 0x80], .protocolError),  // a ping in parts
            ([0x81, 0xFF, 0, 0, 0, 0, 0, 1, 0, 1], .tooBig),
            ([0x81, 0xFF, 255, 255, 255, 255, 255, 255, 255, 255], .tooBig),
        ] as [([UInt8], WebSocketFrame.CloseCode)])
    func whoBreaksTheRulesIsTold(bytes: [UInt8], code: WebSocketFrame.CloseCode) {
        var reader = WebSocketReader()
        #expect(reader.take(bytes) == [.violation(code)])
    }

    @Test func randomBytesNeverBreakTheReader() {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<2000 {
            var reader = WebSocketReader()
            for _ in 0..<4 {
                let bytes = (0..<Int.random(in: 0...40, using: &random)).map { _ in
                    UInt8.random(in: 0...255, using: &random)
                }
                _ = reader.take(bytes)
            }
        }
    }
}
