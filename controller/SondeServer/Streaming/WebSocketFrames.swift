// SPDX-License-Identifier: Apache-2.0
// WebSocket's handshake and frames, as far as a server needs them that only sends.
// Source: RFC 6455.

internal import Foundation
internal import SondeStore

/// Writes a server's frames and the handshake's answer.
enum WebSocketFrame {
    /// What a frame is.
    enum Kind: UInt8 {
        case more = 0
        case text = 1
        case binary = 2
        case close = 8
        case ping = 9
        case pong = 10
    }

    /// Why a connection is closed.
    enum CloseCode: UInt16 {
        case normal = 1000
        case goingAway = 1001
        case protocolError = 1002
        case tooBig = 1009
        case internalError = 1011
    }

    /// A whole, unmasked frame.
    static func bytes(_ kind: Kind, _ payload: [UInt8]) -> [UInt8] {
        var frame: [UInt8] = [0x80 | kind.rawValue]
        switch payload.count {
        case ...125: frame.append(UInt8(payload.count))
        case ...0xFFFF:
            frame.append(126)
            frame += [UInt8(payload.count >> 8), UInt8(payload.count & 0xFF)]
        default:
            frame.append(127)
            for shift in stride(from: 56, through: 0, by: -8) {
                frame.append(UInt8(truncatingIfNeeded: payload.count >> shift))
            }
        }
        return frame + payload
    }

    /// A close frame.
    static func close(_ code: CloseCode, _ reason: String = "") -> [UInt8] {
        var text: [UInt8] = []
        // Control frames hold at most 125 bytes, and whole characters.
        for character in reason.unicodeScalars where text.count <= 119 {
            text += Array(String(character).utf8)
        }
        return bytes(.close, [UInt8(code.rawValue >> 8), UInt8(code.rawValue & 0xFF)] + text)
    }

    /// What `Sec-WebSocket-Accept` has to be for a client's key.
    static func accept(key: String) -> String? {
        MessageDigest.sha1(Array((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").utf8)).map {
            Data($0).base64EncodedString()
        }
    }
}

/// Reads a client's frames out of the bytes that come, from untrusted hands.
struct WebSocketReader {
    /// Something that the server has to do.
    enum Event: Equatable {
        /// Answer with the same payload.
        case ping([UInt8])
        /// The client wants to close.
        case close
        /// The client broke the rules.
        case violation(WebSocketFrame.CloseCode)
    }

    /// The most bytes of one frame: clients have nothing to say.
    static let payloadLimit = 64 << 10

    private var bytes: [UInt8] = []

    /// Takes bytes, and gives what they ask for; texts and pongs are passed over.
    mutating func take(_ more: [UInt8]) -> [Event] {
        bytes += more
        var events: [Event] = []
        while let (event, length) = next() {
            bytes.removeFirst(length)
            if let event { events.append(event) }
            if case .violation? = event { bytes = [] }
        }
        return events
    }

    /// The first frame that is whole.
    private func next() -> (Event?, length: Int)? {
        guard bytes.count >= 2 else { return nil }
        let reserved = bytes[0] & 0x70
        guard reserved == 0, let kind = WebSocketFrame.Kind(rawValue: bytes[0] & 0x0F),
            bytes[1] & 0x80 != 0
        else { return (.violation(.protocolError), 0) }
        var head = 2
        var length = Int(bytes[1] & 0x7F)
        if length >= 126 {
            let count = length == 126 ? 2 : 8
            // Control frames are short and whole.
            guard kind.rawValue < 8 else { return (.violation(.protocolError), 0) }
            guard bytes.count >= 2 + count else { return nil }
            let value = bytes[2..<2 + count].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            guard value <= UInt64(Self.payloadLimit) else { return (.violation(.tooBig), 0) }
            (head, length) = (2 + count, Int(value))
        }
        guard kind.rawValue < 8 || bytes[0] & 0x80 != 0 else {
            return (.violation(.protocolError), 0)
        }
        guard bytes.count >= head + 4 + length else { return nil }
        switch kind {
        case .ping:
            let mask = bytes[head..<head + 4]
            let payload = bytes[(head + 4)..<(head + 4 + length)].enumerated().map {
                $1 ^ mask[head + $0 % 4]
            }
            return (.ping(payload), head + 4 + length)
        case .close: return (.close, head + 4 + length)
        default: return (nil, head + 4 + length)
        }
    }
}
