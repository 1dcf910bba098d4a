// SPDX-License-Identifier: Apache-2.0
// The keys of a configuration file that say which profiles are taken and kept.

internal import SondeQuery

extension ConfigurationKey {
    /// Which profiles are kept beyond their number of days, and which are taken.
    static let retentionKeys: [ConfigurationKey] = [
        ConfigurationKey(name: "retention_bytes", want: "bytes, such as 200GiB, or unlimited") {
            value, configuration in
            guard value.text != "unlimited" else {
                configuration.retentionBytes = nil
                return true
            }
            guard let bytes = value.bytes else { return false }
            configuration.retentionBytes = bytes
            return true
        },
        ConfigurationKey(
            name: "retention_rules",
            want: "a list of selectors and days, such as '{service_name=\"test\"} 3'"
        ) { value, configuration in
            guard let list = value.list else { return false }
            configuration.retentionRules = []
            for text in list {
                guard let blank = text.lastIndex(of: " "),
                    let days = Int(text[text.index(after: blank)...]),
                    (1...36_500).contains(days)
                else { return false }
                let selector = String(text[..<blank])
                guard (try? Selector(selector)) != nil else { return false }
                configuration.retentionRules.append((selector, days))
            }
            return true
        },
        ConfigurationKey(name: "accepted_days", want: "1...36500 or kept") {
            value, configuration in
            guard value.text != "kept" else {
                configuration.acceptedDays = nil
                return true
            }
            guard let days = value.integer(in: 1...36_500) else { return false }
            configuration.acceptedDays = days
            return true
        },
    ]
}
