// SPDX-License-Identifier: Apache-2.0
// What the command line may say.

import Glibc

/// How the service should run.
struct Options: Sendable {
    var listen = SocketAddress(host: "127.0.0.1", port: 8090)
    var threads = 4
    var idleThreads = 0
    var duration: Double?
    var markets = 60
    var users = 1000
    var seed: UInt64 = 1
    /// Multiplies the work of each bet.
    var effort = 1.0
    /// Do this many bets' worth of work without a server, then end.
    var rounds: Int?
    var usesAgent = true

    static let help = """
        bookmaker: a betting service, the example and test subject of Sonde

          --listen HOST:PORT  where to serve (127.0.0.1:8090; port 0 takes a free one)
          --threads N         worker threads (4)
          --idle-threads N    threads that only wait (0)
          --duration SECONDS  end by itself (never)
          --markets N         open markets (60)
          --users N           customers with a wallet (1000)
          --seed N            where all randomness begins (1)
          --effort X          multiplies the work of each bet (1)
          --rounds N          no server: do the work of N bets, print what it cost, end
          --no-agent          do not start the agent (also BOOKMAKER_AGENT=off)

        The first line of the output is {"event":"listening","address":"HOST:PORT","pid":N}.
        """

    /// A command line that makes no sense.
    struct Mistake: Error { let message: String }

    init(arguments: [String], environment: (String) -> String?) throws(Mistake) {
        usesAgent = environment("BOOKMAKER_AGENT") != "off"
        var rest = arguments[...]
        while let name = rest.popFirst() {
            if name == "--no-agent" {
                usesAgent = false
                continue
            }
            guard let value = rest.popFirst() else {
                throw Mistake(message: "cannot read \(name): got no value; want one, see --help")
            }
            guard try set(name, value) else {
                throw Mistake(message: "cannot read \(name): got \(value); want as --help says")
            }
        }
    }

    private mutating func set(_ name: String, _ value: String) throws(Mistake) -> Bool {
        switch name {
        case "--listen":
            guard let address = SocketAddress(value) else { return false }
            listen = address
        case "--threads": return store(value, in: \.threads, 1...512)
        case "--idle-threads": return store(value, in: \.idleThreads, 0...10_000)
        case "--markets": return store(value, in: \.markets, 1...100_000)
        case "--users": return store(value, in: \.users, 1...UserDirectory.limit)
        case "--seed":
            guard let number = UInt64(value) else { return false }
            seed = number
        case "--duration":
            guard let number = Double(value), number > 0, number < 1e9 else { return false }
            duration = number
        case "--effort":
            guard let number = Double(value), number > 0, number <= 1000 else { return false }
            effort = number
        case "--rounds":
            guard let number = Int(value), (1...1_000_000_000).contains(number) else {
                return false
            }
            rounds = number
        default:
            throw Mistake(message: "cannot read the command line: got \(name); want as --help says")
        }
        return true
    }

    private mutating func store(
        _ value: String, in place: WritableKeyPath<Options, Int>, _ range: ClosedRange<Int>
    ) -> Bool {
        guard let number = Int(value), range.contains(number) else { return false }
        self[keyPath: place] = number
        return true
    }
}
