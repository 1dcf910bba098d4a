// SPDX-License-Identifier: Apache-2.0
// From pushed streams to stored lines: checks, limits, names, and what became of each.

package import SondeModel
internal import SondeStore

/// Takes the streams of one push, keeps what is good, and tells of the rest.
struct LogIntake {
    private let services: Services
    private var good: [LogStream] = []
    private var refusals: [String: (count: Int, reason: String)] = [:]
    private(set) var entryCount = 0
    private var bytes = 0

    /// The most kinds of refusals that are told of one push; the rest are counted only.
    private static let toldRefusals = 10
    /// Where a service's name is looked for when `service_name` is not there, as Loki does.
    private static let serviceLabels = [
        "service", "app", "application", "app_name", "name", "app_kubernetes_io_name", "container",
        "container_name", "k8s_container_name", "component", "workload", "job", "k8s_job_name",
    ]

    init(_ services: Services) { self.services = services }

    /// Takes one stream; what is wrong with it is kept for ``store()``.
    ///
    /// - Parameters:
    ///   - labels: The stream's labels, as they were sent.
    ///   - entries: The lines with their metadata, as they were sent; a time that could not be read
    ///     is `nil`.
    mutating func take(_ labels: [Label], _ entries: [PushedLogEntry]) {
        entryCount += entries.count
        let set: LabelSet
        do throws(Refusal) {
            set = Self.withService(try checked(labels))
        } catch {
            return refuse(error, count: max(1, entries.count))
        }
        var stream = LogStream(labels: set)
        stream.entries.reserveCapacity(entries.count)
        for entry in entries {
            do throws(Refusal) {
                stream.entries.append(try checked(entry, in: set))
            } catch {
                refuse(error)
            }
        }
        if !stream.entries.isEmpty { good.append(stream) }
    }

    /// Stores what is good.
    ///
    /// - Throws: ``APIError`` when anything was refused, in words; what was good is stored then
    ///   too, unless there is too much or the store itself failed.
    mutating func store() throws(APIError) {
        let count = good.reduce(0) { $0 + $1.entries.count }
        guard services.logRate.take(bytes, at: .now) else {
            services.metrics.rejectedLines.add(UInt64(count), "rate_limited")
            throw APIError(
                .resourceExhausted,
                "cannot store \(count) lines of \(bytes) bytes: more than "
                    + "\(services.limits.logBytesPerSecond) bytes a second come in; want them later",
                headers: [HTTPHeader("Retry-After", "1")])
        }
        do throws(StoreError) {
            try services.logs.append(good)
            // What was answered must reach the other store too: queued on disk before the answer.
            try services.forward(good)
        } catch {
            let reason = error.code == .exhausted ? "stream_limit" : "store"
            services.metrics.rejectedLines.add(UInt64(count), reason)
            if error.code != .exhausted {
                services.log.event(.error, "cannot store logs", ["reason": error.message])
            }
            throw APIError(error)
        }
        services.metrics.lines.add(UInt64(count))
        services.metrics.lineBytes.add(UInt64(bytes))
        guard !refusals.isEmpty else { return }
        let told = refusals.sorted { $0.key < $1.key }.prefix(Self.toldRefusals).map {
            $0.value.count > 1 ? "\($0.value.reason) (\($0.value.count) lines)" : $0.value.reason
        }
        throw APIError(.invalidArgument, told.joined(separator: "; "))
    }

    private struct Refusal: Error {
        /// What the metrics call it; refusals of one kind are told once.
        var kind: String
        var reason: String
    }

    private mutating func refuse(_ refusal: Refusal, count: Int = 1) {
        services.metrics.rejectedLines.add(UInt64(count), refusal.kind)
        refusals[refusal.kind, default: (0, refusal.reason)].count += count
    }

