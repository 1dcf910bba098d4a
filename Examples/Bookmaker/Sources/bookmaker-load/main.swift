// SPDX-License-Identifier: Apache-2.0
// The load generator's start and end.

import Glibc

exit(LoadProgram().run())
