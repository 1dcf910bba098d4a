// SPDX-License-Identifier: Apache-2.0
// What stands in for Loki: takes pushes as Loki does, and misbehaves on demand.

import Foundation
import SondeModel
import SondeSnappy
import SondeTestServer
import SondeWire
import Synchronization

/// Takes pushes as Loki does: a line that it has already is dropped silently.
final class StandInStore: Sendable {
    let server: TestServer
    private let state: State

    private final class State: Sendable {
        struct Content {
            var badDays: [TestAnswer] = []
            var lines: [String: Int] = [:]
            var order: [Int] = []
            var streams: [LabelSet] = []
        }
        let content = Mutex(Content())
    }

    init() throws {
        let state = State()
        self.state = state
        server = try TestServer { request in
            let bad = state.content.withLock { $0.badDays.isEmpty ? nil : $0.badDays.removeFirst() }
            if let bad { return bad }
            guard let streams = try? Self.streams(request) else { return .respond(400) }
            state.content.withLock { content in
                for stream in streams {
                    content.streams.append(stream.labels)
                    for entry in stream.entries { Self.take(entry, stream.labels, &content) }
                }
            }
            return .respond(204)
        }
    }

    /// What the next requests get, one after the other; then all is well.
    func misbehave(_ answers: [TestAnswer]) { state.content.withLock { $0.badDays = answers } }

    /// How many answers are still to be misbehaved with.
    var badDaysLeft: Int { state.content.withLock { $0.badDays.count } }

    /// The numbers of the lines that were stored, in order.
    var lines: [Int] { state.content.withLock { $0.order } }

    /// The labels of the streams that came.
    var streams: [LabelSet] { state.content.withLock { $0.streams } }

    private static func take(
        _ entry: LogEntry, _ labels: LabelSet, _ content: inout State.Content
    ) {
        let key = "\(entry.time.unixNanoseconds) \(entry.line) \(entry.metadata) \(labels)"
        guard content.lines.updateValue(1, forKey: key) == nil,
            let number = entry.metadata["number"].flatMap({ Int($0) })
        else { return }
        content.order.append(number)
    }

    private static func streams(_ request: TestRequest) throws -> [LogStream] {
        if request.headers["content-type"] == "application/json" {
            let body = try Gzip.expand(request.body, limit: 1 << 26)
            return try JSONDecoder().decode(JSONPush.self, from: Data(body)).streams.map {
                try $0.logStream()
            }
        }
        let body = try Snappy.expand(request.body, limit: 1 << 26)
        return try LokiPushRequest(decoding: body[...]).streams.map { message in
            LogStream(
                labels: try labels(message.labels),
                entries: try message.entries.map { entry in
                    LogEntry(
                        time: entry.time ?? Timestamp(unixNanoseconds: 0), line: entry.line,
                        metadata: try LabelSet(entry.metadata))
                })
        }
    }

    /// The labels of text such as `{a="b", c="d"}`, read independently of the controller's parser.
    private static func labels(_ text: String) throws -> LabelSet {
        var labels: [Label] = []
        for match in text.matches(of: /([a-z_]+)="((?:[^"\\]|\\.)*)"/) {
            let value = String(match.2).replacing("\\n", with: "\n")
                .replacing("\\\"", with: "\"").replacing("\\\\", with: "\\")
            labels.append(Label(name: String(match.1), value: value))
        }
        return try LabelSet(labels)
    }

    private struct JSONPush: Decodable {
        var streams: [Stream]

        struct Stream: Decodable {
            var stream: [String: String]
            var values: [Entry]

            func logStream() throws -> LogStream {
                LogStream(
                    labels: try LabelSet(stream.map { Label(name: $0.key, value: $0.value) }),
                    entries: try values.map { entry in
                        LogEntry(
                            time: Timestamp(unixNanoseconds: Int64(entry.time) ?? 0),
                            line: entry.line,
                            metadata: try LabelSet(
                                entry.metadata.map { Label(name: $0.key, value: $0.value) }))
                    })
            }
        }

        struct Entry: Decodable {
            var time: String
            var line: String
            var metadata: [String: String]

            init(from decoder: any Decoder) throws {
                var list = try decoder.unkeyedContainer()
                time = try list.decode(String.self)
                line = try list.decode(String.self)
                metadata = try list.decodeIfPresent([String: String].self) ?? [:]
            }
        }
    }
}

extension LogStream {
    /// Lines that carry their numbers.
    static func numbered(_ numbers: Range<Int>, level: String = "info") throws -> LogStream {
        LogStream(
            labels: try LabelSet([
                Label(name: "service_name", value: "bookmaker"),
                Label(name: "level", value: level),
            ]),
            entries: try numbers.map { number in
                LogEntry(
                    time: Timestamp(unixNanoseconds: 1_769_871_600_000_000_000 + Int64(number)),
                    line: "settle \(number) \"✓\"\nnext",
                    metadata: try LabelSet([Label(name: "number", value: "\(number)")]))
            })
    }
}

/// A folder that is removed with this object.
final class ScratchFolder: Sendable {
    let path = NSTemporaryDirectory() + "sonde-export-\(UUID().uuidString)"
    init() {
        try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }
    deinit { try? FileManager.default.removeItem(atPath: path) }
}

extension Timestamp {
    static var now: Timestamp {
        Timestamp(unixNanoseconds: Int64(Date().timeIntervalSince1970 * 1e9))
    }
}
