// SPDX-License-Identifier: Apache-2.0
// The version that both ends state.

/// The version of this build of Sonde.
package enum SondeVersion {
    /// As semantic versioning writes it.
    package static let current = "0.1.0"
}
