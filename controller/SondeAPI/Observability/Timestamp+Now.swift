// SPDX-License-Identifier: Apache-2.0
// The present, by the machine's clock.

internal import Glibc
package import SondeModel

extension Timestamp {
    /// The present, by the machine's clock.
    package static var now: Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(
            unixNanoseconds: Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec))
    }
}
