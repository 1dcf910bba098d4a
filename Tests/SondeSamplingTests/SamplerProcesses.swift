// SPDX-License-Identifier: Apache-2.0
// All tests that start a sampled process, one after another: they burn CPU and measure it.

import Testing

/// The tests with processes of their own.
@Suite(.serialized) struct SamplerProcesses {}
