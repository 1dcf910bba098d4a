// SPDX-License-Identifier: Apache-2.0
// A client that leaves while its question is being answered ends the reading, over a real socket.

import Foundation
import SondeAPI
import SondeModel
import SondeStore
import Synchronization
import Testing

@testable import SondeServer

@Suite struct LeavingClientTests {
    @Test(arguments: [
        ("GET", "/api/v1/flame", ""), ("GET", "/api/v1/timeline", ""),
        ("GET", "/pyroscope/render?query=\(ProfileType.cpu)", ""),
        ("POST", "/querier.v1.QuerierService/SelectMergeStacktraces", ""),
        ("POST", "/querier.v1.QuerierService/SelectSeries", #","step":15"#),
        ("POST", "/querier.v1.QuerierService/SelectHeatmap", #","step":15"#),
    ])
    func aQuestionEndsWithItsClient(_ method: String, _ target: String, _ more: String) throws {
        let store = EndlessStore()
        try withListener(over: store) { port in
            let client = try RawConnection(port: port)
            let body =
                method == "GET"
                ? "" : #"{"profileTypeID":"\#(ProfileType.cpu)","start":1000,"end":2000\#(more)}"#
            client.send(
                "\(method) \(target) HTTP/1.1\r\nHost: localhost\r\n"
                    + "Content-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n\r\n"
                    + body)
            #expect(eventually { store.state == .reading }, "\(store.state)")
            // It still waits, and is read for.
            #expect(!store.hasEnded(within: 0.1))
            shutdown(client.socket, Int32(SHUT_RDWR))
            #expect(eventually { store.state == .cancelled }, "\(store.state)")
        }
    }

    private func withListener(
        over store: EndlessStore, _ body: (UInt16) throws -> Void
    ) throws {
        let path = NSTemporaryDirectory() + "sonde-leaving-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let folder = try DataFolder(path)
        let log = Log(level: .error) { _ in }
        let services = Services(
            profiles: store, logs: try SQLiteLogStore(folder), control: try ControlStore(folder),
            images: ImageCatalog(try ImageStore(folder)) { path throws(APIError) in
                throw APIError(.invalidArgument, "cannot read \(path): not part of this test")
            }, symbols: Nameless(), log: log)
        let router = Router(
            routes: services.routes,
            access: AccessControl(requiresToken: false, allowedHosts: []) { _ in nil })
        let settings = ListenerSettings()
        let listener = HTTPListener(
            router: router, settings: settings, state: ListenerState(patience: settings.patience),
            metrics: services.metrics, log: log)
        let socket = try ListeningSocket(binding: try ListenAddress(parsing: "127.0.0.1:0"))
        try listener.start(on: socket.descriptor)
        defer { _ = listener.stop(within: 30) }
        try body(socket.address.port)
    }
}

/// A store whose questions have no end but the client's.
private final class EndlessStore: ProfileStore {
    enum State { case unasked, reading, cancelled, exhausted }

    private let current = Mutex(State.unasked)
    var state: State { current.withLock { $0 } }

    /// Whether it stops reading within some seconds.
    func hasEnded(within seconds: Double) -> Bool {
        let deadline = ContinuousClock.now + .seconds(seconds)
        while ContinuousClock.now < deadline {
            if state != .reading { return true }
            Thread.sleep(forTimeInterval: 0.005)
        }
        return false
    }

    private func read(_ reading: Reading) throws(StoreError) {
        current.withLock { $0 = .reading }
        let deadline = ContinuousClock.now + .seconds(60)
        while ContinuousClock.now < deadline {
            if reading.isCancelled() {
                current.withLock { $0 = .cancelled }
                throw StoreError(.cancelled, "cannot read: the client is gone")
            }
            Thread.sleep(forTimeInterval: 0.002)
        }
        current.withLock { $0 = .exhausted }
    }

    func append(_ profiles: [Profile]) throws(StoreError) {}

    func series(in range: TimeRange) throws(StoreError) -> [ProfileSeries] { [] }

    func merge(
        _ selection: ProfileSelection, groupedBy group: @Sendable (LabelSet) -> LabelSet,
        _ reading: Reading
    ) throws(StoreError) -> [LabelSet: MergedStacks] {
        try read(reading)
        return [:]
    }

    func timeline(
        _ selection: ProfileSelection, steps: TimelineSteps,
        groupedBy group: @Sendable (LabelSet) -> LabelSet, _ reading: Reading
    ) throws(StoreError) -> [LabelSet: [TimelinePoint]] {
        try read(reading)
        return [:]
    }

    func totals(
        _ selection: ProfileSelection, _ reading: Reading, body: (ProfileTotal) -> Void
    ) throws(StoreError) { try read(reading) }

    func statistics() throws(StoreError) -> ProfileStoreStatistics {
        ProfileStoreStatistics(profiles: 0, bytes: 0)
    }
}

private struct Nameless: SymbolResolver {
    func frames(image: ImageID, offset: FileOffset) -> [Frame] { [] }
}
