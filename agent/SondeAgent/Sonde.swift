// SPDX-License-Identifier: Apache-2.0
// The public API: start the agent, ask how it is, stop it.

internal import Glibc
internal import SondeLock

/// The agent in this process: it samples stacks and delivers them to a controller.
///
///     import SondeAgent
///
///     let sonde = try Sonde.start(.init(service: "bookmaker"))
///
/// The agent runs on threads of its own, which get none of the program's signals. It never traps,
/// prints or exits. Its memory is bounded; what it drops is counted by reason in ``status``. When
/// the controller is away, the program notices nothing, and what was sampled meanwhile is delivered
/// later as far as the limits of ``Configuration`` allow.
///
/// At the end of the process the last profile is delivered, which takes at most a second, and no
/// time at all when the controller is away.
///
/// A child of `fork` runs without the agent, and every method is harmless there. It may call
/// ``start(_:)`` to get an agent of its own, under the usual condition for a child of a program
/// with threads: no other thread was inside the Swift runtime or the loader at the moment of the
/// fork.
public final class Sonde: Sendable {
    /// The version of the agent.
    public static let version = "0.1.0"

    private let role: Role
    private let process = OwnProcess()

    private enum Role: Sendable {
        case running(Agent)
        /// No agent runs, for this reason.
        case inert(String)
    }

    private init(_ role: Role) {
        self.role = role
    }

    /// Starts the agent of this process.
    ///
    /// Returns at once; the controller is contacted later, from a thread of the agent. The process
    /// gets up to four threads and a handler for SIGPROF, or for a real-time signal when SIGPROF
    /// has a handler already.
    ///
    /// With `SONDE_OFF=1` in the environment, or when `libsonde.so` was preloaded and profiles the
    /// process already, nothing is started and ``status`` says so.
    ///
    /// - Parameter configuration: What to do; what it leaves open is read from the environment.
    /// - Returns: The agent. A second call with equal settings returns the same one.
    /// - Throws: ``SondeError`` with `invalidConfiguration` when a value cannot be used,
    ///   `alreadyRunning` when an agent with other settings runs, `noSampler` or `noThread` when
    ///   the system refuses what is needed. Nothing is changed then.
    @discardableResult
    public static func start(_ configuration: Configuration = .init()) throws(SondeError) -> Sonde {
        let settings = try AgentSettings(configuration) { name in
            // Safety: getenv gives a zero-terminated string, which is copied here.
            getenv(name).map { String(cString: $0) }
        }
        if !settings.isOff, PreloadedAgent.isActive {
            return Sonde(.inert("libsonde.so was preloaded and profiles this process already"))
        }
        return try start(settings)
    }

    /// Starts the agent for `libsonde.so`, with what the environment says.
    ///
    /// - Returns: Whether it runs, or is off as the environment says. A failure goes to the log.
    package static func startPreloaded() -> Bool {
        let environment = { (name: String) in getenv(name).map { String(cString: $0) } }
        do {
            _ = try start(AgentSettings(Configuration(), environment: environment))
            return true
        } catch {
            AgentLog(path: SettingSource(environment)["SONDE_LOG"]).write(error.message)
            return false
        }
    }

    static func start(_ settings: AgentSettings) throws(SondeError) -> Sonde {
        if settings.isOff { return Sonde(.inert("off, as SONDE_OFF says")) }
        return try ForkGate.work { () throws(SondeError) in try startNow(settings) }
    }

    private static func startNow(_ settings: AgentSettings) throws(SondeError) -> Sonde {
        try CurrentAgent.withLock { current throws(SondeError) in
            if let running = current, case .running(let agent) = running.role, !agent.hasStopped {
                guard agent.settings == settings else {
                    throw SondeError(
                        .alreadyRunning,
                        "cannot start Sonde: got an agent for \"\(agent.settings.service)\" that "
                            + "already runs in this process; want none, or equal settings")
                }
                return running
            }
            let agent = try Agent(settings)
            Status.readyTypes(of: agent)
            let sonde = Sonde(.running(agent))
            current = sonde
            ProcessEnd.watch()
            return sonde
        }
    }

    /// Ends sampling, delivers the last profile and ends the agent's threads.
    ///
    /// Waits at most five seconds for a controller that is slow, and not at all for one that is
    /// away. Calling it again does nothing. The agent can be started again.
    public func stop() { stop(within: 5) }

    func stop(within seconds: Double) {
        // In a child of fork the agent's threads and locks are those of another process.
        guard case .running(let agent) = role, process.isThisOne else { return }
        agent.stop(within: seconds)
    }

    /// How the agent is, as of now.
    public var status: Status {
        switch role {
        case .inert(let reason): return Status(inert: reason)
        case .running(let agent) where process.isThisOne: return Status(agent)
        case .running:
            return Status(inert: "this process is a child of fork; the agent runs in its parent")
        }
    }
}
