// SPDX-License-Identifier: Apache-2.0
// Forwards log lines to a Loki-compatible store, through a queue on disk.

package import SondeHTTPClient
package import SondeModel
internal import SondeQuery
internal import SondeSnappy
package import SondeStore
internal import SondeWire

/// Forwards log lines to a Loki-compatible store.
///
/// Lines go into a queue on disk first; see ``SpoolSender`` for what is sent again: Loki drops lines
/// that it has already, and after any other refusal it may have stored a part of the batch.
package final class LokiExport: Sendable {
    private let sender: SpoolSender
    private let spool: ExportSpool

    /// An exporter that sends nothing yet.
    ///
    /// - Parameters:
    ///   - settings: Where to, and how.
    ///   - spool: What is to be sent.
    ///   - note: Takes a sentence for the log whenever sending begins to fail, works again, or
    ///     lines were refused.
    /// - Throws: ``HTTPClientError`` when the address is none.
    package init(
        _ settings: LokiExportSettings, spool: ExportSpool,
        note: @escaping @Sendable (String) -> Void
    ) throws(HTTPClientError) {
        self.spool = spool
        let cargo = SpoolSender.Cargo(noun: "lines", threadName: "export-loki", want: "204") {
            batch throws(HTTPClientError) in try Self.request(batch, settings)
        }
        sender = try SpoolSender(settings.target, cargo, spool: spool, note: note)
    }

    /// What became of the lines so far.
    package var figures: SpoolSender.Figures { sender.figures }

    /// Queues lines; they are on disk when this returns.
    ///
    /// - Throws: ``StoreError`` when they cannot be kept.
    package func append(_ streams: [LogStream], now: Timestamp) throws(StoreError) {
        let lines = streams.reduce(0) { $0 + $1.entries.count }
        guard lines > 0 else { return }
        // Two such messages one after the other are one message with the streams of both.
        try spool.append(LokiPushRequest(streams).encode(), lines: lines, now: now)
        sender.wake()
    }

    /// Begins to send.
    package func start() { sender.start() }

    /// Stops sending; what waits stays in the queue.
    package func stop() { sender.stop() }

    private static func request(
        _ batch: ExportSpool.Batch, _ settings: LokiExportSettings
    ) throws(HTTPClientError) -> HTTPClientRequest {
        var headers: [(name: String, value: String)] = []
        let body: [UInt8]
        do {
            switch settings.format {
            case .protobuf:
                headers.append(("Content-Type", "application/x-protobuf"))
                body = try Snappy.compress(batch.body)
            case .json:
                headers.append(("Content-Type", "application/json"))
                headers.append(("Content-Encoding", "gzip"))
                let request = try LokiPushRequest(decoding: batch.body[...])
                body = try Gzip.compress(
                    LokiPushJSON.encode(request.streams.map { try LogStream($0) }))
            }
        } catch {
            throw HTTPClientError(.broken, "cannot forward lines: \(error)")
        }
        return settings.target.request("/loki/api/v1/push", headers: headers, body: body)
    }
}

/// Where a ``LokiExport`` sends to, and how.
package struct LokiExportSettings: Hashable, Sendable {
    /// How lines are written.
    package enum Format: String, Hashable, Sendable, CaseIterable {
        /// Protobuf in a snappy block, what Loki's own clients send.
        case protobuf
        /// JSON in gzip, for what stands before some stores.
        case json
    }

    /// The store, without `/loki/api/v1/push`.
    package var target: ExportTarget
    /// How lines are written.
    package var format = Format.protobuf

    /// Settings for an address.
    package init(url: String) { target = ExportTarget(url: url) }
}

extension LogStream {
    /// The stream that a message holds.
    fileprivate init(_ message: LokiStream) throws {
        let labels = try Selector(message.labels).matchers.map {
            Label(name: $0.name, value: $0.value)
        }
        self.init(
            labels: try LabelSet(labels),
            entries: try message.entries.compactMap { entry in
                guard let time = entry.time else { return nil }
                return LogEntry(
                    time: time, line: entry.line, metadata: try LabelSet(entry.metadata))
            })
    }
}
