// SPDX-License-Identifier: Apache-2.0
// The small services beside QuerierService: settings of Grafana's plugin, feature flags, version.

internal import SondeModel
internal import SondeStore

/// `settings.v1.SettingsService`, `capabilities.v1.FeatureFlagsService` and `version.v1.Version`.
enum SettingsProcedures {
    static func routes(_ services: Services) -> [Route] {
        let settings = "settings.v1.SettingsService/"
        return [
            ConnectProcedure.route(settings + "Get", services, get),
            ConnectProcedure.route(settings + "Set", services, set, permission: .develop),
            ConnectProcedure.route(settings + "Delete", services, delete, permission: .develop),
            ConnectProcedure.route(
                "capabilities.v1.FeatureFlagsService/GetFeatureFlags", services, featureFlags),
            ConnectProcedure.route("version.v1.Version/Version", services, version),
        ]
    }

    private static func get(
        _ request: EmptyMessage, _ call: ConnectCall, _ services: Services
    ) throws(APIError) -> SettingsResponse {
        let tenant = try tenant(call, services)
        var response = SettingsResponse()
        response.settings = try APIError.ofStore { () throws(StoreError) in
            try services.control.pluginSettings(of: tenant)
        }.map(SettingMessage.init)
        return response
    }

    private static func set(
        _ request: SettingEnvelope, _ call: ConnectCall, _ services: Services
    ) throws(APIError) -> SettingEnvelope {
        guard let message = request.setting, !message.name.isEmpty else {
            throw APIError(
                .invalidArgument, "cannot set setting: got no name; want a setting with a name")
        }
        let now = services.now()
        let setting = PluginSetting(
            name: message.name, value: message.value,
            modified: message.modifiedAt > 0
                ? Timestamp(unixMilliseconds: message.modifiedAt) : now)
        let tenant = try tenant(call, services)
        try APIError.ofStore { () throws(StoreError) in
            try services.control.setPluginSetting(
                setting, of: tenant, by: call.request.principal.name, now: now)
        }
        var response = SettingEnvelope()
        response.setting = SettingMessage(setting)
        return response
    }

    private static func delete(
        _ request: SettingName, _ call: ConnectCall, _ services: Services
    ) throws(APIError) -> EmptyMessage {
        guard !request.name.isEmpty else {
            throw APIError(.invalidArgument, "cannot delete setting: got no name; want one")
        }
        let tenant = try tenant(call, services)
        try APIError.ofStore { () throws(StoreError) in
            try services.control.removePluginSetting(
                request.name, of: tenant, by: call.request.principal.name, now: services.now())
        }
        return EmptyMessage()
    }

    private static func featureFlags(
        _ request: EmptyMessage, _ call: ConnectCall, _ services: Services
    ) throws(APIError) -> FeatureFlagsResponse {
        var flag = FeatureFlag()
        flag.name = "utf8LabelNames"
        flag.enabled = true
        flag.description = "Label names may be any text in UTF-8."
        var response = FeatureFlagsResponse()
        response.featureFlags = [flag]
        return response
    }

    private static func version(
        _ request: EmptyMessage, _ call: ConnectCall, _ services: Services
    ) throws(APIError) -> VersionResponse {
        var response = VersionResponse()
        response.querierAPI = 1
        return response
    }

    /// Whose settings: each tenant has its own; without tenancy there is one set of them.
    static func tenant(
        _ call: ConnectCall, _ services: Services
    ) throws(APIError) -> String {
        let tenants = try services.tenant(of: call.request).tenants ?? []
        guard tenants.count <= 1 else {
            throw APIError(
                .invalidArgument,
                "cannot serve \(tenants.count) tenants at once: what people keep is of one; want one"
            )
        }
        return tenants.first ?? ""
    }
}

extension SettingMessage {
    fileprivate init(_ setting: PluginSetting) {
        self.init()
        name = setting.name
        value = setting.value
        modifiedAt = setting.modified.unixMilliseconds
    }
}
