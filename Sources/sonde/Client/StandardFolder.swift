// SPDX-License-Identifier: Apache-2.0
// Where the controller's data lies when nobody says otherwise.

/// Folders by convention.
package enum StandardFolder {
    /// The controller's data folder.
    ///
    /// Source: the Filesystem Hierarchy Standard for root, the XDG Base Directory Specification for
    /// everybody else: profiles are state, which is not worth a backup but survives a restart.
    ///
    /// - Parameters:
    ///   - environment: May hold `XDG_STATE_HOME` and `HOME`. A path that does not begin at the root
    ///     is no path there, as the specification wants it.
    ///   - isRoot: Whether root asks.
    /// - Returns: The folder, or `nil` when the environment names none.
    package static func data(_ environment: [String: String], isRoot: Bool) -> String? {
        if isRoot { return "/var/lib/sonde" }
        if let state = environment["XDG_STATE_HOME"], state.hasPrefix("/") {
            return state + "/sonde"
        }
        guard let home = environment["HOME"], home.hasPrefix("/") else { return nil }
        return (home == "/" ? "" : home) + "/.local/state/sonde"
    }
}
