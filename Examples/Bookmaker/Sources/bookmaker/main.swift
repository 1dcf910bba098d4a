// SPDX-License-Identifier: Apache-2.0
// The service's start and end.

import Glibc

let program = Program()
exit(program.run())
