// SPDX-License-Identifier: Apache-2.0
// Tokens in the data folder of a controller that does not run: how the first one comes to be.

internal import SondeModel
internal import SondeStore

/// The data folder of a controller that does not run.
///
/// Whoever may write the folder owns everything in it, so no token is asked for. The folder's lock
/// keeps a running controller and this program apart.
struct StoppedController {
    private let store: ControlStore

    /// Opens a data folder, which is created when it is not there, for this user only.
    init(_ folder: String) throws(CommandFailure) {
        do {
            store = try ControlStore(DataFolder(folder))
        } catch {
            throw CommandFailure(
                error.message.forTerminal,
                advice: ["a running controller makes tokens itself: leave --data out"])
        }
    }

    /// Who makes the changes, for the audit log.
    private static let who = "data folder"

    private var now: Timestamp { Timestamp(unixMilliseconds: Quantity.nowMilliseconds()) }

    /// Makes a token.
    func createToken(
        name: String, role: String, expiresMs: Int64?
    ) throws(CommandFailure) -> NewToken {
        guard let role = Role(rawValue: role) else {
            throw CommandFailure.usage(
                "--role: got \"\(role.forTerminal)\"; want "
                    + ValueKind.list(Role.allCases.map(\.rawValue)))
        }
        do {
            return try store.createToken(
                name: name, role: role, expires: expiresMs.map(Timestamp.init(unixMilliseconds:)),
                by: Self.who, now: now)
        } catch {
            throw CommandFailure(error.message.forTerminal)
        }
    }

    /// All tokens.
    func tokens() -> [Token] { store.tokens() }

    /// Ends a token.
    func revokeToken(_ id: String) throws(CommandFailure) {
        do {
            try store.revokeToken(id: id, by: Self.who, now: now)
        } catch {
            throw CommandFailure(error.message.forTerminal)
        }
    }
}
