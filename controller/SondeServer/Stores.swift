// SPDX-License-Identifier: Apache-2.0
// Opens everything that lies in the data folder, and gives it to the endpoints.

internal import SondeAPI
internal import SondeModel
internal import SondeStore
internal import SondeSymbols
internal import Synchronization

/// Everything that lies in the data folder, open.
struct Stores: Sendable {
    /// Holds the folder's lock as long as the controller runs.
    let folder: DataFolder
    let control: ControlStore
    let images: ImageStore
    let sources: SourceStore
    let profiles: SQLiteProfileStore
    /// Limits that were set at run time, by tenant.
    let tenantLimits: [String: [String: Int]]
    let logs: SQLiteLogStore

    /// Opens the data folder.
    ///
    /// - Throws: ``ServerError`` with the store's own sentence.
    init(_ configuration: ServerConfiguration, _ log: Log) throws(ServerError) {
        let keep = try SQLiteProfileStore.Configuration(configuration, log)
        do throws(StoreError) {
            folder = try DataFolder(configuration.dataFolder)
            control = try ControlStore(folder)
            tenantLimits = try control.tenantLimits()
            images = try ImageStore(folder, maximumFileBytes: configuration.limits.imageBytes)
            sources = try SourceStore(
                folder, limitBytes: Int64(configuration.sourceBundleBytes))
            profiles = try SQLiteProfileStore(folder, configuration: keep)
            var keepLogs = SQLiteLogStore.Configuration()
            keepLogs.retentionDays = configuration.logRetentionDays
            keepLogs.streams = configuration.limits.logStreams
            logs = try SQLiteLogStore(folder, configuration: keepLogs)
        } catch {
            throw ServerError(.dataFolder, error.message)
        }
    }

    /// What the endpoints stand on.
    ///
    /// - Parameters:
    ///   - configuration: What the controller goes by.
    ///   - log: The controller's own log.
    ///   - listener: What the listener is at.
    ///   - exports: What forwards to other servers.
    ///   - maintenance: Looks after the profiles.
    /// - Returns: The services.
    func services(
        _ configuration: ServerConfiguration, _ log: Log, _ listener: ListenerState,
        _ exports: Exports, _ maintenance: StoreMaintenance
    ) -> Services {
        let symbols = CachingSymbolizer { [images] in images.files($0).map(\.path) }
        let catalog = ImageCatalog(
            images, inspect: ImageInspection.facts, arrived: { symbols.imageArrived($0) })
        var services = Services(
            profiles: profiles, logs: logs, control: control, images: catalog, symbols: symbols,
            log: log)
        services.storeCare = maintenance.care
        services.symbolNotes = { ImageInspection.notes($0, symbols) }
        services.symbolFigures = {
            let size = symbols.figures
            return [("images", Double(size.images)), ("answers", Double(size.answers))]
        }
        services.limits = configuration.limits
        services.hasTenants = configuration.hasTenants
        services.tenants = TenantRegistry(
            defaults: configuration.limits.tenant, configured: configuration.tenantLimits,
            set: tenantLimits)
        services.sources = SourceSettings(
            roots: configuration.sourceRoots, link: configuration.sourceLink,
            prefixes: configuration.sourcePrefixes)
        services.bundles = sources
        services.logRate = configuration.limits.logRate
        services.listenerFigures = { listener.figures }
        exports.join(&services)
        services.notReady = {
            listener.isDraining.load(ordering: .relaxed)
                ? "cannot serve: the controller is stopping; want it started again" : nil
        }
        return services
    }
}
