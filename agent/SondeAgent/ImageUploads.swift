// SPDX-License-Identifier: Apache-2.0
// The upload thread: sends images that the controller asks for, once each, at low priority.

internal import CSondeProcess
internal import Glibc
internal import SondeHTTPClient
internal import SondeLock
internal import SondeModel
internal import SondeSampling
internal import Synchronization

/// Sends the files of loaded images to the controller.
///
/// Only images that this process has loaded are sent, and only while the file on disk still has
/// the build id that is loaded.
final class ImageUploads: Sendable {
    private let settings: AgentSettings
    private let images: ImageCatalog
    private let client: HTTPClient
    private let ledger: Ledger
    private let wake = Flag()
    private let isStopping = Atomic<Bool>(false)
    private let state = Locked(State())

    private struct State {
        var wanted: [BuildID] = []
        /// Sent, refused or not to be had: not tried again by this process.
        var settled: Set<BuildID> = []
    }

    /// Attempts for one image, as long as the controller cannot be reached.
    private static let maximumAttempts = 5
    /// Fast enough for a big program in a minute, slow enough to leave the network to the service.
    private static let bytesPerSecond = 16 << 20
    /// How many images may wait; a controller cannot make the list grow without end.
    private static let maximumWaiting = 1024

    init(
        _ settings: AgentSettings, images: ImageCatalog, client: HTTPClient, ledger: Ledger
    ) {
        self.settings = settings
        self.images = images
        self.client = client
        self.ledger = ledger
    }

    /// Notes what the controller wants; what is settled is not sent again.
    func want(_ buildIDs: [BuildID]) {
        guard settings.uploadsImages else { return }
        let isNew = state.withLock { state in
            let known = Set(state.wanted)
            var fresh: [BuildID] = []
            for id in buildIDs where !state.settled.contains(id) && !known.contains(id) {
                if !fresh.contains(id), fresh.count + known.count < Self.maximumWaiting {
                    fresh.append(id)
                }
            }
            state.wanted += fresh
            return !fresh.isEmpty
        }
        if isNew { wake.raise() }
    }

    /// Makes ``run()`` return soon; the client is cancelled by the caller.
    func stop() {
        isStopping.store(true, ordering: .releasing)
        wake.raise()
    }

    /// What the upload thread does until it is stopped.
    func run() {
        sonde_agent_thread_lower_priority()
        while !isStopping.load(ordering: .acquiring) {
            guard let next = state.withLock({ $0.wanted.first }) else {
                _ = wake.wait(until: Clock.monotonic(after: 86_400))
                continue
            }
            upload(next)
            state.withLock { state in
                state.settled.insert(next)
                state.wanted.removeAll { $0 == next }
            }
        }
    }

    private func upload(_ buildID: BuildID) {
        guard let image = images.current.images.first(where: { $0.buildID == buildID }),
            image.path.hasPrefix("/")
        else { return }
        // The program's own file may have been replaced on disk; the kernel keeps the one that runs.
        guard let file = open(image.path, buildID) ?? open("/proc/self/exe", buildID) else {
            ledger.setProblem(
                "cannot upload \(image.path): got no file with the build id \(buildID) there; "
                    + "want the file that is loaded", at: .images)
            return
        }
        defer { close(file) }
        var backoff = Backoff(first: settings.pace.firstRetry, longest: settings.pace.longestRetry)
        for _ in 0..<Self.maximumAttempts {
            let wait: Double
            switch send(file, image, buildID) {
            case nil:
                ledger.setProblem(nil, at: .images)
                return
            case .refused(let problem)?:
                ledger.setProblem(problem, at: .images)
                return
            case .later(let problem, let retryAfter)?:
                ledger.setProblem(problem, at: .images)
                wait = backoff.fail(retryAfter: retryAfter)
            case .accepted?:
                return
            }
            _ = wake.wait(until: Clock.monotonic(after: wait))
            if isStopping.load(ordering: .acquiring) { return }
        }
    }

    private func open(_ path: String, _ buildID: BuildID) -> Int32? {
        let file = Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)
        guard file >= 0 else { return nil }
        if ELFFileNotes.buildID(ofFile: file) == buildID { return file }
        close(file)
        return nil
    }

    /// Sends the file; `nil` when the controller has it now.
    private func send(_ file: Int32, _ image: LoadedImage, _ buildID: BuildID) -> PushOutcome? {
        let target = "\(Control.service)UploadImage/\(buildID)"
        let request = HTTPClientRequest(
            method: "PUT", target: target, headers: [("Content-Type", "application/octet-stream")],
            timeoutSeconds: 60)
        do {
            let response = try client.upload(
                descriptor: file, name: image.path, request, bytesPerSecond: Self.bytesPerSecond)
            if response.status == 409 { return nil }
            let outcome = PushOutcome(response, url: settings.url + target)
            return outcome == .accepted ? nil : outcome
        } catch {
            return error.code == .unreadableFile
                ? .refused(error.message) : .later(error.message, retryAfter: nil)
        }
    }
}
