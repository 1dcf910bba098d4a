// SPDX-License-Identifier: Apache-2.0
// Removes series from a day.

internal import SondeModel

extension DayWriter {
    /// Removes series with all that is stored of them.
    ///
    /// The writer remembers what is gone, and is of no use afterwards.
    ///
    /// - Parameter matches: Which series.
    /// - Throws: ``StoreError``; nothing is removed then.
    /// - Returns: How many profiles went.
    func remove(_ matches: (ProfileSeries) -> Bool) throws(StoreError) -> Int64 {
        let before = try profileCount()
        try database.transaction { () throws(StoreError) in
            // Their ids are not given to others.
            try database.execute(
                "INSERT INTO removed SELECT coalesce(max(id), 0) FROM profile")
            var families: [String: Int64] = [:]
            for (id, series) in try allSeries() {
                let family = "\(series.type) \(series.labels[LabelName.service] ?? "")"
                let owner = families[family] ?? id
                families[family] = owner
                guard matches(series) else { continue }
                for sql in [
                    "DELETE FROM span WHERE profile IN (SELECT id FROM profile WHERE series = ?)",
                    "DELETE FROM profile WHERE series = ?",
                    "DELETE FROM usage WHERE series = ?", "DELETE FROM series WHERE id = ?",
                    "DELETE FROM block WHERE scope = 0 AND owner = ?",
                    "DELETE FROM pending WHERE scope = 0 AND owner = ?",
                ] { try run(sql, id) }
                // What is left of the family is read by its series.
                try run("DELETE FROM block WHERE scope = 1 AND owner = ?", owner)
                try run("DELETE FROM pending WHERE scope = 1 AND owner = ?", owner)
            }
        }
        return before - (try profileCount())
    }

    private func run(_ sql: String, _ number: Int64) throws(StoreError) {
        let statement = try database.statement(sql)
        try statement.bind(number, at: 1)
        try statement.run()
    }

    private func allSeries() throws(StoreError) -> [(id: Int64, series: ProfileSeries)] {
        let rows = try database.statement("SELECT id, type, labels FROM series ORDER BY id")
        defer { rows.reset() }
        var result: [(id: Int64, series: ProfileSeries)] = []
        while try rows.step() {
            guard let type = ProfileType(rows.text(1)) else { continue }
            do throws(VarintError) {
                let labels = try rows.withBytes(2) { (bytes) throws(VarintError) in
                    try DayFormat.decodeLabels(bytes)
                }
                result.append((rows.int(0), ProfileSeries(type: type, labels: labels)))
            } catch {
                throw DayFormat.damaged(path, "the labels of a series", error)
            }
        }
        return result
    }
}
