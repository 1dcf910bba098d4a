// SPDX-License-Identifier: Apache-2.0
// What a store of profiles can do, whatever it is made of.

package import SondeModel

/// Keeps profiles and adds them up.
///
/// All calls may come from any thread at the same time.
package protocol ProfileStore: Sendable {
    /// Stores profiles. When it returns, they survive the end of this process by any means.
    func append(_ profiles: [Profile]) throws(StoreError)

    /// The series that have a profile beginning in the range, in no particular order.
    func series(in range: TimeRange) throws(StoreError) -> [ProfileSeries]

    /// The sum of all profiles of a type that begin in the range, of the series that `matches` accepts.
    func merge(
        _ type: ProfileType, in range: TimeRange, where matches: (LabelSet) -> Bool
    ) throws(StoreError) -> MergedStacks

    /// The sums of the profiles that begin in each step, oldest first; empty steps are left out.
    ///
    /// A step lasts `stepNanoseconds`, greater than 0, and begins at a multiple of it since the Unix
    /// epoch.
    func timeline(
        _ type: ProfileType, in range: TimeRange, stepNanoseconds: Int64,
        where matches: (LabelSet) -> Bool
    ) throws(StoreError) -> [TimelinePoint]

    /// How much is stored.
    func statistics() throws(StoreError) -> ProfileStoreStatistics
}

/// One series of profiles.
package struct ProfileSeries: Hashable, Sendable {
    package var type: ProfileType
    package var labels: LabelSet
    package init(type: ProfileType, labels: LabelSet) {
        self.type = type
        self.labels = labels
    }
}

/// What ``ProfileStore/merge(_:in:where:)`` found.
package struct MergedStacks: Sendable {
    /// The stacks, with the sums of their values.
    package var stacks: LocationTree
    /// How many stored profiles were added up.
    package var profileCount: Int
    package init(stacks: LocationTree, profileCount: Int) {
        self.stacks = stacks
        self.profileCount = profileCount
    }
}

/// The sum of values in one step of a timeline.
package struct TimelinePoint: Hashable, Sendable {
    /// When the step begins.
    package var time: Timestamp
    /// The sum of the values of the profiles that begin in it.
    package var value: Int64
    package init(time: Timestamp, value: Int64) {
        self.time = time
        self.value = value
    }
}

/// How much a ``ProfileStore`` holds.
package struct ProfileStoreStatistics: Hashable, Sendable {
    package var profiles: Int
    package var bytes: Int64
    package init(profiles: Int, bytes: Int64) {
        self.profiles = profiles
        self.bytes = bytes
    }
}
