// SPDX-License-Identifier: Apache-2.0
// How the agent is, for the program that it runs in.

internal import SondeWire

extension Sonde {
    /// How the agent is.
    public struct Status: Sendable {
        /// Whether it samples and delivers, or is ready to when the controller asks for it.
        public var isRunning: Bool
        /// The unique name of this start of the process; empty when no agent runs.
        public var instance: String
        /// How the controller was when it was last asked.
        public var controller: Controller
        /// Whether CPU time is sampled.
        public var samplesCPU: Bool
        /// Samples per second of CPU time.
        public var hertz: Double
        /// Samples taken since the start.
        public var samples: UInt64
        /// Profiles that the controller accepted.
        public var profilesSent: UInt64
        /// Profiles that wait for delivery.
        public var profilesWaiting: Int
        /// Lines of probes that the controller accepted.
        public var linesSent: UInt64
        /// Lines of probes that wait for delivery.
        public var linesWaiting: Int
        /// The probes that the controller wants in this process, by id.
        public var probes: [Probe]
        /// What was lost since the start, by reason.
        public var losses: [String: UInt64]
        /// What is wrong now, in words; empty when all is well.
        public var problems: [String]
        /// CPU time that the agent used itself since the start, in nanoseconds.
        public var ownCPUNanoseconds: UInt64
        /// Memory that the agent holds, in bytes.
        public var ownMemoryBytes: UInt64

        /// How one probe is.
        public struct Probe: Hashable, Sendable {
            /// The probe's id.
            public var id: String
            /// `pending`, `installed`, `failed`, `expired`, `tripped` or `disabled`; more may come.
            public var state: String
            /// Why it is in that state; may be empty.
            public var reason: String
            /// How often the code that it is in was reached.
            public var hits: UInt64
            /// Lines that it made.
            public var lines: UInt64
            /// Hits whose line was lost.
            public var dropped: UInt64
            /// CPU time that its hits cost the program's threads, in nanoseconds.
            public var cpuNanoseconds: UInt64
        }

        /// How the controller was when it was last asked.
        public struct Controller: RawRepresentable, Hashable, Sendable {
            /// The state's name, such as `connected`.
            public var rawValue: String

            /// A state from its name.
            public init(rawValue: String) { self.rawValue = rawValue }

            // Computed, because a constant is made at its first use, under a lock that a fork in
            // that moment would leave held in the child.
            /// It was not asked yet.
            public static var unknown: Controller { Controller(rawValue: "unknown") }
            /// It answers and knows this process.
            public static var connected: Controller { Controller(rawValue: "connected") }
            /// It takes profiles but cannot control agents, as stock Pyroscope.
            public static var withoutControl: Controller {
                Controller(rawValue: "withoutControl")
            }
            /// It does not answer, or not as a controller does.
            public static var unreachable: Controller { Controller(rawValue: "unreachable") }
        }
    }
}

extension Sonde.Status {
    /// The status where no agent runs.
    init(inert reason: String) {
        self.init(
            isRunning: false, instance: "", controller: .unknown, samplesCPU: false, hertz: 0,
            samples: 0, profilesSent: 0, profilesWaiting: 0, linesSent: 0, linesWaiting: 0,
            probes: [], losses: [:], problems: [reason],
            ownCPUNanoseconds: 0, ownMemoryBytes: 0)
    }

    /// Makes the Swift runtime ready for everything that a status needs.
    ///
    /// The runtime makes generic types at their first use, under locks that it does not look after
    /// in a fork. A child that is forked while another thread asks for the first status would wait
    /// for such a lock for ever; so the first one is made before anybody else can ask.
    static func readyTypes(of agent: Agent) {
        _ = Self(agent)
        _ = Self(inert: "")
    }

    /// The status of an agent.
    init(_ agent: Agent) {
        let report = agent.report
        let controller: Controller =
            switch agent.contact {
            case .unknown: .unknown
            case .connected: .connected
            case .noControl: .withoutControl
            case .unreachable: .unreachable
            }
        self.init(
            isRunning: !agent.hasStopped, instance: agent.identity.instance,
            controller: controller, samplesCPU: report.cpu?.enabled ?? false,
            hertz: report.cpu?.hertz ?? 0, samples: report.cpu?.samples ?? 0,
            profilesSent: report.profilesSent, profilesWaiting: agent.waitingProfiles,
            linesSent: agent.lines.sent, linesWaiting: agent.lines.waiting,
            probes: report.probes.map(Probe.init),
            losses: Dictionary(report.losses.map { ($0.reason, $0.count) }) { $0 &+ $1 },
            problems: report.problems, ownCPUNanoseconds: report.ownCPUNanos,
            ownMemoryBytes: report.ownMemoryBytes)
    }
}

extension Sonde.Status.Probe {
    init(_ report: ProbeReport) {
        self.init(
            id: report.id, state: report.state, reason: report.reason, hits: report.hits,
            lines: report.lines, dropped: report.dropped.reduce(0) { $0 &+ $1.count },
            cpuNanoseconds: report.ownCPUNanos)
    }
}
