// SPDX-License-Identifier: Apache-2.0
// The delivery thread: collect, encode, queue, push, and try again when that fails.

internal import SondeFormats
internal import SondeHTTPClient
internal import SondeModel
internal import SondeSampling
internal import SondeWire
internal import Synchronization

/// Collects a profile each interval and delivers what it has, oldest first.
final class Delivery: Sendable {
    private let settings: AgentSettings
    private let labels: [Label]
    private let sampler: any StackSampler
    private let images: ImageCatalog
    private let ledger: Ledger
    private let wake = Flag()
    private let outbox: Outbox
    /// The monotonic time at which delivery must be over, or 0 while the agent runs.
    private let stopDeadline = Atomic<UInt64>(0)

    /// The same for Pyroscope and for the controller.
    private static let route = PushRoute(
        target: "/push.v1.PusherService/Push", headers: [("Content-Type", "application/proto")],
        place: .delivery, sent: .profiles, full: .queueFull, old: .tooOld, refused: .refused,
        unsent: .unsentAtStop)

    init(
        _ settings: AgentSettings, _ identity: Identity, sampler: any StackSampler,
        images: ImageCatalog, client: HTTPClient, ledger: Ledger
    ) {
        self.settings = settings
        self.sampler = sampler
        self.images = images
        self.ledger = ledger
        let own = [
            Label(name: LabelName.metric, value: ProfileType.cpu.name),
            Label(name: LabelName.service, value: settings.service),
            Label(name: "instance", value: identity.instance),
            Label(name: "host", value: identity.host),
            Label(name: "version", value: settings.version),
        ]
        labels = (own + settings.labels.labels).filter { !$0.value.isEmpty }
        outbox = Outbox(
            settings, Self.route, maximumBytes: settings.queueBytes, client: client,
            ledger: ledger)
    }

    /// Profiles that wait, and their bytes.
    var waiting: (profiles: Int, bytes: Int) {
        let waiting = outbox.waiting
        return (waiting.items, waiting.bytes)
    }

    /// Makes ``run()`` deliver what there is and return.
    ///
    /// - Parameter deadline: When to give up, by the monotonic clock.
    func stop(by deadline: UInt64) {
        stopDeadline.store(max(1, deadline), ordering: .releasing)
        wake.raise()
    }

    /// What the delivery thread does until it is stopped.
    func run() {
        var earlierImages = images.current.images
        var nextCollection = Clock.monotonic(after: settings.interval)
        while stopDeadline.load(ordering: .acquiring) == 0 {
            _ = wake.wait(until: min(nextCollection, outbox.nextAttempt ?? .max))
            if Clock.monotonic >= nextCollection {
                collect(&earlierImages)
                nextCollection = Clock.monotonic(after: settings.interval)
            }
            outbox.attempt()
        }
        sampler.stop()
        collect(&earlierImages)
        outbox.finish(by: stopDeadline.load(ordering: .acquiring))
    }

    /// Adds the next profile to the queue.
    private func collect(_ earlierImages: inout [LoadedImage]) {
        let profile = sampler.collect()
        let later = images.current.images
        let all = ImageCatalog.union(earlierImages, later)
        earlierImages = later
        guard profile.stacks.contains(where: { $0.nanoseconds > 0 }) else { return }
        let document = ProfileEncoder.document(of: profile, images: all)
        let compressed: [UInt8]
        do {
            compressed = try Gzip.compress(document.encode())
        } catch {
            ledger.count(.unencodable)
            return
        }
        outbox.append(
            PendingPush(body: push(of: compressed).encode(), items: 1, created: Clock.monotonic))
    }

    private func push(of profile: [UInt8]) -> PushRequest {
        var sample = RawSample()
        sample.rawProfile = profile
        sample.id = Identity.randomUUID()
        var series = RawProfileSeries()
        series.labels = labels
        series.samples = [sample]
        var push = PushRequest()
        push.series = [series]
        return push
    }
}
