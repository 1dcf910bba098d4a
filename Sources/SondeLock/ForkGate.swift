// SPDX-License-Identifier: Apache-2.0
// Keeps the program's forks out of the moments in which our threads work.

internal import CSondeLock

/// The gate between our threads' work and the program's forks.
///
/// A child of `fork` has a copy of every lock as it was at that moment, and no thread that would
/// ever release it. glibc looks after its own, but not after those of the Swift runtime, which
/// makes generic types at their first use, nor of libcurl and OpenSSL, nor after all of the loader's
/// (2.36). So a fork waits until our threads are at rest, which takes milliseconds at most: and
/// never longer than `SONDE_FORK_PATIENCE_MS`.
package enum ForkGate {
    /// Does work into which no fork of another thread comes; may be nested.
    ///
    /// - Parameter body: The work. Where it waits for others it says so by ``rest(_:)``.
    /// - Returns: What the body returns.
    /// - Throws: What the body throws.
    package static func work<Result, Failure: Error>(
        _ body: () throws(Failure) -> sending Result
    ) throws(Failure) -> sending Result {
        sonde_fork_gate_enter()
        defer { sonde_fork_gate_leave() }
        return try body()
    }

    /// Waits in the middle of work, and lets forks in meanwhile; outside of work it just waits.
    ///
    /// - Parameter body: The wait, which takes no lock that it does not release.
    /// - Returns: What the body returns.
    package static func rest<Result>(_ body: () -> Result) -> Result {
        let depth = sonde_fork_gate_pause()
        defer { sonde_fork_gate_resume(depth) }
        return body()
    }
}
