// SPDX-License-Identifier: Apache-2.0
// The agent with its real sampler in a process of its own: start, stop, exit, fork, threads.

import Foundation
import Glibc
import SondeTestServer
import SondeWire
import Testing

@testable import SondeAgent

/// What the processes below do.
enum LifeActions {
    /// A configuration that delivers only at the end.
    static func configuration(_ url: String) -> Sonde.Configuration {
        Sonde.Configuration(service: "life", url: url)
    }

    /// Ends the process with this status when something is not as it should be.
    static func check(_ status: Int32, _ holds: Bool) {
        if !holds { _exit(status) }
    }

    /// Uses CPU time, however long that takes while others have the processors.
    static func burn(seconds: Double) {
        func used() -> Double {
            var now = timespec()
            clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now)
            return Double(now.tv_sec) + Double(now.tv_nsec) / 1e9
        }
        let end = used() + seconds
        var sum = 1.0
        while used() < end { for _ in 0..<10_000 { sum = sum * 1.000001 + 0.1 } }
        check(10, sum > 0)
    }

    /// Names and status texts of this process's threads that belong to the agent.
    static var agentThreads: [(name: String, status: String)] {
        let tasks = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/task")) ?? []
        return tasks.compactMap { task in
            let status = try? String(
                contentsOfFile: "/proc/self/task/\(task)/status", encoding: .utf8)
            let name = status?.split(separator: "\n").first?.split(separator: "\t").last
            guard let status, let name, name.hasPrefix("sonde-") else { return nil }
            return (String(name), status)
        }
    }

    /// When the end of the process began; one thread writes and reads it.
    nonisolated(unsafe) static var end = Date.distantPast

    static var descriptorCount: Int {
        (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd"))?.count ?? -1
    }

    /// Swift hides fork; this is the C library's, with its handlers.
    static func fork() -> pid_t {
        typealias Function = @convention(c) () -> pid_t
        guard let symbol = dlsym(nil, "fork") else { return -1 }
        // Safety: this is the type of fork.
        return unsafeBitCast(symbol, to: Function.self)()
    }

    /// The exit status of a child.
    static func status(of child: pid_t) -> Int32 {
        var status: Int32 = 0
        guard waitpid(child, &status, 0) == child, status & 0x7F == 0 else { return -1 }
        return status >> 8 & 0xFF
    }
}

struct SondeLifeTests {
    private func nanoseconds(_ controller: FakeController) -> Int64 {
        controller.samples.reduce(0) { $0 + $1 }
    }

