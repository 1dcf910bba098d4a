// SPDX-License-Identifier: Apache-2.0
// How the profile store is set up and looked after: what is kept, blocks in the background, its care.

internal import SondeAPI
internal import SondeModel
internal import SondeQuery
internal import SondeStore
internal import Synchronization

extension SQLiteProfileStore.Configuration {
    /// What the controller's configuration says about profiles.
    ///
    /// - Parameters:
    ///   - configuration: What the controller goes by.
    ///   - log: Told of what the store removes.
    /// - Throws: ``ServerError`` when a rule's selector is none.
    init(_ configuration: ServerConfiguration, _ log: Log) throws(ServerError) {
        self.init()
        retentionDays = configuration.retentionDays
        retentionBytes = configuration.retentionBytes.map { Int64($0) }
        acceptedDays = configuration.acceptedDays
        for rule in configuration.retentionRules {
            let selector: Selector
            do throws(QueryError) {
                selector = try Selector(rule.selector)
            } catch {
                throw ServerError(.badConfiguration, error.message)
            }
            retentionRules.append(
                RetentionRule(name: rule.selector, days: rule.days) { series in
                    selector.matches(series.labels, type: series.type)
                })
        }
        removed = { removal in
            var reason = removal.reason.name
            if case .rule(let name) = removal.reason { reason += " \(name)" }
            log.event(
                .info, "profiles removed",
                [
                    "day": removal.day, "reason": reason, "profiles": removal.profiles,
                    "bytes": removal.bytes,
                ])
        }
    }
}

/// Looks after a profile store in the background.
final class StoreMaintenance: Sendable {
    private let store: SQLiteProfileStore
    private let log: Log
    private let ticker = Ticker(name: "store", every: 10)
    private let isStopped = Atomic<Bool>(false)

    /// Nothing happens yet.
    init(_ store: SQLiteProfileStore, _ log: Log) {
        self.store = store
        self.log = log
    }

    /// Begins to make blocks and to remove what is not kept.
    func start() {
        ticker.start { [self] in
            do throws(StoreError) {
                // A flag and no data: it orders nothing.
                try store.maintain { self.isStopped.load(ordering: .relaxed) }
            } catch {
                log.event(.warn, "looking after the store", ["reason": error.message])
            }
        }
    }

    /// Ends it; returns when nothing of it runs any more.
    func stop() {
        isStopped.store(true, ordering: .relaxed)
        ticker.stop()
    }

    /// What the endpoints may have done.
    var care: StoreCare {
        var care = StoreCare()
        care.removals = { [store] in store.removals }
        care.check = { [self] in
            store.check { self.isStopped.load(ordering: .relaxed) }
        }
        care.backUp = { [self] folder throws(StoreError) in
            try store.backUp(to: folder) { self.isStopped.load(ordering: .relaxed) }
        }
        return care
    }
}
