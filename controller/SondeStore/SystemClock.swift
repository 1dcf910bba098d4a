// SPDX-License-Identifier: Apache-2.0
// Which time it is.

internal import Glibc
package import SondeModel

/// The system's clock.
package enum SystemClock {
    /// Which time it is now.
    package static func now() -> Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(
            unixNanoseconds: Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec))
    }
}
