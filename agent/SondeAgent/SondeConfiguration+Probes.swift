// SPDX-License-Identifier: Apache-2.0
// What a program may tell the agent about probes; the controller cannot change any of it.

extension Sonde {
    /// What probes may do in this process.
    ///
    /// The controller cannot change any of it. A list that is given here is added to the
    /// environment's; of everything else a value given here beats the environment.
    ///
    ///     var configuration = Sonde.Configuration(service: "bookmaker")
    ///     configuration.probes.deniedFiles = ["Vault/"]
    ///     configuration.probes.hiddenNames = ["customerNumber"]
    ///     try Sonde.start(configuration)
    public struct Probes: Hashable, Sendable {
        /// Whether probes are installed; `SONDE_PROBES=on`, `read-only` or `off`.
        ///
        /// Default: on, and the service's code is as it was built until somebody adds a probe.
        public var mode: Mode?
        /// Source files that may not be probed; `SONDE_PROBE_DENY_FILES`, a list with commas.
        ///
        /// `Auth/Login.swift` is a path's end, `Auth/` everything in a folder of that name.
        public var deniedFiles: [String] = []
        /// Functions that may not be probed; `SONDE_PROBE_DENY_FUNCTIONS`, a list with commas.
        ///
        /// `Vault.open` is that function, `Vault` everything in a type or module of that name.
        public var deniedFunctions: [String] = []
        /// Names whose values are not shown, beside the built-in ones; `SONDE_PROBE_HIDE_NAMES`.
        ///
        /// `-card` takes a name off the built-in list. docs/agent.md says what is on it.
        public var hiddenNames: [String] = []
        /// Patterns of values that are not shown; `SONDE_PROBE_HIDE_VALUES`, a list with commas.
        ///
        /// `#` is a digit, `?` any byte but a blank, `*` any number of those: `####-####`, `sk_*`.
        public var hiddenValues: [String] = []
        /// The most lines per second of all probes; `SONDE_PROBE_LINES_PER_SECOND`, 5000.
        public var linesPerSecond: Double?
        /// The most CPU time of all probes, in percent of a core; `SONDE_PROBE_CPU_PERCENT`, 5.
        public var cpuPercent: Double?
        /// The bytes of the rings in which hits leave their records; `SONDE_PROBE_RING_BYTES`, 4194304.
        ///
        /// Memory is used with the first probe. When they are full, lines are dropped and counted.
        public var ringBytes: Int?
        /// The most bytes of lines that wait for delivery; `SONDE_LOG_QUEUE_BYTES`, 16777216.
        public var queueBytes: Int?

        /// Probes as the environment and the defaults say.
        public init() {}

        /// Whether probes are installed.
        ///
        /// Not an enumeration, so that a later version can add one without breaking a `switch`.
        public struct Mode: RawRepresentable, Hashable, Sendable {
            /// The mode's name, as `SONDE_PROBES` has it.
            public var rawValue: String

            /// A mode from its name.
            public init(rawValue: String) { self.rawValue = rawValue }

            /// Probes are installed.
            public static let on = Mode(rawValue: "on")
            /// Programs are taken and checked; the service's code stays as it is.
            public static let readOnly = Mode(rawValue: "read-only")
            /// Probes are refused unseen.
            public static let off = Mode(rawValue: "off")
        }
    }
}
