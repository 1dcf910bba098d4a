// SPDX-License-Identifier: Apache-2.0
// A value of a configuration file, and what it can be read as.

internal import SondeAPI

/// A value of a configuration file.
enum YAMLValue: Sendable, CustomStringConvertible {
    case scalar(String)
    case sequence([String])

    /// The text of a scalar.
    var text: String? {
        if case .scalar(let text) = self { text } else { nil }
    }

    /// The texts of a list, or of a scalar as a list of one.
    var list: [String]? {
        switch self {
        case .scalar(let text): [text]
        case .sequence(let list): list
        }
    }

    var flag: Bool? {
        switch text {
        case "true", "yes", "on": true
        case "false", "no", "off": false
        default: nil
        }
    }

    func integer(in range: ClosedRange<Int>) -> Int? {
        text.flatMap { Int($0) }.flatMap { range.contains($0) ? $0 : nil }
    }

    /// A number of bytes from 1 KiB on, with `KiB`, `MiB` or `GiB` after it or nothing.
    var bytes: Int? {
        guard let text else { return nil }
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        let unit = text.dropFirst(digits.count).drop { $0 == " " }
        let factors: [Substring: Int] = ["": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30]
        guard let amount = Int(digits), let factor = factors[unit] else { return nil }
        let (product, overflow) = amount.multipliedReportingOverflow(by: factor)
        return overflow || product < 1024 || product > 1 << 40 ? nil : product
    }

    var description: String {
        switch self {
        case .scalar(let text): text.quotedForMessage
        case .sequence(let list): "a list of \(list.count)"
        }
    }
}
