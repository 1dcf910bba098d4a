// SPDX-License-Identifier: Apache-2.0
// What /metrics says of forwarded log lines.

internal import SondeAPI
internal import SondeExport
internal import SondeStore

extension LokiExport {
    /// The figures as metrics.
    var metrics: [ForwardFigure] {
        let figures = figures
        let waiting = figures.waiting
        return [
            ForwardFigure(
                "sonde_export_loki_lines_total", "Log lines that the other store took.",
                [([], Double(figures.sentLines))]),
            ForwardFigure(
                "sonde_export_loki_lost_lines_total",
                "Log lines that will not be forwarded: refused by the other store, by status, or "
                    + "pushed out of the full queue.",
                [([("reason", "queue_full")], Double(waiting.droppedLines))]
                    + figures.refusedLines.sorted { $0.key < $1.key }.map {
                        ([("reason", "status_\($0.key)")], Double($0.value))
                    }),
            ForwardFigure(
                "sonde_export_loki_retries_total", "Requests that failed and are made again.",
                [([], Double(figures.retries))]),
            ForwardFigure(
                "sonde_export_loki_waiting_lines", "Log lines that wait on disk.",
                [([], Double(waiting.lines))]),
            ForwardFigure(
                "sonde_export_loki_waiting_bytes", "Bytes of the lines that wait on disk.",
                [([], Double(waiting.bytes))]),
        ]
    }
}
