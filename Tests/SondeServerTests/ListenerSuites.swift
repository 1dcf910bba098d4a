// SPDX-License-Identifier: Apache-2.0
// The suites that start controllers, one after another: some of them look at what this process holds.

import Testing

/// The suites that start controllers.
///
/// Memory and file descriptors are the whole process's, so nobody else may start one meanwhile.
@Suite(.serialized) enum ListenerSuites {}
