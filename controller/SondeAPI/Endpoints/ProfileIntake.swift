// SPDX-License-Identifier: Apache-2.0
// From pushed series to stored profiles: checks, limits, times, and what became of each.

internal import SondeFormats
internal import SondeModel
internal import SondeStore
internal import SondeWire

/// Takes the series of one push, keeps what is good, and tells of the rest.
struct ProfileIntake {
    private let services: Services
    private let received: Timestamp
    private var good: [Profile] = []
    private var failures: [String] = []
    private var bytes = 0

    /// The first instant of 1971: a profile that began before has no time, only a zero.
    private static let firstTime = Timestamp(unixMilliseconds: 31_536_000_000)
    /// The most refusals that are told of one push; the rest are counted only.
    private static let toldFailures = 10

    init(_ services: Services) {
        self.services = services
        received = services.now()
    }

    /// Takes one series; what is wrong with it is kept for ``store()``.
    mutating func take(_ series: RawProfileSeries) {
        let labels: LabelSet
        do throws(Refusal) {
            labels = try checkedLabels(series.labels)
        } catch {
            return refuse(error, count: max(1, series.samples.count))
        }
        for sample in series.samples {
            do throws(Refusal) {
                good += try profiles(in: sample, labels)
            } catch {
                refuse(error)
            }
        }
    }

    /// Stores what is good.
    ///
    /// - Throws: ``APIError`` when anything was refused, in words; what was good is stored then
    ///   too, unless the store itself failed.
    mutating func store() throws(APIError) {
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
        services.metrics.profiles.add(UInt64(stored))
        services.metrics.profileBytes.add(UInt64(bytes))
        services.agents.profilesArrived(with: buildIDs)
        guard !failures.isEmpty else { return }
        let told = failures.prefix(Self.toldFailures).joined(separator: "; ")
        let more = failures.count - min(failures.count, Self.toldFailures)
        throw APIError(.invalidArgument, more > 0 ? "\(told); and \(more) more" : told)
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

    private struct Refusal: Error {
        var reason: String
        var message: String
    }

    private mutating func refuse(_ refusal: Refusal, count: Int = 1) {
        services.metrics.rejected.add(UInt64(count), refusal.reason)
        failures.append(refusal.message)
    }

    private func checkedLabels(_ labels: [Label]) throws(Refusal) -> LabelSet {
        let limits = services.limits
        guard labels.count <= limits.labels else {
            throw Refusal(
                reason: "too_many_labels",
                message: "cannot read labels: got \(labels.count); want at most \(limits.labels)")
        }
        for label in labels {
            guard label.name.utf8.count <= limits.labelNameBytes,
                label.value.utf8.count <= limits.labelValueBytes
            else {
                throw Refusal(
                    reason: "label_too_long",
                    message:
                        "cannot read labels: got \(label.name.quotedForMessage) of \(label.name.utf8.count) bytes with a value of \(label.value.utf8.count); want at most \(limits.labelNameBytes) and \(limits.labelValueBytes)"
                )
            }
            guard label.name.utf8.allSatisfy({ $0 >= 32 && $0 != 127 }) else {
                throw Refusal(
                    reason: "bad_labels",
                    message:
                        "cannot read labels: got the name \(label.name.quotedForMessage); want one without control characters"
                )
            }
        }
        let set: LabelSet
        do throws(LabelError) {
            set = try LabelSet(labels)
        } catch {
            throw Refusal(reason: "bad_labels", message: error.description)
        }
        guard set[LabelName.metric] != nil else {
            throw Refusal(
                reason: "bad_labels",
                message:
                    "cannot read labels: got no __name__; want the profile's name, such as process_cpu"
            )
        }
        return set
    }

    private mutating func profiles(
        in sample: RawSample, _ labels: LabelSet
    ) throws(Refusal) -> [Profile] {
        let limit = services.limits.profileBytes
        var raw = sample.rawProfile
        if Gzip.isGzip(raw) {
            do throws(GzipError) {
                raw = try Gzip.expand(raw, limit: limit)
            } catch {
                throw Refusal(
                    reason: error == .tooLarge(limit: limit) ? "too_large" : "malformed",
                    message: error.description)
            }
        }
        var limits = PprofLimits()
        limits.bytes = limit
        do throws(PprofError) {
            let document = try PprofDocument(decoding: raw[...], limits: limits)
            var profiles = try document.profiles(
                seriesLabels: labels, receivedAt: received,
                maxStackDepth: services.limits.stackDepth)
            for index in profiles.indices where profiles[index].start < Self.firstTime {
                profiles[index].start = received
            }
            bytes += raw.count
            return profiles
        } catch {
            throw Refusal(
                reason: error.isTooLarge ? "too_large" : "malformed", message: error.description)
        }
    }
}