    @Test func aSecondStartGivesTheSameAgentOrSaysWhyNot() async {
        await #expect(processExitsWith: .success) {
            let url = "http://127.0.0.1:1"
            let first = try Sonde.start(LifeActions.configuration(url))
            let again = try Sonde.start(LifeActions.configuration(url))
            LifeActions.check(11, again === first)
            do throws(SondeError) {
                try Sonde.start(.init(service: "other", url: url))
                LifeActions.check(12, false)
            } catch {
                LifeActions.check(13, error.code == .alreadyRunning)
                LifeActions.check(14, error.message.contains("\"life\""))
            }
            LifeActions.check(15, first.status.isRunning)
            first.stop()
            LifeActions.check(16, !first.status.isRunning)
            let second = try Sonde.start(.init(service: "other", url: url))
            LifeActions.check(17, second !== first && second.status.isRunning)
        }
    }

    @Test func offMeansThatNothingIsStarted() async {
        await #expect(processExitsWith: .success) {
            setenv("SONDE_OFF", "1", 1)
            let sonde = try Sonde.start()
            LifeActions.check(18, !sonde.status.isRunning)
            LifeActions.check(19, sonde.status.problems == ["off, as SONDE_OFF says"])
            LifeActions.check(20, LifeActions.agentThreads.isEmpty)
            sonde.stop()
        }
    }

    @Test func theLastProfileArrivesWhenTheProcessEnds() async throws {
        let controller = try FakeController()
        defer { controller.server.stop() }
        let url = controller.server.url
        // An end waits for a second at most, which a busy machine may need for something else.
        for _ in 0..<4 where controller.profiles.isEmpty {
            await #expect(processExitsWith: .exitCode(3)) { [url = url as String] in
                try Sonde.start(LifeActions.configuration(url))
                LifeActions.burn(seconds: 0.6)
                exit(3)
            }
        }
        #expect(!controller.profiles.isEmpty)
        #expect(nanoseconds(controller) > 200_000_000)
        #expect(nanoseconds(controller) < 3_000_000_000)
    }

    @Test func aControllerThatHangsDelaysTheEndByASecondAtMost() async throws {
        let server = try TestServer { _ in .hang }
        defer { server.stop() }
        let url = server.url
        await #expect(processExitsWith: .success) { [url = url as String] in
            // Handlers run in reverse order, so this one runs after the agent's.
            atexit { _exit(Date().timeIntervalSince(LifeActions.end) < 8 ? 0 : 1) }
            try Sonde.start(LifeActions.configuration(url))
            LifeActions.burn(seconds: 0.2)
            LifeActions.end = Date()
            exit(0)
        }
    }

    @Test func theAgentsThreadsAreFewNamedAndWithoutSignals() async {
        await #expect(processExitsWith: .success) {
            let descriptors = LifeActions.descriptorCount
            for _ in 0..<12 {
                let sonde = try Sonde.start(LifeActions.configuration("http://127.0.0.1:1"))
                LifeActions.check(21, eventually { LifeActions.agentThreads.count >= 4 })
                let threads = LifeActions.agentThreads
                LifeActions.check(22, threads.count <= 5)
                for thread in threads {
                    let blocked =
                        thread.status.split(separator: "\n")
                        .first { $0.hasPrefix("SigBlk:") }?.split(separator: "\t").last ?? ""
                    let mask = UInt64(blocked, radix: 16) ?? 0
                    for signal in [
                        SIGHUP, SIGINT, SIGUSR1, SIGUSR2, SIGPIPE, SIGALRM, SIGTERM, SIGCHLD,
                    ] {
                        let isBlocked = mask >> (UInt64(signal) - 1) & 1 == 1
                        LifeActions.check(23, isBlocked)
                    }
                }
                sonde.stop()
                LifeActions.check(24, eventually { LifeActions.agentThreads.isEmpty })
            }
            // The last agent still has two, and Foundation opens some for itself; a leak of the
            // agent's would be one or more for each of the twelve.
            LifeActions.check(25, LifeActions.descriptorCount < descriptors + 12)
        }
    }

    @Test func aChildOfForkIsUnharmedAndMayStartItsOwnAgent() async throws {
        let controller = try FakeController()
        defer { controller.server.stop() }
        await #expect(processExitsWith: .success) { [url = controller.server.url as String] in
            let sonde = try Sonde.start(LifeActions.configuration(url))
            LifeActions.burn(seconds: 0.2)
            let quiet = LifeActions.fork()
            if quiet == 0 {
                LifeActions.check(26, !sonde.status.isRunning)
                sonde.stop()
                LifeActions.burn(seconds: 0.1)
                exit(0)
            }
            LifeActions.check(27, LifeActions.status(of: quiet) == 0)
            let busy = LifeActions.fork()
            if busy == 0 {
                guard let own = try? Sonde.start(LifeActions.configuration(url)) else { exit(1) }
                LifeActions.burn(seconds: 0.6)
                guard own !== sonde, own.status.isRunning, own.status.samples > 0 else { exit(2) }
                exit(0)
            }
            LifeActions.check(28, LifeActions.status(of: busy) == 0)
            LifeActions.check(29, sonde.status.isRunning)
        }
        // Of the parent and of the child that asked for an agent, and not of the other one.
        #expect(Set(controller.instances).count == 2)
    }
}
