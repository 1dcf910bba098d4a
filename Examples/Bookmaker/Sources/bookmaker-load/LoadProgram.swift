// SPDX-License-Identifier: Apache-2.0
// Runs the customers and says how they were served.

import Glibc
import Synchronization

/// Time for latencies and pauses.
enum Clock {
    /// Seconds of the monotonic clock.
    static var now: Double {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        return Double(now.tv_sec) + Double(now.tv_nsec) / 1e9
    }

    static func sleep(until time: Double) {
        let left = max(0, time - now)
        var pause = timespec()
        pause.tv_sec = Int(left)
        pause.tv_nsec = Int((left - left.rounded(.down)) * 1e9)
        nanosleep(&pause, nil)
    }
}

/// What one customer saw.
struct Experience: Sendable {
    var latencies: [Float] = []
    var errors: [RequestError: Int] = [:]
    var requests = 0

    mutating func add(_ other: Experience) {
        latencies += other.latencies
        errors.merge(other.errors, uniquingKeysWith: +)
        requests += other.requests
    }
}

/// The whole program.
struct LoadProgram {
    func run() -> Int32 {
        let arguments = Array(CommandLine.arguments.dropFirst())
        if arguments.contains("--help") || arguments.contains("-h") {
            print(LoadOptions.help)
            return 0
        }
        let options: LoadOptions
        do throws(LoadOptions.Mistake) {
            options = try LoadOptions(arguments: arguments)
        } catch {
            let line = Array("bookmaker-load: \(error.message)\n".utf8)
            _ = write(STDERR_FILENO, line, line.count)
            return 2
        }
        Ending.install()
        let start = Clock.now
        let all = Customers(options: options).run(from: start)
        print(Summary(all, seconds: Clock.now - start).text)
        return options.isStrict && !all.errors.isEmpty ? 1 : 0
    }
}

/// Whether the program was asked to end.
enum Ending {
    private static let wanted = Atomic<Bool>(false)

    static func install() {
        signal(SIGTERM) { _ in Ending.wanted.store(true, ordering: .relaxed) }
        signal(SIGINT) { _ in Ending.wanted.store(true, ordering: .relaxed) }
    }

    static var isWanted: Bool { wanted.load(ordering: .relaxed) }
}

/// Several customers, a thread each.
struct Customers {
    let options: LoadOptions

    /// What the threads share.
    private final class Shared: Sendable {
        let options: LoadOptions
        let start: Double
        let number: Int
        let result = Mutex(Experience())

        init(options: LoadOptions, start: Double, number: Int) {
            self.options = options
            self.start = start
            self.number = number
        }
    }

    func run(from start: Double) -> Experience {
        var threads: [(pthread_t, Shared)] = []
        for number in 0..<options.connections {
            let shared = Shared(options: options, start: start, number: number)
            var handle = pthread_t()
            let argument = Unmanaged.passRetained(shared)
            let result = pthread_create(
                &handle, nil,
                { argument in
                    guard let argument else { return nil }
                    // Safety: retained once for this thread, in the loop that started it.
                    let shared = Unmanaged<Shared>.fromOpaque(argument).takeRetainedValue()
                    let experience = Customers.customer(shared)
                    shared.result.withLock { $0 = experience }
                    return nil
                }, argument.toOpaque())
            if result == 0 { threads.append((handle, shared)) } else { argument.release() }
        }
        var all = Experience()
        for (handle, shared) in threads {
            pthread_join(handle, nil)
            all.add(shared.result.withLock { $0 })
        }
        return all
    }

    /// One customer's requests until the end.
    private static func customer(_ shared: Shared) -> Experience {
        let options = shared.options
        let connection = CustomerConnection(host: options.host, port: options.port)
        var mix = RequestMix(
            seed: options.seed &+ UInt64(shared.number), markets: options.markets,
            users: options.users)
        var seen = Experience()
        let interval = options.rate.map { Double(options.connections) / $0 } ?? 0
        let end = shared.start + options.duration
        // Customers begin one after the other, so that a rate is even from the start.
        var due = shared.start + interval * Double(shared.number) / Double(options.connections)
        while !Ending.isWanted {
            if interval > 0 { Clock.sleep(until: min(due, end)) }
            let now = Clock.now
            guard now < end else { break }
            seen.requests += 1
            do throws(RequestError) {
                try connection.perform(mix.next())
                // With a rate, from when it was due: a service that stalls does not hide it.
                seen.latencies.append(Float(Clock.now - (interval > 0 ? due : now)))
            } catch {
                seen.errors[error, default: 0] += 1
                // A service that is away is not asked in a busy loop.
                Clock.sleep(until: Clock.now + 0.01)
            }
            due += interval
        }
        return seen
    }
}
