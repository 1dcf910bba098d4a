// SPDX-License-Identifier: Apache-2.0
// What /metrics says of what is forwarded to other servers.

internal import SondeAPI
internal import SondeExport
internal import SondeStore

extension SpoolSender.Figures {
    /// The figures as metrics.
    ///
    /// - Parameters:
    ///   - target: The other server's kind, as a part of names: `loki`.
    ///   - noun: What is forwarded, as a part of names: `lines`.
    ///   - words: The same for people: `Log lines`.
    /// - Returns: The figures.
    func metrics(_ target: String, _ noun: String, _ words: String) -> [ForwardFigure] {
        [
            ForwardFigure(
                "sonde_export_\(target)_\(noun)_total", "\(words) that the other server took.",
                [([], Double(sent))]),
            ForwardFigure(
                "sonde_export_\(target)_lost_\(noun)_total",
                "\(words) that will not be forwarded: refused by the other server, by status, or "
                    + "pushed out of the full queue.",
                [([("reason", "queue_full")], Double(waiting.droppedLines))]
                    + refused.sorted { $0.key < $1.key }.map {
                        ([("reason", "status_\($0.key)")], Double($0.value))
                    }),
            ForwardFigure(
                "sonde_export_\(target)_retries_total",
                "Requests that failed and are made again.", [([], Double(retries))]),
            ForwardFigure(
                "sonde_export_\(target)_waiting_\(noun)", "\(words) that wait on disk.",
                [([], Double(waiting.lines))]),
            ForwardFigure(
                "sonde_export_\(target)_waiting_bytes", "Bytes of what waits on disk.",
                [([], Double(waiting.bytes))]),
        ]
    }
}
