// SPDX-License-Identifier: Apache-2.0
// Whether this is still the process that an object was made in, or a child that inherited it.

internal import Glibc

/// The process that something belongs to.
///
/// In a child of `fork` everything that was inherited is there, but none of the threads that used
/// it, and each lock is as it was at that moment. Whoever can be called there asks this first, and
/// touches no lock when the answer is no.
package struct OwnProcess: Hashable, Sendable {
    private let number = getpid()

    /// The process that runs now.
    package init() {}

    /// Whether the process that runs now is the one that this was made in.
    package var isThisOne: Bool { getpid() == number }
}
