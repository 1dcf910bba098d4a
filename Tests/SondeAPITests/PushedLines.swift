// SPDX-License-Identifier: Apache-2.0
// What the tests of logs share: pushing lines, asking for them, reading Loki's answers.

import Foundation
import SondeAPI
import SondeModel
import SondeWire

let lokiPush = "/loki/api/v1/push"

extension TestController {
    /// Pushes lines as an agent does, each with a number of seconds before now.
    @discardableResult
    func pushLines(
        _ labels: [String: String], _ lines: [(Double, String)], metadata: [String: String] = [:],
        headers: [(String, String)] = []
    ) throws -> Answer {
        let now = Timestamp.now
        let set = { (pairs: [String: String]) in
            try LabelSet(pairs.map { Label(name: $0.key, value: $0.value) })
        }
        let entries = try lines.map { seconds, line in
            LogEntry(
                time: now.advanced(byNanoseconds: -Int64(seconds * 1e9)), line: line,
                metadata: try set(metadata))
        }
        let stream = LogStream(labels: try set(labels), entries: entries)
        return try send(
            "POST", lokiPush,
            headers: [("Content-Type", "application/json"), ("Content-Encoding", "gzip")] + headers,
            body: try Gzip.compress(LokiPushJSON.encode([stream])))
    }

    /// Asks a question of Loki's API.
    func loki(
        _ path: String, _ query: [(String, String)] = [], headers: [(String, String)] = [],
        over transport: Transport = .socket
    ) throws -> Answer {
        let allowed = CharacterSet.alphanumerics
        let items = query.map { name, value in
            (name.addingPercentEncoding(withAllowedCharacters: allowed) ?? "") + "="
                + (value.addingPercentEncoding(withAllowedCharacters: allowed) ?? "")
        }
        let target = "/loki/api/v1/" + path
        return try send(
            "GET", items.isEmpty ? target : target + "?" + items.joined(separator: "&"),
            over: transport, headers: headers)
    }

    /// The lines that a query finds, stream by stream.
    func found(_ query: String, _ more: [(String, String)] = []) throws -> [String] {
        try loki("query_range", [("query", query)] + more).lokiLines
    }
}

extension Answer {
    /// `data` of Loki's envelope.
    var data: [String: Any] { json["data"] as? [String: Any] ?? [:] }

    /// The streams of an answer.
    var lokiStreams: [[String: Any]] { data["result"] as? [[String: Any]] ?? [] }

    /// The lines of an answer, stream by stream.
    var lokiLines: [String] {
        lokiStreams.flatMap { ($0["values"] as? [[Any]] ?? []).map { $0[1] as? String ?? "" } }
    }
}
