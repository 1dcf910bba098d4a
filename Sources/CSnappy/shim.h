/* SPDX-License-Identifier: Apache-2.0 */
/* snappy: the compression of Loki's and Prometheus' push bodies. */
#pragma once
#include <snappy-c.h>
