// SPDX-License-Identifier: Apache-2.0
// Appends numbered profiles and says which were acknowledged: the subject of the store's tests of
// sudden death and of a full disk.
//
//     store-writer FOLDER FIRST              appends from FIRST on, by four threads, until killed
//     store-writer FOLDER FIRST BYTES        the same by one thread with files limited to BYTES,
//                                            until the first error; then once more without limit
//     store-writer FOLDER FIRST logs         the first, with numbered log lines
//     store-writer FOLDER FIRST busy         the first, over three days, while blocks are made and
//                                            series are removed by a rule all the time
//
// Prints a number for each profile that was acknowledged; an error's code and message as it is.

import Glibc
import SondeModel
import SondeStore
import Synchronization

/// One write each, so that a line is there as a whole or not at all.
func say(_ line: String) {
    let bytes = Array((line + "\n").utf8)
    _ = bytes.withUnsafeBytes { write(STDOUT_FILENO, $0.baseAddress, $0.count) }
}

/// A profile whose only stack is named after its number.
func profile(_ number: Int) -> Profile {
    var stacks = LocationTree()
    let names = ["main", "work", "n\(number)"]
    stacks.add(1, rootFirst: names.map { .symbolized([Frame(name: $0)]) })
    let labels = LabelSet().setting(LabelName.service, to: "writer")
    return Profile(
        type: .cpu, labels: labels, start: Timestamp(unixMilliseconds: 1_769_871_600_000),
        durationNanoseconds: 0, period: 0, stacks: stacks)
}

func open(_ folder: String) throws(StoreError) -> SQLiteProfileStore {
    var configuration = SQLiteProfileStore.Configuration()
    configuration.retentionDays = nil
    return try SQLiteProfileStore(DataFolder(folder), configuration: configuration)
}

/// A numbered profile of one of three days, with one that the rule of `openBusy` removes.
func busyProfiles(_ number: Int) -> [Profile] {
    var one = profile(number)
    one.start = one.start.advanced(
        byNanoseconds: -Int64(number &* 7919 % 172_800) * 1_000_000_000)
    var junk = profile(number)
    junk.labels = LabelSet().setting(LabelName.service, to: "junk")
    junk.start = junk.start.advanced(byNanoseconds: -172_800_000_000_000)
    return [one, junk]
}

func openBusy(_ folder: String) throws(StoreError) -> SQLiteProfileStore {
    var configuration = SQLiteProfileStore.Configuration()
    configuration.retentionDays = nil
    // Two days later: every window has passed.
    configuration.now = { Timestamp(unixMilliseconds: 1_769_871_600_000 + 172_800_000) }
    configuration.retentionRules = [
        RetentionRule(name: "junk", days: 1) { $0.labels[LabelName.service] == "junk" }
    ]
    return try SQLiteProfileStore(DataFolder(folder), configuration: configuration)
}

func appendBusilyUntilKilled(_ folder: String, from first: Int) throws(StoreError) {
    let store = try openBusy(folder)
    var maintenance = pthread_t()
    let body = Body {
        do throws(StoreError) {
            while true { try store.maintain() }
        } catch {
            say("\(error.code.rawValue): \(error.message)")
        }
    }
    start(&maintenance, body)
    appendByFourThreads(from: first) { number throws(StoreError) in
        try store.append(busyProfiles(number) + busyProfiles(number + 1))
    }
}

func limitFiles(to bytes: UInt) {
    var limit = rlimit()
    getrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
    limit.rlim_cur = min(bytes, limit.rlim_max)
    setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
}

func appendUntilFull(_ store: SQLiteProfileStore, from first: Int, bytes: UInt) {
    // Without this the kernel ends a process that writes beyond the limit.
    signal(SIGXFSZ, SIG_IGN)
    limitFiles(to: bytes)
    var number = first
    do throws(StoreError) {
        while true {
            try store.append([profile(number)])
            say("\(number)")
            number += 1
        }
    } catch {
        say("\(error.code.rawValue): \(error.message)")
    }
    limitFiles(to: .max)
    do throws(StoreError) {
        try store.append([profile(number + 1)])
        say("\(number + 1)")
    } catch {
        say("\(error.code.rawValue): \(error.message)")
    }
}

func appendUntilKilled(_ store: SQLiteProfileStore, from first: Int) {
    appendByFourThreads(from: first) { number throws(StoreError) in
        try store.append([profile(number), profile(number + 1)])
    }
}

/// Lines of a stream that all threads write to, with times that are not in order.
func appendLinesUntilKilled(in folder: String, from first: Int) throws(StoreError) {
    var configuration = SQLiteLogStore.Configuration()
    configuration.retentionDays = nil
    let store = try SQLiteLogStore(DataFolder(folder), configuration: configuration)
    let labels = LabelSet().setting(LabelName.service, to: "writer")
    appendByFourThreads(from: first) { number throws(StoreError) in
        let entries = [number, number + 1].map { number in
            LogEntry(
                time: Timestamp(unixMilliseconds: 1_769_871_600_000 + Int64(number ^ 7)),
                line: "n\(number)", metadata: LabelSet().setting("number", to: "\(number)"))
        }
        try store.append([LogStream(labels: labels, entries: entries)])
    }
}

/// Calls `append` for every second number, and says both of them when it returns.
func appendByFourThreads(
    from first: Int, _ append: @escaping @Sendable (Int) throws(StoreError) -> Void
) {
    let next = Atomic(first)
    let threads = 4
    var handles = [pthread_t](repeating: 0, count: threads)
    let body = Body {
        do throws(StoreError) {
            while true {
                let number = next.wrappingAdd(2, ordering: .relaxed).oldValue
                try append(number)
                say("\(number)")
                say("\(number + 1)")
            }
        } catch {
            say("\(error.code.rawValue): \(error.message)")
        }
    }
    for index in handles.indices { start(&handles[index], body) }
    for handle in handles { pthread_join(handle, nil) }
}

func start(_ thread: inout pthread_t, _ body: Body) {
    pthread_create(
        &thread, nil,
        { argument in
            guard let argument else { return nil }
            // Safety: balances the passRetained of this thread's creation.
            Unmanaged<Body>.fromOpaque(argument).takeRetainedValue().run()
            return nil
        }, Unmanaged.passRetained(body).toOpaque())
}

final class Body: Sendable {
    let run: @Sendable () -> Void
    init(_ run: @escaping @Sendable () -> Void) { self.run = run }
}

let arguments = CommandLine.arguments
guard arguments.count >= 3, let first = Int(arguments[2]) else {
    say("usage: store-writer FOLDER FIRST [BYTES | logs | busy]")
    exit(2)
}
do throws(StoreError) {
    if arguments.count > 3, arguments[3] == "logs" {
        try appendLinesUntilKilled(in: arguments[1], from: first)
        exit(1)
    }
    if arguments.count > 3, arguments[3] == "busy" {
        try appendBusilyUntilKilled(arguments[1], from: first)
        exit(1)
    }
    let store = try open(arguments[1])
    if arguments.count > 3, let bytes = UInt(arguments[3]) {
        appendUntilFull(store, from: first, bytes: bytes)
    } else {
        appendUntilKilled(store, from: first)
    }
} catch {
    say("\(error.code.rawValue): \(error.message)")
    exit(1)
}
