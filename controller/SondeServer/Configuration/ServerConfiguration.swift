// SPDX-License-Identifier: Apache-2.0
// What the controller goes by.

package import SondeAPI
package import SondeExport

/// What the controller goes by.
///
/// Every value has its key in the configuration file, see docs/configuration.md; flags of
/// `sonde serve` are set over what the file says.
package struct ServerConfiguration: Sendable {
    /// The address to listen on: `host:port`; port 0 takes one that is free.
    package var listen = "127.0.0.1:4040"
    /// The folder of all data.
    package var dataFolder: String
    /// The certificate chain, a PEM file; with ``tlsKey`` the controller speaks HTTPS.
    package var tlsCertificate: String?
    /// The certificate's key, a PEM file.
    package var tlsKey: String?
    /// Whether an address that others reach may be served without tokens and without TLS.
    package var isInsecure = false
    /// Whether requests need a token; `nil`: on loopback no, elsewhere yes, insecure no.
    package var requiresToken: Bool?
    /// Names under which the controller is asked, beside those of this machine.
    package var allowedHosts: Set<String> = []
    /// How many days profiles are kept; `nil` for ever.
    package var retentionDays: Int? = 31
    /// The most bytes of profiles, after which the oldest days go; `nil` for no bound.
    package var retentionBytes: Int?
    /// Series that are kept for less: selectors and days.
    package var retentionRules: [(selector: String, days: Int)] = []
    /// How many days back profiles are taken; `nil` for all that are kept.
    package var acceptedDays: Int?
    /// How many days log lines are kept; `nil` for ever.
    package var logRetentionDays: Int? = 31
    /// Where log lines are forwarded to; `nil` for nowhere.
    package var lokiExport: LokiExportSettings?
    /// The most bytes of lines that wait on disk to be forwarded.
    package var lokiSpoolBytes = 1 << 30
    /// Where profiles are forwarded to; `nil` for nowhere.
    package var pyroscopeExport: ExportTarget?
    /// The most bytes of profiles that wait on disk to be forwarded.
    package var pyroscopeSpoolBytes = 1 << 30
    /// Folders with the source files of the services.
    package var sourceRoots: [String] = []
    /// Where people look at source files: an address with `{path}`; empty for nowhere.
    package var sourceLink = ""
    /// Beginnings of recorded paths that ``sourceLink`` leaves out.
    package var sourcePrefixes: [String] = []
    /// The most bytes of uploaded source files on disk, after which the oldest builds' go.
    package var sourceBundleBytes = 1 << 30
    /// Events of the log below this level are left out.
    package var logLevel = Log.Level.info
    /// What is accepted.
    package var limits = APILimits()
    /// Whether `X-Scope-OrgID` keeps the profiles of tenants apart.
    package var hasTenants = false
    /// Limits of single tenants, by the tenant's and the limit's name.
    package var tenantLimits: [String: [String: Int]] = [:]
    /// The most open connections.
    package var maximumConnections = 4096
    /// The most bytes of a request's head.
    package var maximumHeadBytes = 32 << 10
    /// How many seconds a client may take for a request's head, or be idle.
    package var headSeconds = 60
    /// How many seconds a client may take for a body or for reading an answer, beside one second
    /// for each 16 KiB.
    package var transferSeconds = 60
    /// Threads that answer readers, and as many for what agents send.
    package var workerThreads = 4
    /// How many seconds running requests get to finish when the controller stops.
    package var stopSeconds = 10

    /// A configuration with the defaults.
    package init(dataFolder: String) { self.dataFolder = dataFolder }
}
