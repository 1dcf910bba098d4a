// SPDX-License-Identifier: Apache-2.0
// The checks of what comes in: labels, sizes, times.

internal import SondeFormats
internal import SondeModel
internal import SondeWire

extension ProfileIntake {
    /// The labels of a series, `__name__` among them.
    func checked(_ labels: [Label]) throws(Refusal) -> LabelSet {
        guard labels.count <= limits.labels else {
            throw Refusal(
                reason: "too_many_labels",
                message:
                    "cannot read labels: got \(labels.count); want at most \(limits.labels) (labels)"
            )
        }
        for label in labels { try check(label) }
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

    private func check(_ label: Label) throws(Refusal) {
        guard label.name.utf8.count <= limits.labelNameBytes,
            label.value.utf8.count <= limits.labelValueBytes
        else {
            throw Refusal(
                reason: "label_too_long",
                message:
                    "cannot read labels: got \(label.name.quotedForMessage) of \(label.name.utf8.count) bytes with a value of \(label.value.utf8.count); want at most \(limits.labelNameBytes) (label_name_bytes) and \(limits.labelValueBytes) (label_value_bytes)"
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

    /// A profile's bytes out of gzip, when they are in gzip.
    func expanded(_ raw: [UInt8]) throws(Refusal) -> [UInt8] {
        guard Gzip.isGzip(raw) else {
            guard raw.count <= limits.profileBytes else { throw tooLarge() }
            return raw
        }
        do throws(GzipError) {
            return try Gzip.expand(raw, limit: limits.profileBytes)
        } catch .tooLarge {
            throw tooLarge()
        } catch {
            throw Refusal(reason: "malformed", message: error.description)
        }
    }

    private func tooLarge() -> Refusal {
        Refusal(
            reason: "too_large",
            message:
                "cannot read a profile: got more than \(limits.profileBytes) bytes, expanded; want at most \(limits.profileBytes) (profile_bytes), or a higher limit: \(Refusal.howToRaise)"
        )
    }

    /// The pprof that bytes hold; unless it is to be checked, what `go tool pprof` refuses may be in
    /// it.
    func document(_ raw: [UInt8], isChecked: Bool = true) throws(Refusal) -> PprofDocument {
        var pprofLimits = PprofLimits()
        pprofLimits.bytes = limits.profileBytes
        do throws(PprofError) {
            return try PprofDocument(
                decoding: raw[...], limits: pprofLimits, isChecked: isChecked)
        } catch {
            throw Refusal(error)
        }
    }

    /// Passes when a profile's beginning lies in the tenant's window.
    func checkTime(_ start: Timestamp) throws(Refusal) {
        let second: Int64 = 1_000_000_000
        let past = Int64(limits.pastSeconds)
        if past > 0, start < received.advanced(byNanoseconds: -past * second) {
            throw Refusal(
                reason: "time",
                message:
                    "cannot store a profile that began \((received.unixNanoseconds &- start.unixNanoseconds) / second) s ago: want at most \(past) (profile_past_seconds), or a higher limit: \(Refusal.howToRaise)"
            )
        }
        let future = Int64(limits.futureSeconds)
        if start > received.advanced(byNanoseconds: future * second) {
            throw Refusal(
                reason: "time",
                message:
                    "cannot store a profile that begins \((start.unixNanoseconds &- received.unixNanoseconds) / second) s from now: want at most \(future) (profile_future_seconds); is the sender's clock right?"
            )
        }
    }
}
