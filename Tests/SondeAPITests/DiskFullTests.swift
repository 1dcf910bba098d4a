// SPDX-License-Identifier: Apache-2.0
// A store that cannot store: the answer says so, and the next one that can is taken.

import Foundation
import SondeAPI
import SondeModel
import SondeStore
import Synchronization
import Testing

@Suite struct DiskFullTests {
    @Test(arguments: [
        (StoreError.Code.diskFull, 503, "unavailable", "disk_full"),
        (.inputOutput, 503, "unavailable", "store"), (.corrupt, 500, "internal", "store"),
        (.rejected, 400, "invalid_argument", "time"),
    ])
    func aStoreThatFailsIsToldAndRecoversByItself(
        _ failure: StoreError.Code, _ status: Int, _ code: String, _ reason: String
    ) throws {
        let place = DataPlace()
        let folder = try DataFolder(place.path)
        let store = FailingStore()
        let services = Services(
            profiles: store, logs: try SQLiteLogStore(folder), control: try ControlStore(folder),
            images: ImageCatalog(try ImageStore(folder)) { path throws(APIError) in
                throw APIError(.invalidArgument, "cannot read \(path): not part of this test")
            }, symbols: NoNames(), log: Log(level: .error) { _ in })
        let router = Router(
            routes: services.routes,
            access: AccessControl(requiresToken: false, allowedHosts: []) { _ in nil })
        store.failure.withLock { $0 = StoreError(failure, "cannot store: a test's failure") }
        let refused = try self.push(to: router)
        #expect(refused.status == status)
        #expect(refused.header("retry-after") == (status == 503 ? "2" : nil))
        #expect(String(decoding: refused.body, as: UTF8.self).contains("\"\(code)\""))
        #expect(services.metrics.rejectedByReason == [reason: 1])
        store.failure.withLock { $0 = nil }
        #expect(try self.push(to: router).status == 200)
        #expect(store.count.withLock { $0 } == 1)
    }

    private func push(to router: Router) throws -> HTTPResponse {
        let head = RequestHead(
            method: "POST", target: pushTarget,
            headers: [HTTPHeader("Content-Type", "application/proto"), HTTPHeader("Host", "a")])
        guard case .admitted(var request) = router.admit(head) else {
            throw CocoaError(.featureUnsupported)
        }
        request.body = SondeAPITests.push(profile(["a"], 1))
        guard case .answer(let response) = router.respond(to: request) else {
            throw CocoaError(.featureUnsupported)
        }
        return response
    }
}

/// A store that keeps nothing, and fails as it is told.
private final class FailingStore: ProfileStore {
    let failure = Mutex<StoreError?>(nil)
    let count = Mutex(0)

    func append(_ profiles: [Profile]) throws(StoreError) {
        if let failure = failure.withLock({ $0 }) { throw failure }
        count.withLock { $0 += profiles.count }
    }

    func series(in range: TimeRange) throws(StoreError) -> [ProfileSeries] { [] }

    func merge(
        _ selection: ProfileSelection, groupedBy group: @Sendable (LabelSet) -> LabelSet,
        _ reading: Reading
    ) throws(StoreError) -> [LabelSet: MergedStacks] { [:] }

    func timeline(
        _ selection: ProfileSelection, steps: TimelineSteps,
        groupedBy group: @Sendable (LabelSet) -> LabelSet, _ reading: Reading
    ) throws(StoreError) -> [LabelSet: [TimelinePoint]] { [:] }

    func totals(
        _ selection: ProfileSelection, _ reading: Reading, body: (ProfileTotal) -> Void
    ) throws(StoreError) {}

    func statistics() throws(StoreError) -> ProfileStoreStatistics {
        ProfileStoreStatistics(profiles: 0, bytes: 0)
    }
}

private struct NoNames: SymbolResolver {
    func frames(image: ImageID, offset: FileOffset) -> [Frame] { [] }
}
