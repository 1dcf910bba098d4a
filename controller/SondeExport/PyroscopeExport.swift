// SPDX-License-Identifier: Apache-2.0
// Forwards profiles to another Pyroscope-compatible server, through a queue on disk.

package import SondeHTTPClient
package import SondeModel
package import SondeStore
package import SondeWire

/// Forwards profiles to another Pyroscope-compatible server.
///
/// Profiles go into a queue on disk first; see ``SpoolSender`` for what is sent again. A profile
/// whose answer was lost on the way is sent twice, and counted twice by a server that does not
/// know it again.
package final class PyroscopeExport: Sendable {
    private let sender: SpoolSender
    private let spool: ExportSpool

    /// An exporter that sends nothing yet.
    ///
    /// - Parameters:
    ///   - target: Where to, and how. Without a tenant there, profiles go on to the tenant that
    ///     they came for.
    ///   - spool: What is to be sent.
    ///   - hasTenants: Whether profiles of several tenants come in.
    ///   - note: Takes a sentence for the log whenever sending begins to fail, works again, or
    ///     profiles were refused.
    /// - Throws: ``HTTPClientError`` when the address is none.
    package init(
        _ target: ExportTarget, spool: ExportSpool, hasTenants: Bool = false,
        note: @escaping @Sendable (String) -> Void
    ) throws(HTTPClientError) {
        self.spool = spool
        var target = target
        // A request is one tenant's, and so is an entry of the queue.
        if hasTenants, target.tenant == nil { target.batchBytes = 0 }
        let cargo = SpoolSender.Cargo(
            noun: "profiles", threadName: "export-profiles", want: "200"
        ) { [target] batch throws(HTTPClientError) in try Self.request(batch, target) }
        sender = try SpoolSender(target, cargo, spool: spool, note: note)
    }

    /// What became of the profiles so far.
    package var figures: SpoolSender.Figures { sender.figures }

    /// Queues profiles of one tenant; they are on disk when this returns.
    ///
    /// - Throws: ``StoreError`` when they cannot be kept.
    package func append(
        _ series: [RawProfileSeries], tenant: String?, now: Timestamp
    ) throws(StoreError) {
        let profiles = series.reduce(0) { $0 + $1.samples.count }
        guard profiles > 0 else { return }
        var request = PushRequest()
        request.series = series
        if let tenant {
            for index in request.series.indices {
                request.series[index].labels.append(Label(name: Self.tenantLabel, value: tenant))
            }
        }
        // Two such messages one after the other are one message with the series of both.
        try spool.append(request.encode(), lines: profiles, now: now)
        sender.wake()
    }

    /// Begins to send.
    package func start() { sender.start() }

    /// Stops sending; what waits stays in the queue.
    package func stop() { sender.stop() }

    /// Under which the queue keeps the tenant; it does not go out.
    private static let tenantLabel = "__tenant__"

    private static func request(
        _ batch: ExportSpool.Batch, _ target: ExportTarget
    ) throws(HTTPClientError) -> HTTPClientRequest {
        do {
            var request = try PushRequest(decoding: batch.body[...])
            var tenant: String?
            for index in request.series.indices {
                request.series[index].labels.removeAll { label in
                    guard label.name == tenantLabel else { return false }
                    tenant = label.value
                    return true
                }
                for sample in request.series[index].samples.indices {
                    let raw = request.series[index].samples[sample].rawProfile
                    guard !Gzip.isGzip(raw) else { continue }
                    request.series[index].samples[sample].rawProfile = try Gzip.compress(raw)
                }
            }
            return target.request(
                "/push.v1.PusherService/Push", tenant: tenant,
                headers: [
                    (name: "Content-Type", value: "application/proto"),
                    (name: "Connect-Protocol-Version", value: "1"),
                ], body: request.encode())
        } catch {
            throw HTTPClientError(.broken, "cannot forward profiles: \(error)")
        }
    }
}
