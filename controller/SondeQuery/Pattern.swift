// SPDX-License-Identifier: Apache-2.0
// A regular expression from outside, matched against a whole value within fixed bounds.

internal import CPCRE2
internal import Synchronization

/// A regular expression: one that has to match a whole value, as Prometheus and Pyroscope anchor
/// theirs, or a part of a line.
///
/// What RE2 does not read is refused (``RE2Dialect``).
/// It comes from outside, so that matching is bounded: ``maximumSteps`` for one value and
/// ``maximumSeconds`` for all values together, ten times that for lines. A pattern that ran into a bound matches nothing
/// from then on and says so in ``exceeded``.
final class Pattern: Sendable {
    /// The most bytes that a pattern may have.
    static let maximumLength = 4096
    /// The most steps that PCRE2 may take for one value.
    static let maximumSteps: UInt32 = 500_000
    /// The most time that one pattern may take for all values together.
    static let maximumSeconds = 2.0

    /// What has to match.
    enum Extent {
        /// The whole of a label's value.
        case whole
        /// Any part of a line.
        case part
    }

    private struct State {
        var spent = Duration.zero
        var exceeded = false
        /// Answers already known: a label has few values and many series.
        var known: [String: Bool] = [:]
    }

    /// A compiled pattern, freed with its owner.
    ///
    /// Safety: PCRE2 never writes to a compiled pattern or a match context while it matches
    /// (pcre2api, "Multithreading"), and both live as long as this object.
    private final class Compiled: @unchecked Sendable {
        let code: OpaquePointer
        let limits: OpaquePointer

        init(code: OpaquePointer, limits: OpaquePointer) {
            self.code = code
            self.limits = limits
        }

        deinit {
            pcre2_code_free_8(code)
            pcre2_match_context_free_8(limits)
        }
    }

    private let compiled: Compiled
    private let allowance: Duration
    /// How many answers are kept: labels have few values, lines do not repeat.
    private let knownLimit: Int
    private let state = Mutex(State())

    /// Whether a bound was reached; matches from then on were answered with no.
    var exceeded: Bool { state.withLock { $0.exceeded } }

    /// Compiles a pattern.
    ///
    /// - Parameters:
    ///   - pattern: The expression.
    ///   - extent: What has to match.
    /// - Throws: ``PatternError`` with the place and the reason.
    init(_ pattern: String, matching extent: Extent = .whole) throws(PatternError) {
        guard pattern.utf8.count <= Self.maximumLength else {
            throw PatternError(
                offset: Self.maximumLength,
                reason: "a regular expression of \(pattern.utf8.count) bytes; "
                    + "want at most \(Self.maximumLength)")
        }
        let bytes = Array(try RE2Dialect.translate(pattern).utf8)
        var failure: Int32 = 0
        var offset = 0
        // A dot matches a newline as it does in Prometheus; \C could split a character.
        var options = PCRE2_UTF | PCRE2_NEVER_BACKSLASH_C | PCRE2_NO_AUTO_CAPTURE
        // A dollar is the end, not the place before a last newline, as in RE2.
        options |= PCRE2_DOLLAR_ENDONLY
        if extent == .whole { options |= PCRE2_ANCHORED | PCRE2_ENDANCHORED | PCRE2_DOTALL }
        // Safety: PCRE2 copies what it needs of the pattern before it returns.
        let code = bytes.withUnsafeBufferPointer { bytes in
            pcre2_compile_8(bytes.baseAddress, bytes.count, options, &failure, &offset, nil)
        }
        guard let code else {
            throw PatternError(offset: offset, reason: Self.text(of: failure))
        }
        guard let limits = pcre2_match_context_create_8(nil) else {
            pcre2_code_free_8(code)
            throw PatternError(offset: 0, reason: "no memory for a regular expression; want some")
        }
        pcre2_set_match_limit_8(limits, Self.maximumSteps)
        pcre2_set_depth_limit_8(limits, 10_000)
        pcre2_set_heap_limit_8(limits, 16 * 1024)  // in KiB
        compiled = Compiled(code: code, limits: limits)
        allowance = .seconds(Self.maximumSeconds) * (extent == .whole ? 1 : 10)
        knownLimit = extent == .whole ? 10_000 : 0
    }

    /// Whether the pattern matches the whole value.
    func matches(_ value: String) -> Bool {
        state.withLock { state in
            if knownLimit > 0, let answer = state.known[value] { return answer }
            if state.exceeded { return false }
            var answer = false
            state.spent += ContinuousClock().measure {
                switch match(value) {
                case .matched: answer = true
                case .notMatched: answer = false
                case .exceeded: state.exceeded = true
                }
            }
            if state.spent > allowance { state.exceeded = true }
            // Bounds the memory; a label of more values is matched again for each series.
            if state.known.count < knownLimit, !state.exceeded { state.known[value] = answer }
            return answer
        }
    }

    private enum Outcome { case matched, notMatched, exceeded }

    private func match(_ value: String) -> Outcome {
        guard let data = pcre2_match_data_create_8(1, nil) else { return .exceeded }
        defer { pcre2_match_data_free_8(data) }
        var value = value
        let status = value.withUTF8 { bytes in
            // Safety: a Swift string is valid UTF-8, and the bytes outlive the call.
            pcre2_match_8(
                compiled.code, bytes.baseAddress, bytes.count, 0, UInt32(PCRE2_NO_UTF_CHECK), data,
                compiled.limits)
        }
        if status >= 0 { return .matched }
        return status == PCRE2_ERROR_NOMATCH ? .notMatched : .exceeded
    }

    private static func text(of failure: Int32) -> String {
        var buffer = [UInt8](repeating: 0, count: 256)
        let length = buffer.withUnsafeMutableBufferPointer { buffer in
            pcre2_get_error_message_8(failure, buffer.baseAddress, buffer.count)
        }
        let reason = String(decoding: buffer.prefix(max(0, Int(length))), as: UTF8.self)
        return "a regular expression that is wrong here (\(reason)); want a valid one"
    }
}

/// Why a text is no regular expression.
struct PatternError: Error {
    /// The place, in bytes from the pattern's start.
    var offset: Int
    /// What stands there; want what.
    var reason: String
}
