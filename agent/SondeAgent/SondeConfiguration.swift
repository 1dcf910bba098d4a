// SPDX-License-Identifier: Apache-2.0
// What a program may tell the agent, and which environment variable says the same.

extension Sonde {
    /// What the agent should do.
    ///
    /// Every value may be left `nil`: then the environment variable that is named with it counts,
    /// and after that the default. A value given here beats the environment.
    ///
    ///     let sonde = try Sonde.start(.init(service: "bookmaker", version: "2.3.1"))
    public struct Configuration: Hashable, Sendable {
        /// The name under which the profiles are found; `SONDE_SERVICE`.
        ///
        /// One of the two is needed.
        public var service: String?
        /// The service's own version, a label of its profiles; `SONDE_VERSION`.
        public var version: String?
        /// The controller, or a Pyroscope server; `SONDE_URL`, `http://127.0.0.1:4040`.
        public var url: String?
        /// The agent's token, where the controller asks for one; `SONDE_TOKEN`.
        public var token: String?
        /// The tenant to whom profiles, lines and requests belong, where the controller keeps
        /// tenants apart; `SONDE_TENANT`.
        public var tenant: String?
        /// A PEM file with the certificates to trust instead of the system's; `SONDE_CA_FILE`.
        public var certificateFile: String?
        /// Labels of every profile; `SONDE_LABELS=region=eu,zone=b`.
        ///
        /// Both are put together; where a name stands in both, the value given here counts.
        public var labels: [String: String]
        /// Whether CPU time is sampled from the start; `SONDE_PROFILE=cpu` (default) or `off`.
        ///
        /// The controller may change it while the program runs.
        public var samplesCPU: Bool?
        /// Samples per second of CPU time, 1...1000; `SONDE_HERTZ`, 100.
        ///
        /// The controller may change it while the program runs.
        public var hertz: Double?
        /// Whether images are sent when the controller asks for them; `SONDE_UPLOAD=on` or `off`.
        ///
        /// An image is the program's file or that of a library, with its debug info. The controller
        /// needs it to show names. Default: on.
        public var uploadsImages: Bool?
        /// The most bytes of profiles that wait for delivery; `SONDE_QUEUE_BYTES`, 16777216.
        ///
        /// Beyond that the oldest are dropped and counted.
        public var queueBytes: Int?
        /// The most seconds that a profile waits for delivery; `SONDE_QUEUE_SECONDS`, 3600.
        public var queueSeconds: Double?
        /// A file to which the agent adds a line when something changes; `SONDE_LOG`.
        ///
        /// `stderr` is the standard error. Without it the agent prints nothing, ever.
        public var log: String?
        /// What probes may do in this process.
        public var probes = Probes()

        /// A configuration; what is not given is left to the environment and the defaults.
        public init(
            service: String? = nil, version: String? = nil, url: String? = nil,
            token: String? = nil, labels: [String: String] = [:], samplesCPU: Bool? = nil,
            hertz: Double? = nil
        ) {
            self.service = service
            self.version = version
            self.url = url
            self.token = token
            self.labels = labels
            self.samplesCPU = samplesCPU
            self.hertz = hertz
        }
    }
}
