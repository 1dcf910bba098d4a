// SPDX-License-Identifier: Apache-2.0
// The signals that ask the service to end.

import Glibc

/// Waits for SIGTERM or SIGINT.
enum Termination {
    private static var signals: sigset_t {
        var set = sigset_t()
        sigemptyset(&set)
        sigaddset(&set, SIGTERM)
        sigaddset(&set, SIGINT)
        return set
    }

    /// Keeps the signals for ``wait(seconds:)``, in this thread and those it starts.
    static func block() {
        var set = signals
        pthread_sigmask(SIG_BLOCK, &set, nil)
        signal(SIGPIPE, SIG_IGN)
    }

    /// Returns the reason to end: a signal's name or `duration`.
    static func wait(seconds: Double?) -> String {
        var set = signals
        var info = siginfo_t()
        let end = seconds.map { now + $0 }
        while true {
            // One hour at a time: other signals end a wait early, and no end is far away.
            let left = end.map { min($0 - now, 3600) } ?? 3600
            guard left > 0 else { return "duration" }
            var limit = timespec()
            limit.tv_sec = Int(left)
            limit.tv_nsec = Int((left - left.rounded(.down)) * 1e9)
            switch sigtimedwait(&set, &info, &limit) {
            case SIGTERM: return "SIGTERM"
            case SIGINT: return "SIGINT"
            default: continue
            }
        }
    }

    private static var now: Double {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        return Double(now.tv_sec) + Double(now.tv_nsec) / 1e9
    }
}
