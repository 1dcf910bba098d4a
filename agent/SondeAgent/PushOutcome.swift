// SPDX-License-Identifier: Apache-2.0
// What an answer to a push means for the profile that was pushed.

internal import SondeHTTPClient

/// What becomes of a profile that was pushed.
enum PushOutcome: Hashable, Sendable {
    /// The server has it.
    case accepted
    /// The server will never take it.
    case refused(String)
    /// The server may take it another time.
    case later(String, retryAfter: Double?)

    /// What an answer means.
    ///
    /// - Parameters:
    ///   - response: The answer.
    ///   - url: Where the profile was sent to.
    init(_ response: HTTPClientResponse, url: String) {
        switch response.status {
        case 200..<300:
            self = .accepted
        case 408, 429, 500, 502...599:
            let retryAfter = response.header("retry-after").flatMap {
                Backoff.seconds(ofRetryAfter: $0, unixNow: Double(Clock.unix) / 1e9)
            }
            self = .later(Self.describe(response, url), retryAfter: retryAfter)
        default:
            self = .refused(Self.describe(response, url))
        }
    }

    /// The answer in one line.
    static func describe(_ response: HTTPClientResponse, _ url: String) -> String {
        "cannot send to \(url): got status \(response.status)\(text(of: response)); want 200"
    }

    /// The server's own words in brackets, as far as they are text; empty when it said nothing.
    static func text(of response: HTTPClientResponse) -> String {
        guard !response.body.isEmpty else { return "" }
        let words = String(decoding: response.body.prefix(300), as: UTF8.self)
            .unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7F ? " " : String($0) }.joined()
        return " (\(words))"
    }
}
