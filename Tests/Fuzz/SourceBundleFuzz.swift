// SPDX-License-Identifier: Apache-2.0
// Fuzzes the reader of source bundles, tar archives from whoever has a token.

import SondeFormats

/// Archives of source files.
enum SourceBundleFuzz {
    private static var limits: SourceBundle.Limits {
        var limits = SourceBundle.Limits()
        limits.files = 64
        limits.fileBytes = 4096
        return limits
    }

    static let target = FuzzTarget(
        test: { data, size in
            check(bytes(data, size))
            return 0
        },
        seeds: {
            let long = String(repeating: "folder/", count: 20) + "B.swift"
            return [
                SourceBundle([
                    .init(path: "A.swift", bytes: Array("let a = 1\n".utf8), modified: 7),
                    .init(path: long, bytes: [UInt8](repeating: 120, count: 513), modified: 8),
                ]).tar,
                SourceBundle([]).tar,
            ]
        })

    /// The checksum of each block that is one but for that is put right: random bytes have none.
    private static func mended(_ input: [UInt8]) -> [UInt8] {
        var bytes = input
        for start in stride(from: 0, to: bytes.count - 511, by: 512)
        where bytes[(start + 257)..<(start + 262)].elementsEqual("ustar".utf8) {
            for index in 148..<156 { bytes[start + index] = 32 }
            let sum = bytes[start..<start + 512].reduce(0) { $0 + Int($1) }
            let digits = Array(String(sum, radix: 8).utf8)
            for (index, digit) in digits.enumerated() { bytes[start + 148 + index] = digit }
        }
        return bytes
    }

    private static func check(_ input: [UInt8]) {
        for bytes in [input, mended(input)] {
            do throws(SourceBundleError) {
                let bundle = try SourceBundle(tar: bytes, limits: limits) { !$0.hasSuffix(".txt") }
                precondition(bundle.files.count <= limits.files, "BUG: too many files")
                for file in bundle.files {
                    precondition(file.bytes.count <= limits.fileBytes, "BUG: too large")
                    let parts = file.path.split(separator: "/", omittingEmptySubsequences: false)
                    precondition(
                        !parts.contains("..") && !parts.contains("") && !parts.contains("."),
                        "BUG: \(file.path)")
                }
                precondition(
                    Set(bundle.files.map(\.path)).count == bundle.files.count, "BUG: twice")
                let again = try SourceBundle(tar: bundle.tar, limits: limits) { _ in true }
                precondition(
                    again.files.map(\.path) == bundle.files.map(\.path)
                        && again.files.map(\.bytes) == bundle.files.map(\.bytes),
                    "BUG: changed by being written")
            } catch {
                precondition(
                    error.description.hasPrefix("cannot read the source bundle: got "),
                    "BUG: \(error)")
            }
        }
    }
}
