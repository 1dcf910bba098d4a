// SPDX-License-Identifier: Apache-2.0
// The same profiles pushed over HTTP: what the way through the socket adds to the way to the disk.

import Foundation
import SondeAPI
import SondeHTTPClient
import SondeModel
import SondeServer
import SondeWire
import Synchronization

extension IngestBenchmark {
    /// Agents that push at the same time.
    static let clients = 8

    /// What it costs a controller to take these profiles, without what the clients use.
    ///
    /// - Parameters:
    ///   - packed: Gzipped pprofs.
    ///   - folder: Where the controller keeps its data.
    /// - Throws: What the controller and the clients throw.
    /// - Returns: The controller's CPU time, and the time that it took.
    static func pushOverHTTP(_ packed: [[UInt8]], _ folder: String) throws -> Cost {
        var configuration = ServerConfiguration(dataFolder: folder)
        configuration.listen = "127.0.0.1:0"
        configuration.retentionDays = nil
        let server = try ControllerServer(configuration, log: Log(level: .error))
        let address = try server.start().url
        defer { server.stop() }
        let bodies = packed.map { Self.push($0) }
        let clientCPU = Mutex(0.0)
        let failures = Mutex(0)
        var cost = measure {
            DispatchQueue.concurrentPerform(iterations: clients) { client in
                let before = threadCPU()
                let http = try? HTTPClient(
                    HTTPClientConfiguration(baseURL: address, userAgent: "bench"))
                for index in stride(from: client, to: bodies.count, by: clients) {
                    let request = HTTPClientRequest(
                        method: "POST", target: "/push.v1.PusherService/Push",
                        headers: [(name: "Content-Type", value: "application/proto")],
                        body: bodies[index])
                    if (try? http?.send(request).status) != 200 { failures.withLock { $0 += 1 } }
                }
                let used = threadCPU() - before
                clientCPU.withLock { $0 += used }
            }
        }
        let failed = failures.withLock { $0 }
        precondition(failed == 0, "\(failed) pushes were refused")
        cost.cpu -= clientCPU.withLock { $0 }
        return cost
    }

    private static func push(_ profile: [UInt8]) -> [UInt8] {
        var sample = RawSample()
        sample.rawProfile = profile
        var series = RawProfileSeries()
        series.labels = [
            Label(name: "__name__", value: "process_cpu"), Label(name: "service_name", value: "x"),
        ]
        series.samples = [sample]
        var request = PushRequest()
        request.series = [series]
        return request.encode()
    }

    private static func threadCPU() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}
