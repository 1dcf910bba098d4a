// SPDX-License-Identifier: Apache-2.0
// What libsonde-agent.so calls to start the agent in a program that knows nothing of it.

internal import SondeAgent

/// Starts the agent with what the environment says.
///
/// Nothing in the program can hear of a failure, so it goes to the place that `SONDE_LOG` names;
/// and a service that should be there and is not is seen at the controller.
///
/// - Returns: 0 when the agent runs or is meant to be off, otherwise 1.
@c public func sonde_preloaded_start() -> Int32 {
    Sonde.startPreloaded() ? 0 : 1
}
