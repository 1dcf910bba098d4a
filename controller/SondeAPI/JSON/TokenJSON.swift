// SPDX-License-Identifier: Apache-2.0
// Tokens as JSON: one shape for the endpoint and for work on a stopped controller's folder.

internal import SondeModel
package import SondeStore

/// What `GET` and `POST /api/v1/tokens` answer, and `sonde token --json` prints.
package enum TokenJSON {
    /// All tokens, without their secrets.
    package static func list(_ tokens: [Token]) -> JSONWriter {
        var json = JSONWriter()
        json.object { json in
            json.member("tokens") { json in
                json.array(tokens) { json, token in
                    json.object { write(token, to: &$0) }
                }
            }
        }
        return json
    }

    /// A token that was just made, with the text that is shown this once.
    package static func created(_ created: NewToken) -> JSONWriter {
        var json = JSONWriter()
        json.object { json in
            write(created.token, to: &json)
            json.member("token", created.text)
        }
        return json
    }

    private static func write(_ token: Token, to json: inout JSONWriter) {
        json.member("id", token.id)
        json.member("name", token.name)
        json.member("role", token.role.rawValue)
        json.member("createdMs", token.created.unixMilliseconds)
        json.member("expiresMs") { writeTime(token.expires, to: &$0) }
        json.member("lastUsedMs") { writeTime(token.lastUsed, to: &$0) }
    }

    private static func writeTime(_ time: Timestamp?, to json: inout JSONWriter) {
        if let time { json.value(time.unixMilliseconds) } else { json.null() }
    }
}
