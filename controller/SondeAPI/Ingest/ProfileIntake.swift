// SPDX-License-Identifier: Apache-2.0
// From what was sent to stored profiles: checks, limits, times, and what became of each.

internal import SondeFormats
internal import SondeModel
internal import SondeStore
internal import SondeWire

/// Takes the profiles of one request, keeps what is good, and tells of the rest.
struct ProfileIntake {
    let services: Services
    /// Who sent it, and what they may send.
    let tenant: TenantAccount
    /// The limits that count for this request.
    let limits: TenantLimits
    /// When the request came.
    let received: Timestamp
    private let tenantName: String?
    private var good: [Profile] = []
    private var forwarded: [RawProfileSeries] = []
    private var failures: [Refusal] = []
    private var bytes = 0

    /// The first instant of 1971: a profile that began before has no time, only a zero.
    private static let firstTime = Timestamp(unixMilliseconds: 31_536_000_000)
    /// The most refusals that are told of one request; the rest are counted only.
    private static let toldFailures = 10

    /// An intake for one request, whose tenant and size are checked first.
    init(_ services: Services, for request: APIRequest) throws(APIError) {
        self.services = services
        received = services.now()
        tenantName = try services.writingTenant(of: request)
        let name = tenantName ?? TenantScope.anonymous
        guard let tenant = services.tenants.account(of: name) else {
            services.metrics.rejected.add(1, "tenant_limit")
            throw APIError(
                .resourceExhausted,
                "cannot store profiles of the tenant \(name.quotedForMessage): got \(TenantRegistry.maximumTenants) tenants already; want no more"
            )
        }
        self.tenant = tenant
        limits = tenant.limits
        if request.body.count > limits.pushBytes {
            note(Refusal.bodyTooLarge(limits.pushBytes), count: 1)
            throw APIError(.tooLarge, Refusal.bodyTooLarge(limits.pushBytes).message)
        }
        // What cannot fit is refused before any work is done for it.
        if !tenant.hasRoom(for: request.body.count, at: .now) {
            throw rateLimited(bytes: request.body.count, profiles: 1)
        }
    }

    /// Takes one series of a push; what is wrong with it is kept for ``store(as:)``.
    mutating func take(_ series: RawProfileSeries) {
        let labels: LabelSet
        do throws(Refusal) {
            labels = try checked(series.labels)
        } catch {
            return refuse(error, count: max(1, series.samples.count))
        }
        for sample in series.samples {
            attempt { intake throws(Refusal) in
                let raw = try intake.expanded(sample.rawProfile)
                let document = try intake.document(raw)
                try intake.keep(document, labels, bytes: raw.count, original: sample.rawProfile)
            }
        }
    }

    /// Does what may be refused; a refusal is kept for ``store(as:)``.
    mutating func attempt(_ body: (inout ProfileIntake) throws(Refusal) -> Void) {
        do throws(Refusal) { try body(&self) } catch { refuse(error) }
    }

    /// Keeps the profiles of a pprof.
    ///
    /// - Parameters:
    ///   - document: The pprof.
    ///   - labels: The labels of its series, checked.
    ///   - bytes: How many bytes it had, expanded.
    ///   - original: What was sent, when it is to be forwarded as it is; `nil` when the document
    ///     has been changed since.
    /// - Throws: ``Refusal`` when nothing of it is kept.
    mutating func keep(
        _ document: PprofDocument, _ labels: LabelSet, bytes: Int, original: [UInt8]?
    ) throws(Refusal) {
        var document = document
        var original = original
        if Timestamp(unixNanoseconds: document.timeNanos) < Self.firstTime {
            document.timeNanos = received.unixNanoseconds
            original = nil
        }
        let profiles: [Profile]
        do throws(PprofError) {
            profiles = try document.profiles(
                seriesLabels: labels, receivedAt: received, maxStackDepth: limits.stackDepth)
        } catch {
            throw Refusal(error)
        }
        dropped(sampleLabels: document.droppedSampleLabels)
        good += try profiles.map { profile throws(Refusal) in try admitted(profile) }
        self.bytes += bytes
        guard services.forwardProfiles != nil else { return }
        var series = RawProfileSeries()
        series.labels = labels.labels
        series.samples = [RawSample()]
        series.samples[0].rawProfile = original ?? document.encode()
        forwarded.append(series)
    }