    private func checked(_ labels: [Label]) throws(Refusal) -> LabelSet {
        let limits = services.limits
        guard labels.count <= limits.logLabels else {
            throw Refusal(
                kind: "labels",
                reason: "cannot store stream: got \(labels.count) labels; "
                    + "want at most \(limits.logLabels), and the rest as structured metadata")
        }
        for label in labels {
            guard Self.isName(label.name), label.name.utf8.count <= limits.tenant.labelNameBytes
            else {
                throw Refusal(
                    kind: "label_name",
                    reason: "cannot store stream: got the label name "
                        + "\(label.name.quotedForMessage); want letters, digits and _, at most "
                        + "\(limits.tenant.labelNameBytes) bytes, and no digit first")
            }
            guard label.value.utf8.count <= limits.tenant.labelValueBytes else {
                throw Refusal(
                    kind: "label_value",
                    reason: "cannot store stream: got \(label.value.utf8.count) bytes as the value "
                        + "of \(label.name); want at most \(limits.tenant.labelValueBytes)")
            }
        }
        do throws(LabelError) { return try LabelSet(labels) } catch {
            throw Refusal(kind: "labels", reason: error.description)
        }
    }

    private mutating func checked(
        _ entry: PushedLogEntry, in labels: LabelSet
    ) throws(Refusal) -> LogEntry {
        let limits = services.limits
        guard let time = entry.time else {
            throw Refusal(
                kind: "time",
                reason: "cannot store line: got a time that is none; want Unix nanoseconds")
        }
        if let refusal = services.logs.refusal(of: time) {
            throw Refusal(kind: "time_range", reason: refusal.message)
        }
        guard entry.line.utf8.count <= limits.logLineBytes else {
            throw Refusal(
                kind: "line_too_long",
                reason: "cannot store line: got \(entry.line.utf8.count) bytes; "
                    + "want at most \(limits.logLineBytes)")
        }
        let size = entry.metadata.reduce(0) { $0 + $1.name.utf8.count + $1.value.utf8.count }
        guard entry.metadata.count <= limits.logMetadata, size <= limits.logMetadataBytes else {
            throw Refusal(
                kind: "metadata",
                reason: "cannot store line: got \(entry.metadata.count) names of structured "
                    + "metadata with \(size) bytes; want at most \(limits.logMetadata) with "
                    + "\(limits.logMetadataBytes)")
        }
        bytes += entry.line.utf8.count + size
        var result = LogEntry(
            time: time, line: entry.line, metadata: Self.normalized(entry.metadata))
        let level = LevelDetection.level(of: result, in: labels)
        result.metadata = result.metadata.setting(LevelDetection.name, to: level)
        return result
    }

    private static func withService(_ labels: LabelSet) -> LabelSet {
        guard labels[LabelName.service] == nil else { return labels }
        let name = serviceLabels.lazy.compactMap { labels[$0] }.first
        return labels.setting(LabelName.service, to: name ?? "unknown_service")
    }

    private static func isName(_ text: String) -> Bool {
        guard let first = text.utf8.first, !(48...57).contains(first) else { return false }
        return text.utf8.allSatisfy(isNameByte)
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
            || byte == UInt8(ascii: "_")
    }

    /// Names of metadata with `_` for what no name may have; of equal names the last one counts.
    private static func normalized(_ metadata: [Label]) -> LabelSet {
        let pairs = metadata.map { label in
            var name = label.name.utf8.map { isNameByte($0) ? $0 : UInt8(ascii: "_") }
            if name.isEmpty || (48...57).contains(name[0]) { name.insert(UInt8(ascii: "_"), at: 0) }
            return Label(name: String(decoding: name, as: UTF8.self), value: label.value)
        }
        if let set = try? LabelSet(pairs) { return set }
        return pairs.reduce(LabelSet()) { $0.setting($1.name, to: $1.value) }
    }
}

/// One line of a push, before it was checked.
package struct PushedLogEntry: Sendable {
    /// When it was written; `nil` when that could not be read.
    package var time: Timestamp?
    /// The line itself.
    package var line: String
    /// Its metadata, with names as they were sent.
    package var metadata: [Label]
}
