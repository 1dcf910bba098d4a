// SPDX-License-Identifier: Apache-2.0
// Real debug info as the compiler asks for it.

import SondeModel
package import SondeSymbols

extension ProbeImage: DebugInfoSource {}
