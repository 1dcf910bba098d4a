// SPDX-License-Identifier: Apache-2.0
// Where an interned tree of stacks is stored.

/// Where an interned tree of stacks is stored.
enum StackHome: Hashable, Sendable {
    /// In one of the databases that hold the stacks of many days.
    case shared(epoch: Int64, tree: Int64)
    /// In the database of the day itself, as all were in version 1.
    case day(UTCDay, tree: Int64)
}
