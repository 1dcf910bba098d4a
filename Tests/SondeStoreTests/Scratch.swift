// SPDX-License-Identifier: Apache-2.0
// What the store's tests share: folders of their own, and profiles made from text.

import Foundation
import SondeModel
import SondeStore

/// A folder that is removed with this object.
final class ScratchFolder: Sendable {
    let path: String

    init() {
        path = NSTemporaryDirectory() + "sonde-store-\(UUID().uuidString)"
        try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}

/// Times of one afternoon, which tests count in seconds from.
enum Afternoon {
    /// 2026-01-31T15:00:00Z.
    static let begin = Timestamp(unixMilliseconds: 1_769_871_600_000)

    static func second(_ second: Int64) -> Timestamp {
        begin.advanced(byNanoseconds: second * 1_000_000_000)
    }

    static func seconds(_ first: Int64, _ last: Int64) -> TimeRange {
        TimeRange(from: second(first), until: second(last)) ?? around
    }

    /// From the day before to the day after.
    static var around: TimeRange { seconds(-86_400, 86_400) }
}

extension SQLiteProfileStore {
    /// A store whose clock stands on that afternoon.
    static func open(
        _ folder: DataFolder, retentionDays: Int? = nil, now: Timestamp = Afternoon.begin
    ) throws -> SQLiteProfileStore {
        var configuration = Configuration()
        configuration.retentionDays = retentionDays
        configuration.now = { now }
        return try SQLiteProfileStore(folder, configuration: configuration)
    }
}

extension Profile {
    /// A profile of CPU time from stacks as text, root first, such as `main;work 30`.
    ///
    /// A name such as `bookmaker+1a0` is an address in an image.
    static func cpu(
        _ folded: String, service: String = "bookmaker", instance: String = "1",
        at start: Timestamp = Afternoon.begin
    ) throws -> Profile {
        let labels = try LabelSet([
            Label(name: LabelName.service, value: service),
            Label(name: "instance", value: instance),
        ])
        return Profile(
            type: .cpu, labels: labels, start: start, durationNanoseconds: 10_000_000_000,
            period: 10_000_000, stacks: LocationTree(folded: folded))
    }
}

extension StackTree where Key == Location {
    /// Stacks from lines of names separated by `;` and a value.
    init(folded: String) {
        self.init()
        for line in folded.split(separator: "\n") {
            let parts = line.split(separator: " ")
            guard let value = parts.last.flatMap({ Int64($0) }) else { continue }
            let names = parts.dropLast().joined(separator: " ").split(separator: ";")
            add(value, rootFirst: names.map { Location(text: String($0)) })
        }
    }

    /// The stacks as lines, in order of their bytes.
    var folded: String {
        var lines: [String] = []
        for node in 0..<count where selfValues[node] != 0 {
            var names: [String] = []
            var place = node
            while place > 0 {
                names.append(keys[Int(keyIndices[place])].text)
                place = Int(parents[place])
            }
            lines.append("\(names.reversed().joined(separator: ";")) \(selfValues[node])")
        }
        return lines.sorted().joined(separator: "\n")
    }
}

extension Location {
    init(text: String) {
        let parts = text.split(separator: "+")
        if parts.count == 2, let offset = UInt64(parts[1], radix: 16) {
            let image = ImageID(
                buildID: BuildID(bytes: Array(parts[0].utf8)), path: "/usr/bin/\(parts[0])")
            self = .address(image: image, offset: FileOffset(offset))
        } else {
            self = .symbolized([Frame(name: text, file: "\(text).swift", startLine: 7)])
        }
    }

    var text: String {
        switch self {
        case .address(let image, let offset):
            "\(image.name)+\(String(offset.rawValue, radix: 16))"
        case .symbolized(let frames): frames.map(\.name).joined(separator: "/")
        }
    }
}
