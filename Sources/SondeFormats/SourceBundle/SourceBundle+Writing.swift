// SPDX-License-Identifier: Apache-2.0
// Writes the tar archive of a bundle.

extension SourceBundle {
    /// The bundle as a tar archive: ustar, with pax headers where a path is too long for it.
    package var tar: [UInt8] {
        var archive: [UInt8] = []
        archive.reserveCapacity(files.reduce(2048) { $0 + $1.bytes.count + 1536 })
        for file in files {
            let path = Array(file.path.utf8)
            if path.count > 100 {
                let record = Self.record("path", file.path)
                Self.append("pax", UInt8(ascii: "x"), file.modified, record, to: &archive)
            }
            let name = path.count > 100 ? "long" : file.path
            Self.append(name, UInt8(ascii: "0"), file.modified, file.bytes, to: &archive)
        }
        archive.append(contentsOf: repeatElement(0, count: 1024))
        return archive
    }

    /// A record of a pax header; its length counts itself.
    private static func record(_ name: String, _ value: String) -> [UInt8] {
        let rest = " \(name)=\(value)\n"
        var length = rest.utf8.count
        while "\(length)".utf8.count + rest.utf8.count != length {
            length = "\(length)".utf8.count + rest.utf8.count
        }
        return Array("\(length)\(rest)".utf8)
    }

    private static func append(
        _ name: String, _ type: UInt8, _ modified: Int64, _ content: [UInt8],
        to archive: inout [UInt8]
    ) {
        var header = [UInt8](repeating: 0, count: 512)
        func put(_ text: some Sequence<UInt8>, at offset: Int) {
            for (index, byte) in text.enumerated() { header[offset + index] = byte }
        }
        func octal(_ value: Int64, digits: Int) -> [UInt8] {
            let text = String(max(0, value), radix: 8)
            return Array((String(repeating: "0", count: max(0, digits - text.count)) + text).utf8)
        }
        put(name.utf8, at: 0)
        put("0000644".utf8, at: 100)
        put("0000000".utf8, at: 108)
        put("0000000".utf8, at: 116)
        put(octal(Int64(content.count), digits: 11).prefix(11), at: 124)
        put(octal(min(modified, (1 << 33) - 1), digits: 11), at: 136)
        put("        ".utf8, at: 148)
        header[156] = type
        put("ustar\0".utf8, at: 257)
        put("00".utf8, at: 263)
        let sum = header.reduce(0) { $0 + Int64($1) }
        put(octal(sum, digits: 6) + [0, UInt8(ascii: " ")], at: 148)
        archive += header
        archive += content
        let rest = content.count % 512
        if rest > 0 { archive.append(contentsOf: repeatElement(0, count: 512 - rest)) }
    }
}
