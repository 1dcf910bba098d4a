// SPDX-License-Identifier: Apache-2.0
// Reads the command line, starts the agent and the service, waits for the end.

import Glibc
import SondeAgent

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
        let agent = options.usesAgent ? Self.startAgent() : nil
        let journal = Journal()
        // Fixed work is measured; what it settles is of no interest to anybody.
        let quiet = Journal(descriptor: -1)
        let house = BettingHouse(options, journal: options.rounds == nil ? journal : quiet)
        Self.startIdleThreads(options.idleThreads)
        if let rounds = options.rounds {
            let work = FixedWork(house: house, threads: options.threads, rounds: rounds)
            work.run(journal, agent: agent)
            return 0
        }
        return serve(BettingAPI(house: house, agent: agent), options, journal)
    }

    /// The service works without its agent, too: a failure is said and forgotten.
    private static func startAgent() -> Sonde? {
        do {
            let sonde = try Sonde.start(.init(service: "bookmaker"))
            return sonde
        } catch {
            _ = fail("\(error)", 0)
            return nil
        }
    }

    private func serve(_ api: BettingAPI, _ options: Options, _ journal: Journal) -> Int32 {
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
