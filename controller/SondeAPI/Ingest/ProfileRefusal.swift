// SPDX-License-Identifier: Apache-2.0
// Why a profile is not stored: the words, the reason that is counted, and how a client should take it.

internal import SondeFormats

/// Why a profile is not stored.
struct Refusal: Error {
    /// How a client should take it.
    enum Kind {
        /// It is wrong, and will be wrong again.
        case invalid
        /// There is too much of it for now.
        case exhausted

        var rank: Int { self == .exhausted ? 1 : 0 }

        func code(or code: APIError.Code) -> APIError.Code {
            self == .exhausted ? .resourceExhausted : code
        }
    }

    var kind = Kind.invalid
    /// What the metrics count it under.
    var reason: String
    /// `cannot <do what>: <what was found>; want <what>`.
    var message: String

    init(_ kind: Kind = .invalid, reason: String, message: String) {
        self.kind = kind
        self.reason = reason
        self.message = message
    }

    init(_ error: PprofError) {
        self.init(
            reason: error.isTooLarge ? "too_large" : "malformed", message: error.description)
    }

    init(_ error: FormatError) {
        let reason =
            switch error.code {
            case .malformed: "malformed"
            case .tooLarge: "too_large"
            case .unsupported: "unsupported"
            }
        self.init(reason: reason, message: error.description)
    }

    static func bodyTooLarge(_ limit: Int) -> Refusal {
        Refusal(
            reason: "too_large",
            message:
                "cannot take the request's body: got more than \(limit) bytes; want at most \(limit) (push_bytes), or a higher limit: \(howToRaise)"
        )
    }

    static func tooFast(_ bytes: Int, _ limits: TenantLimits, _ tenant: String) -> Refusal {
        // Waiting does not help what never fits.
        let never = bytes > limits.burstBytes
        return Refusal(
            .exhausted, reason: "rate_limited",
            message:
                "cannot store \(bytes) bytes of profiles of the tenant \(tenant): got more than \(limits.bytesPerSecond) bytes a second (profile_bytes_per_second) and \(limits.burstBytes) at once (profile_burst_bytes); want \(never ? "smaller pushes" : "them later"), or a higher limit: \(howToRaise)"
        )
    }

    static func tooManySeries(_ limit: Int, _ tenant: String) -> Refusal {
        Refusal(
            .exhausted, reason: "series_limit",
            message:
                "cannot store a profile of a new series: got \(limit) series of the tenant \(tenant) within two hours; want at most \(limit) (series), fewer distinct labels, or a higher limit: \(howToRaise)"
        )
    }

    /// What a person can do about a limit.
    static let howToRaise = "`sonde limits set`, or the configuration"
}
