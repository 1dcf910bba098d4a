// SPDX-License-Identifier: Apache-2.0
// `sonde serve`: the controller.

internal import Glibc
internal import SondeAPI
internal import SondeServer

extension CommandDescription {
    /// `sonde serve`.
    package static let serve: CommandDescription = {
        var command = CommandDescription("serve", "run the controller")
        command.discussion = [
            "Keeps what agents send and answers everything else: the other commands, the page at / and"
                + " the HTTP API, all on one port. It prints its address to standard output once it"
                + " listens, writes its log to standard error, and ends on SIGTERM or Ctrl-C after the"
                + " running requests; a second one ends it at once.",
            "On a loopback address it asks for no token. On any other address it does, and refuses to"
                + " start before there is one (sonde token create --data DIR --role admin), unless"
                + " --insecure says that everybody who reaches the port may do everything.",
            "All data is in one folder, which belongs to one controller at a time. Options win over"
                + " the configuration file, which wins over the defaults.",
        ]
        command.options = [
            OptionDescription(
                "listen", "HOST:PORT", .text, "The address to listen on; port 0 takes a free one.",
                standard: "127.0.0.1:4040"),
            OptionDescription(
                "data", "DIR", .folder, "The folder of all data, created when missing.",
                standard: "/var/lib/sonde for root, otherwise $XDG_STATE_HOME/sonde or"
                    + " ~/.local/state/sonde"),
            OptionDescription(
                "config", "FILE", .file, "A configuration file in YAML; see docs/configuration.md."),
            OptionDescription(
                "tls-cert", "FILE", .file,
                "The certificate chain (PEM): with --tls-key the controller speaks https."),
            OptionDescription("tls-key", "FILE", .file, "The certificate's private key (PEM)."),
            OptionDescription(
                "insecure", nil, .text,
                "Serve other machines without tokens: everybody who reaches the port may do everything."
            ),
            OptionDescription(
                "retention", "DAYS", .integer(1...36_500), "How many days profiles are kept.",
                standard: "31"),
            OptionDescription(
                "log-level", "LEVEL", .choice(Log.Level.allCases.map(\.rawValue)),
                "Leave out events of the log below this level.", standard: "info"),
        ]
        command.examples = [
            .init("sonde serve", "For this machine alone, on http://127.0.0.1:4040."),
            .init("sonde serve --data ./data --listen 127.0.0.1:0", "To try something."),
            .init(
                "sonde serve --listen 0.0.0.0:4040 --tls-cert cert.pem --tls-key key.pem",
                "For other machines, with tokens and https."),
        ]
        command.run = { try runServer($0, $1) }
        return command
    }()
}

private func runServer(_ invocation: Invocation, _ surroundings: Surroundings) throws {
    let server: ControllerServer
    let address: ServerAddress
    do throws(ServerError) {
        server = try ControllerServer(serverConfiguration(invocation, surroundings.environment))
        address = try server.start()
    } catch {
        throw CommandFailure(error.message.forTerminal)
    }
    do {
        try surroundings.output.write("sonde listens on \(address.url)\n")
    } catch {
        // Nobody has to read the address for the controller to do its work.
        surroundings.note("sonde listens on \(address.url)")
    }
    server.waitForSignal()
    server.stop()
}

/// The configuration by defaults, file and options, each over the one before.
func serverConfiguration(
    _ invocation: Invocation, _ environment: [String: String]
) throws(ServerError) -> ServerConfiguration {
    let folder = StandardFolder.data(environment, isRoot: geteuid() == 0)
    var configuration = ServerConfiguration(dataFolder: invocation.values["data"] ?? folder ?? "")
    if let file = invocation.values["config"] {
        try ConfigurationFile.read(file, into: &configuration)
    }
    if let listen = invocation.values["listen"] { configuration.listen = listen }
    if let data = invocation.values["data"] { configuration.dataFolder = data }
    if let certificate = invocation.values["tls-cert"] {
        configuration.tlsCertificate = certificate
    }
    if let key = invocation.values["tls-key"] { configuration.tlsKey = key }
    if invocation.values["insecure"] != nil { configuration.isInsecure = true }
    if let days = invocation.values["retention"].flatMap({ Int($0) }) {
        configuration.retentionDays = days
    }
    if let level = invocation.values["log-level"].flatMap({ Log.Level(rawValue: $0) }) {
        configuration.logLevel = level
    }
    guard !configuration.dataFolder.isEmpty else {
        throw ServerError(
            .dataFolder,
            "cannot choose a data folder: neither HOME nor XDG_STATE_HOME is set; want --data DIR")
    }
    return configuration
}
