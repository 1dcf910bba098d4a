// SPDX-License-Identifier: Apache-2.0
// Whether this process may read memory that may not be there.

internal import CSondeSignal

/// Reads of memory whose address nobody vouches for.
package enum GuardedMemory {
    /// Whether the kernel lets this process do them.
    ///
    /// Where a seccomp filter is active the call is tried in a child first, because a filter may
    /// answer it by killing the caller.
    package static var isReadable: Bool { sonde_can_read_memory() == 1 }
}
