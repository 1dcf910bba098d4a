// SPDX-License-Identifier: Apache-2.0
// Thousands of bad requests leave nothing behind: no memory, no files, nothing stored.

import Foundation
import SondeHTTPClient
import SondeModel
import SondeServer
import SondeWire
import Testing

extension ListenerSuites {
    @Suite struct LeakTests {
        @Test func badRequestsLeaveNoMemoryNoFilesAndNothingStored() throws {
            let server = try RunningServer()
            let client = try HTTPClient(
                HTTPClientConfiguration(baseURL: server.address.url, userAgent: "sonde-tests"))
            let bad = try badRequests()
            // What is allocated once is allocated in the first round.
            try send(bad, with: client, times: 20)
            let memory = try server.metric("process_resident_memory_bytes")
            let files = try server.metric("process_open_fds")
            try send(bad, with: client, times: 150)
            let grown = try server.metric("process_resident_memory_bytes") - memory
            #expect(grown < Double(24 << 20), "grew by \(Int(grown) >> 10) KiB")
            #expect(try eventually { try server.metric("process_open_fds") <= files + 1 })
            #expect(try server.metric("sonde_store_profiles") == 0)
            #expect(try server.metric("sonde_http_body_bytes_in_memory") == 0)
            let incoming = try FileManager.default.contentsOfDirectory(
                atPath: server.folder + "/images/incoming")
            #expect(incoming.isEmpty)
            #expect(try server.answers())
        }

        private func send(
            _ requests: [HTTPClientRequest], with client: HTTPClient, times: Int
        ) throws {
            for _ in 0..<times {
                for request in requests {
                    let status = try client.send(request).status
                    #expect(
                        (400...501).contains(status),
                        "\(request.method) \(request.target): \(status)")
                }
            }
        }

        private func badRequests() throws -> [HTTPClientRequest] {
            let push = "/push.v1.PusherService/Push"
            func post(_ type: String, _ body: [UInt8], gzip: Bool = false) -> HTTPClientRequest {
                HTTPClientRequest(
                    method: "POST", target: push,
                    headers: [(name: "Content-Type", value: type)]
                        + (gzip ? [(name: "Content-Encoding", value: "gzip")] : []), body: body)
            }
            var sample = RawSample()
            sample.rawProfile = [UInt8](repeating: 0x0A, count: 20_000)
            var series = RawProfileSeries()
            series.labels = [Label(name: "__name__", value: "x")]
            series.samples = [sample, sample]
            var request = PushRequest()
            request.series = [series]
            let compressed = try Gzip.compress(request.encode())
            let id = String(repeating: "ab", count: 20)
            return [
                post("application/proto", [UInt8](repeating: 0xFF, count: 100_000)),
                post("application/proto", request.encode()),
                post("application/proto", compressed, gzip: true),
                post("application/proto", Array(compressed.dropLast(20)), gzip: true),
                post("application/proto", [1, 2, 3], gzip: true),
                post("application/json", Array(String(repeating: "[", count: 100_000).utf8)),
                post(
                    "application/json",
                    Array("{\"series\": [{\"samples\": [{\"rawProfile\": \"AAAA\"}]}]}".utf8)),
                post("text/html", [UInt8](repeating: 1, count: 10_000)),
                HTTPClientRequest(
                    method: "PUT", target: "/api/v1/debuginfo/\(id)",
                    body: [0x7F, 0x45, 0x4C, 0x46] + [UInt8](repeating: 2, count: 100_000)),
                HTTPClientRequest(method: "GET", target: "/api/v1/flame?selector=%7B"),
                HTTPClientRequest(
                    method: "GET", target: "/" + String(repeating: "x/", count: 2000)),
                HTTPClientRequest(
                    method: "PATCH", target: "/api/v1/agents?service=a", body: [0x7B]),
            ]
        }
    }
}
