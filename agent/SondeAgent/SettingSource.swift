// SPDX-License-Identifier: Apache-2.0
// Reads settings from environment variables, with errors that name the variable.

internal import SondeModel

/// The environment as a source of settings; an empty variable counts as absent.
struct SettingSource {
    private let environment: (String) -> String?

    init(_ environment: @escaping (String) -> String?) { self.environment = environment }

    /// The variable's value.
    subscript(name: String) -> String? {
        guard let value = environment(name), !value.isEmpty else { return nil }
        return value
    }

    /// A variable that is on or off.
    func isOn(_ name: String) throws(SondeError) -> Bool? {
        guard let value = self[name] else { return nil }
        switch value.lowercased() {
        case "1", "on", "yes", "true": return true
        case "0", "off", "no", "false": return false
        default: throw refusal(name, value, want: "on or off")
        }
    }

    /// `SONDE_PROFILE`: whether CPU time is sampled.
    func profile() throws(SondeError) -> Bool? {
        guard let value = self["SONDE_PROFILE"] else { return nil }
        switch value.lowercased() {
        case "cpu": return true
        case "off": return false
        default: throw refusal("SONDE_PROFILE", value, want: "cpu or off")
        }
    }

    /// The tenant that the program gave, or the variable's.
    func tenant(_ given: String?) throws(SondeError) -> String? {
        let name = given ?? self["SONDE_TENANT"]
        guard let name, !TenantName.isValid(name) else { return name }
        throw refusal(given == nil ? "SONDE_TENANT" : "tenant", name, want: TenantName.form)
    }

    /// The elements of a list with commas, without the blanks around them.
    func list(_ name: String) -> [String] {
        (self[name] ?? "").split(separator: ",").map { element in
            var rest = element.drop { $0 == " " }
            while rest.last == " " { rest.removeLast() }
            return String(rest)
        }.filter { !$0.isEmpty }
    }

    /// A number that the program gave, or the variable's, or the default.
    func number(
        _ given: Double?, _ givenName: String, _ name: String, in range: ClosedRange<Double>,
        default fallback: Double
    ) throws(SondeError) -> Double {
        let want = "a number from \(Self.text(range.lowerBound)) to \(Self.text(range.upperBound))"
        if let given {
            guard range.contains(given) else {
                throw refusal(givenName, Self.text(given), want: want)
            }
            return given
        }
        guard let value = self[name] else { return fallback }
        guard let number = Double(value), range.contains(number) else {
            throw refusal(name, value, want: want)
        }
        return number
    }

    private static func text(_ number: Double) -> String {
        Int64(exactly: number).map { String($0) } ?? String(number)
    }

    /// The error for a value that cannot be used.
    func refusal(_ name: String, _ value: String, want: String) -> SondeError {
        SondeError(.invalidConfiguration, "cannot use \(name): got \"\(value)\"; want \(want)")
    }
}
