// SPDX-License-Identifier: Apache-2.0
// The databases of stacks: their schema, and how their trees are read.

internal import SondeModel

/// What a database of stacks looks like.
///
/// Stacks are interned once for each service and epoch, not for each day: a month's picture is then
/// laid out once. An epoch lasts about a month; its file goes when no day names it any more.
enum StackFormat {
    static let version: Int32 = 1

    static let format = Database.Format(
        applicationID: 0x536F_5374,  // "SoSt"
        version: version,
        schema: """
            -- One row.
            CREATE TABLE epoch (
                began INTEGER NOT NULL    -- the day, from 1970-01-01
                ) STRICT;
            -- One tree of stacks for each service, or several when one grew too large.
            CREATE TABLE tree (
                id INTEGER PRIMARY KEY, service TEXT NOT NULL, nodes INTEGER NOT NULL) STRICT;
            CREATE INDEX tree_of_service ON tree (service, id);
            -- A tree is its segments in order of their first nodes. See StackSegment.
            CREATE TABLE segment (
                tree INTEGER NOT NULL, first_node INTEGER NOT NULL, body BLOB NOT NULL,
                PRIMARY KEY (tree, first_node)) STRICT;
            """,
        name: "an epoch of stacks of Sonde")

    /// Where the databases lie, seen from the profiles' folder.
    static let folder = "stacks"

    /// Where an epoch's database lies, by the epoch's number.
    static func path(_ epoch: Int64, in folder: String) -> String { "\(folder)/\(epoch).db" }

    /// The epoch of a database's file name, or `nil` when it is none.
    static func epoch(ofFile name: String) -> Int64? {
        guard name.hasSuffix(".db"), let epoch = Int64(name.dropLast(3)), epoch > 0,
            "\(epoch).db" == name
        else { return nil }
        return epoch
    }

    /// Reads what a stored tree has beyond what the columns hold.
    ///
    /// - Parameters:
    ///   - columns: The tree as far as it is known.
    ///   - tree: The tree.
    ///   - nodes: How many nodes it has, where that is known.
    ///   - database: An epoch's database, or a day's of version 1.
    ///   - packer: Unpacks segments.
    /// - Throws: ``StoreError`` of code `corrupt` when a part is missing or damaged.
    static func extend(
        _ columns: inout StackColumns, tree: Int64, nodes: Int?, in database: Database,
        _ packer: Packer
    ) throws(StoreError) {
        if let nodes, nodes == columns.parents.count { return }
        if try read(&columns, tree, database, packer), nodes ?? 0 <= columns.parents.count {
            return
        }
        // Segments were put together since: what was known ends inside of one.
        columns = StackColumns()
        guard try read(&columns, tree, database, packer), nodes ?? 0 <= columns.parents.count else {
            throw DayFormat.damaged(
                database.path, "a stack tree", VarintError(reason: "a part of it is missing"))
        }
    }

    /// Returns `false` when a segment does not begin where the columns end.
    private static func read(
        _ columns: inout StackColumns, _ tree: Int64, _ database: Database, _ packer: Packer
    ) throws(StoreError) -> Bool {
        // Locations and images only come with the nodes that need them, so that the number of
        // nodes says how much is known.
        let rows = try database.statement(
            "SELECT first_node, body FROM segment WHERE tree = ? AND first_node >= ? "
                + "ORDER BY first_node")
        defer { rows.reset() }
        try rows.bind(tree, at: 1)
        try rows.bind(Int64(columns.parents.count), at: 2)
        while try rows.step() {
            guard rows.int(0) == Int64(columns.parents.count) else { return false }
            do throws(VarintError) {
                try rows.withBytes(1) { (blob) throws(VarintError) in
                    try packer.unpack(blob) { (body) throws(VarintError) in
                        try StackSegment.decode(body, into: &columns)
                    }
                }
            } catch {
                throw DayFormat.damaged(database.path, "a part of a stack tree", error)
            }
        }
        return true
    }
}