    /// Keeps one profile of a format that has its own types.
    ///
    /// - Parameters:
    ///   - profile: The profile, with checked labels.
    ///   - bytes: How many bytes it had.
    /// - Throws: ``Refusal`` when it is not kept.
    mutating func keep(_ profile: Profile, bytes: Int) throws(Refusal) {
        var profile = profile
        if profile.start < Self.firstTime { profile.start = received }
        good.append(try admitted(profile))
        self.bytes += bytes
        guard services.forwardProfiles != nil else { return }
        var series = RawProfileSeries()
        series.labels = profile.labels.setting(LabelName.metric, to: profile.type.name).labels
        series.samples = [RawSample()]
        let description = PprofDocument.Description(
            type: profile.type, start: profile.start,
            durationNanoseconds: profile.durationNanoseconds, period: profile.period)
        series.samples[0].rawProfile = PprofDocument(profile.stacks, description).encode()
        forwarded.append(series)
    }

    /// Stores what is good.
    ///
    /// - Parameter code: What the answer is when something was refused for what it is.
    /// - Throws: ``APIError`` when anything was refused, in words; what was good is stored then
    ///   too, unless there is too much or the store itself failed.
    mutating func store(as code: APIError.Code = .invalidArgument) throws(APIError) {
        guard tenant.take(bytes, at: .now) else {
            throw rateLimited(bytes: bytes, profiles: good.count)
        }
        var stored = 0
        do throws(StoreError) {
            try services.profiles.append(good)
            stored = good.count
        } catch  where error.code == .rejected {
            stored = try storeOneByOne()
        } catch {
            services.metrics.rejected.add(
                UInt64(good.count), error.code == .diskFull ? "disk_full" : "store")
            services.log.event(.error, "cannot store profiles", ["reason": error.message])
            throw APIError(error)
        }
        if stored > 0 { try forward() }
        services.metrics.profiles.add(UInt64(stored))
        services.metrics.profileBytes.add(UInt64(bytes))
        tenant.stored(profiles: stored, bytes: bytes)
        services.agents.profilesArrived(with: buildIDs)
        guard let worst = failures.max(by: { $0.kind.rank < $1.kind.rank })?.kind else { return }
        let told = failures.prefix(Self.toldFailures).map(\.message).joined(separator: "; ")
        let more = failures.count - min(failures.count, Self.toldFailures)
        throw APIError(worst.code(or: code), more > 0 ? "\(told); and \(more) more" : told)
    }

    /// Counts labels of samples that are not kept.
    func dropped(sampleLabels count: Int) {
        if count > 0 { services.metrics.droppedSampleLabels.add(UInt64(count)) }
    }

    /// Queues what is forwarded: on disk before the answer, which the other server has to live up
    /// to.
    private func forward() throws(APIError) {
        guard !forwarded.isEmpty else { return }
        do throws(StoreError) {
            try services.forwardProfiles?(forwarded, tenantName)
        } catch {
            services.log.event(.error, "cannot forward profiles", ["reason": error.message])
            throw APIError(error)
        }
    }

    private func admitted(_ profile: Profile) throws(Refusal) -> Profile {
        var profile = profile
        try checkTime(profile.start)
        if let tenantName {
            profile.labels = profile.labels.setting(TenantScope.label, to: tenantName)
        }
        guard tenant.admits(profile.type, profile.labels, at: received) else {
            throw .tooManySeries(limits.series, tenant.name)
        }
        return profile
    }

    /// The images that occur in the stacks.
    private var buildIDs: Set<BuildID> {
        var buildIDs: Set<BuildID> = []
        var last: BuildID?
        for profile in good {
            for case .address(let image, _) in profile.stacks.keys {
                // Neighbors are mostly of one image, whose build id then is the same array.
                guard let buildID = image.buildID, buildID != last else { continue }
                buildIDs.insert(buildID)
                last = buildID
            }
        }
        return buildIDs
    }

    /// Where the store refuses one profile of many, the others still count.
    private mutating func storeOneByOne() throws(APIError) -> Int {
        var stored = 0
        for profile in good {
            do throws(StoreError) {
                try services.profiles.append([profile])
                stored += 1
            } catch  where error.code == .rejected {
                refuse(Refusal(reason: "time", message: error.message))
            } catch {
                throw APIError(error)
            }
        }
        return stored
    }

    /// Counts a refusal, and keeps it for the answer.
    mutating func refuse(_ refusal: Refusal, count: Int = 1) {
        note(refusal, count: count)
        failures.append(refusal)
    }

    /// Counts a refusal that is answered elsewhere.
    func count(_ refusal: Refusal) { note(refusal, count: 1) }

    private func note(_ refusal: Refusal, count: Int) {
        services.metrics.rejected.add(UInt64(count), refusal.reason)
        tenant.refused(count, refusal.reason)
    }

    private func rateLimited(bytes: Int, profiles: Int) -> APIError {
        let refusal = Refusal.tooFast(bytes, limits, tenant.name)
        note(refusal, count: profiles)
        let seconds = max(1, min(60, bytes / max(1, limits.bytesPerSecond)))
        return APIError(
            .resourceExhausted, refusal.message, headers: [HTTPHeader("Retry-After", "\(seconds)")])
    }
}
