// SPDX-License-Identifier: Apache-2.0
// The delivery thread: collect, encode, queue, push, and try again when that fails.

internal import SondeFormats
internal import SondeHTTPClient
internal import SondeLock
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
    private let client: HTTPClient
    private let ledger: Ledger
    private let wake = Flag()
    private let queue: Locked<DeliveryQueue>
    /// The monotonic time at which delivery must be over, or 0 while the agent runs.
    private let stopDeadline = Atomic<UInt64>(0)

    /// The path of the push, the same for Pyroscope and for the controller.
    private static let target = "/push.v1.PusherService/Push"

    init(
        _ settings: AgentSettings, _ identity: Identity, sampler: any StackSampler,
        images: ImageCatalog, client: HTTPClient, ledger: Ledger
    ) {
        self.settings = settings
        self.sampler = sampler
        self.images = images
        self.client = client
        self.ledger = ledger
        let own = [
            Label(name: LabelName.metric, value: ProfileType.cpu.name),
            Label(name: LabelName.service, value: settings.service),
            Label(name: "instance", value: identity.instance),
            Label(name: "host", value: identity.host),
            Label(name: "version", value: settings.version),
        ]
        labels = (own + settings.labels.labels).filter { !$0.value.isEmpty }
        queue = Locked(
            DeliveryQueue(
                maximumBytes: settings.queueBytes, maximumAgeSeconds: settings.queueSeconds))
    }

    /// Profiles that wait, and their bytes.
    var waiting: (profiles: Int, bytes: Int) { queue.withLock { ($0.count, $0.byteCount) } }

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
        var nextAttempt: UInt64 = 0
        var backoff = Backoff(first: settings.pace.firstRetry, longest: settings.pace.longestRetry)
        while stopDeadline.load(ordering: .acquiring) == 0 {
            let until = waiting.profiles > 0 ? min(nextCollection, nextAttempt) : nextCollection
            _ = wake.wait(until: until)
            if Clock.monotonic >= nextCollection {
                collect(&earlierImages)
                nextCollection = Clock.monotonic(after: settings.interval)
            }
            if waiting.profiles > 0, Clock.monotonic >= nextAttempt {
                nextAttempt = push(&backoff)
            }
        }
        finish(&earlierImages, &backoff)
    }

    private func finish(_ earlierImages: inout [LoadedImage], _ backoff: inout Backoff) {
        sampler.stop()
        collect(&earlierImages)
        let deadline = stopDeadline.load(ordering: .acquiring)
        // A controller that was away a moment ago is not worth holding up the program's end.
        while !backoff.isFailing, waiting.profiles > 0, Clock.monotonic < deadline {
            _ = push(&backoff)
        }
        ledger.count(.unsentAtStop, waiting.profiles)
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
        let pending = PendingProfile(
            bytes: compressed, id: Identity.randomUUID(), created: Clock.monotonic)
        ledger.count(.queueFull, queue.withLock { $0.append(pending) })
    }

    /// Sends the oldest profile; tells when to try the next.
    private func push(_ backoff: inout Backoff) -> UInt64 {
        let (outdated, oldest) = queue.withLock { queue in
            (queue.dropOutdated(at: Clock.monotonic), queue.first)
        }
        ledger.count(.tooOld, outdated)
        guard let oldest else { return 0 }
        switch send(oldest) {
        case .accepted:
            ledger.countSent()
            ledger.setProblem(nil, at: .delivery)
        case .refused(let reason):
            ledger.count(.refused)
            ledger.setProblem(reason, at: .delivery)
        case .later(let reason, let retryAfter):
            ledger.setProblem(reason, at: .delivery)
            return Clock.monotonic(after: backoff.fail(retryAfter: retryAfter))
        }
        // Only this thread removes, and appending drops from the front only by removing as well.
        queue.withLock { if $0.first == oldest { $0.removeFirst() } }
        backoff.succeed()
        return 0
    }

    private func send(_ profile: PendingProfile) -> PushOutcome {
        var sample = RawSample()
        sample.rawProfile = profile.bytes
        sample.id = profile.id
        var series = RawProfileSeries()
        series.labels = labels
        series.samples = [sample]
        var push = PushRequest()
        push.series = [series]
        let deadline = stopDeadline.load(ordering: .acquiring)
        let now = Clock.monotonic
        let remaining = deadline == 0 ? .infinity : Double(deadline - min(now, deadline)) / 1e9
        let request = HTTPClientRequest(
            method: "POST", target: Self.target,
            headers: [("Content-Type", "application/proto")], body: push.encode(),
            timeoutSeconds: min(settings.pace.pushTimeout, max(0.05, remaining)))
        do {
            return PushOutcome(try client.send(request), url: settings.url + Self.target)
        } catch {
            return .later(error.message, retryAfter: nil)
        }
    }
}
