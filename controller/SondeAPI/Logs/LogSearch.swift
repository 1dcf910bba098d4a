// SPDX-License-Identifier: Apache-2.0
// Runs a LogQL query over the store, within bounds.

internal import SondeModel
internal import SondeQuery
internal import SondeStore

/// What a query found, and what it took.
struct LogSearch {
    /// The lines, in the order that was asked for.
    private(set) var lines: [FoundLine] = []
    /// What it took.
    private var figures = LogSearchFigures()

    /// Finds the first lines of a range that a query keeps.
    ///
    /// - Parameters:
    ///   - query: The query.
    ///   - range: The times; `nil` is none.
    ///   - newestFirst: From which end to begin.
    ///   - limit: The most lines to find.
    ///   - services: The store and its limits.
    /// - Throws: ``APIError`` when it takes too long, or finds too many bytes.
    init(
        _ query: LogQuery, in range: TimeRange?, newestFirst: Bool, limit: Int,
        _ services: Services
    ) throws(APIError) {
        let start = ContinuousClock.now
        if let range { try search(query, range, newestFirst, limit, services) }
        figures.duration = start.duration(to: .now)
        figures.found = lines.count
        if let problem = query.problem { throw APIError(problem) }
    }

    private mutating func search(
        _ query: LogQuery, _ range: TimeRange, _ newestFirst: Bool, _ limit: Int,
        _ services: Services
    ) throws(APIError) {
        let tally = LogSearchTally()
        var request = LogRead(range, limit: limit) { query.selector.matches($0) }
        request.newestFirst = newestFirst
        request.deadline = .now + .seconds(services.limits.logQuerySeconds)
        request.mayAccept = { line in
            tally.lines += 1
            tally.bytes += line.count
            return query.mayAccept(line)
        }
        request.accepts = { labels, entry in query.accepts(entry, of: labels) != nil }
        var found: [FoundLine] = []
        var foundBytes = 0
        let mostBytes = services.limits.logAnswerBytes
        do throws(StoreError) {
            try services.logs.read(request) { labels, entry in
                // Asked again: of all that are looked at, only these need their problem kept.
                let problem = query.accepts(entry, of: labels)?.problem
                found.append(FoundLine(labels: labels, entry: entry, problem: problem))
                foundBytes += entry.size
                return found.count < limit && foundBytes <= mostBytes
            }
        } catch { throw APIError(error) }
        guard foundBytes <= mostBytes else {
            throw APIError(
                .resourceExhausted,
                "cannot answer: the lines have more than \(mostBytes) bytes; "
                    + "want a lower limit or a shorter range")
        }
        (figures.lookedAt, figures.lookedAtBytes, lines) = (tally.lines, tally.bytes, found)
    }

    /// Writes the figures that Loki's clients show beside an answer.
    func writeStatistics(to json: inout JSONWriter) { figures.write(to: &json) }
}

/// What was looked at so far.
final class LogSearchTally {
    var lines = 0
    var bytes = 0
}

/// What an answer took.
struct LogSearchFigures {
    /// Lines that were looked at.
    var lookedAt = 0
    /// Bytes of those lines.
    var lookedAtBytes = 0
    /// Lines that the query kept.
    var found = 0
    /// How long it took.
    var duration = Duration.zero

    /// Writes the figures as Loki's clients want them.
    func write(to json: inout JSONWriter) {
        let seconds = max(duration / .seconds(1), 1e-9)
        json.object { json in
            json.member("summary") { json in
                json.object { json in
                    json.member("bytesProcessedPerSecond", Int(Double(lookedAtBytes) / seconds))
                    json.member("linesProcessedPerSecond", Int(Double(lookedAt) / seconds))
                    json.member("totalBytesProcessed", lookedAtBytes)
                    json.member("totalLinesProcessed", lookedAt)
                    json.member("execTime", seconds)
                    json.member("queueTime", 0)
                    json.member("subqueries", 0)
                    json.member("totalEntriesReturned", found)
                    json.member("splits", 0)
                    json.member("shards", 0)
                    json.member("totalPostFilterLines", found)
                    json.member("totalStructuredMetadataBytesProcessed", 0)
                }
            }
        }
    }
}

extension LogEntry {
    /// Bytes of the line and its metadata.
    var size: Int {
        metadata.labels.reduce(line.utf8.count) { $0 + $1.name.utf8.count + $1.value.utf8.count }
    }
}
