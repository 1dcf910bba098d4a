// SPDX-License-Identifier: Apache-2.0
// JSON strings, for writers that may not use Foundation.

/// Writes JSON's strings.
enum JSONText {
    /// A string as a JSON literal, its quotes included.
    static func literal(_ text: String) -> String {
        var bytes: [UInt8] = [UInt8(ascii: "\"")]
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes += [UInt8(ascii: "\\"), byte]
            case 10: bytes += Array("\\n".utf8)
            case 13: bytes += Array("\\r".utf8)
            case 9: bytes += Array("\\t".utf8)
            case 0..<32:
                let digits = Array("0123456789abcdef".utf8)
                bytes += Array("\\u00".utf8) + [digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
        return String(decoding: bytes, as: UTF8.self)
    }
}
