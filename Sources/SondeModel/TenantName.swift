// SPDX-License-Identifier: Apache-2.0
// What a tenant may be called, in the agent, the command line and the controller alike.

/// The names of tenants, as `X-Scope-OrgID` carries them.
package enum TenantName {
    /// What a name is made of, for messages.
    package static let form = "at most 150 letters, digits and !-_.*'()"

    /// Whether a text may name a tenant.
    package static func isValid(_ name: String) -> Bool {
        let utf8 = name.utf8
        guard (1...150).contains(utf8.count), name != ".", name != ".." else { return false }
        return utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                true
            default: "!-_.*'()".utf8.contains(byte)
            }
        }
    }
}
