/* SPDX-License-Identifier: Apache-2.0 */
/* libunwind: the peer of Benchmarks/CaptureStack. Never part of the agent.  */
#pragma once
#define UNW_LOCAL_ONLY
#include <libunwind.h>
