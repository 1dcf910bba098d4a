// SPDX-License-Identifier: Apache-2.0
// Fuzzes LogQL, and the bodies in which log lines are pushed.

import SondeAPI
import SondeModel
import SondeQuery
import SondeSnappy
import SondeWire

/// Reads queries, and asks those that can be read about a few lines.
enum LogQLFuzz {
    static let target = FuzzTarget(
        test: { data, size in
            check(String(decoding: bytes(data, size), as: UTF8.self))
            return 0
        },
        seeds: {
            [
                #"{service_name="shop", level=~"warn|error"} |= "settle" or `x` != "test""#,
                #"({a!="", b!~"c"} |~ "(?i)x+" !~ "\\d" # comment"#,
                #"{a="b"} | id="p-1" and (n > 5 or took <= 1h30m), size == 10KiB | __error__="""#,
                #"{a="b"} | json | line_format "{{.x}}""#, "rate({a=\"b\"}[5m])",
                "vector(1)+vector(1)", "2^(3-1)*vector(0.5)/7%4",
            ].map { Array($0.utf8) }
        })

    private static let labels = LabelSet().setting("service_name", to: "shop").setting(
        "a", to: "b")

    private static let entries: [LogEntry] = [
        ("settle 7 for Ann", ["id": "p-1", "n": "6", "took": "20ms", "size": "12KB"]),
        ("", [:]), ("xXx \u{0} ü\n1", ["n": "no number", "a": "clash"]),
    ].map { line, pairs in
        let metadata = pairs.reduce(LabelSet()) { $0.setting($1.key, to: $1.value) }
        return LogEntry(time: Timestamp(unixNanoseconds: 1), line: line, metadata: metadata)
    }

    static func check(_ text: String) {
        do throws(QueryError) {
            let query = try LogQuery(text)
            precondition(
                !query.selector.matches(LabelSet()), "BUG: a query selects streams without labels")
            for entry in entries {
                let first = query.accepts(entry, of: labels)
                guard query.problem == nil else { break }
                precondition(
                    first == query.accepts(entry, of: labels), "BUG: a query changes its mind")
            }
        } catch {
            precondition(error.message.hasPrefix("cannot "), "BUG: \(error.message)")
        }
        do throws(QueryError) { _ = try Arithmetic.evaluate(text).text } catch {
            precondition(error.message.hasPrefix("cannot "), "BUG: \(error.message)")
        }
    }
}

/// Reads a pushed body in each of the forms that it can have.
enum LokiPushFuzz {
    static let target = FuzzTarget(
        test: { data, size in
            check(bytes(data, size))
            return 0
        },
        seeds: {
            let stream = LogStream(
                labels: LabelSet().setting("service_name", to: "shop"),
                entries: [
                    LogEntry(
                        time: Timestamp(unixNanoseconds: 1_700_000_000_000_000_000),
                        line: "a \"line\" \n", metadata: LabelSet().setting("trace_id", to: "ab")),
                    LogEntry(time: Timestamp(unixNanoseconds: -1), line: ""),
                ])
            let message = LokiPushRequest([stream]).encode()
            return [LokiPushJSON.encode([stream]), message, try Snappy.compress(message)]
        })

    static let limit = 1 << 20

    static func check(_ input: [UInt8]) {
        try? LokiPushReader.read(input) { labels, entries in
            precondition(
                entries.count <= LokiPushReader.entryLimit, "BUG: more lines than the limit")
            _ = try? LabelSet(labels)
        }
        decode(input)
        if let expanded = try? Snappy.expand(input, limit: limit) {
            precondition(expanded.count <= limit, "BUG: more came out than the limit")
            decode(expanded)
        }
    }

    private static func decode(_ bytes: [UInt8]) {
        guard let request = try? LokiPushRequest(decoding: bytes[...]) else { return }
        let again = try? LokiPushRequest(decoding: request.encode()[...])
        precondition(again == request, "BUG: a push changed by being written and read")
        for stream in request.streams {
            _ = try? Selector(stream.labels)
            for entry in stream.entries { _ = entry.time }
        }
    }
}
