// SPDX-License-Identifier: Apache-2.0
// Reads the command line, starts the agent and the service, waits for the end.

import Glibc

/// The whole program.
struct Program {
    func run() -> Int32 {
        let arguments = Array(CommandLine.arguments.dropFirst())
        if arguments.contains("--help") || arguments.contains("-h") {
            print(Options.help)
            return 0
        }
        let options: Options
        do throws(Options.Mistake) {
            options = try Options(arguments: arguments) { name in
                getenv(name).map { String(cString: $0) }
            }
        } catch {
            return Self.fail(error.message, 2)
        }
        // Every thread inherits the mask; only this one waits for the signals.
        Termination.block()
        let journal = Journal()
        // Fixed work is measured; what it settles is of no interest to anybody.
        let quiet = Journal(descriptor: -1)
        let house = BettingHouse(options, journal: options.rounds == nil ? journal : quiet)
        Self.startIdleThreads(options.idleThreads)
        if let rounds = options.rounds {
            FixedWork(house: house, threads: options.threads, rounds: rounds).run(journal)
            return 0
        }
        return serve(house, options, journal)
    }

    private func serve(_ house: BettingHouse, _ options: Options, _ journal: Journal) -> Int32 {
        let api = BettingAPI(house: house)
        let server: HTTPServer
        do throws(ListenError) {
            server = try HTTPServer(
                listen: options.listen, limits: HTTPLimits(), handler: { api.answer($0) })
        } catch {
            return Self.fail("\(error)", 1)
        }
        journal.write(
            "listening",
            [("address", .text("\(server.address)")), ("pid", .number(Double(getpid())))])
        server.start(threads: options.threads)
        let reason = Termination.wait(seconds: options.duration)
        server.stop()
        journal.write("ended", [("reason", .text(reason))])
        return 0
    }

    /// Threads as large services have them: started for the worst hour, waiting ever since.
    private static func startIdleThreads(_ count: Int) {
        for number in 0..<count {
            _ = NativeThread(name: "idle-\(number + 1)", stackBytes: 64 << 10) {
                while true { pause() }
            }
        }
    }

    private static func fail(_ message: String, _ status: Int32) -> Int32 {
        let line = Array("bookmaker: \(message)\n".utf8)
        _ = write(STDERR_FILENO, line, line.count)
        return status
    }
}
