/* SPDX-License-Identifier: Apache-2.0 */
/* libmicrohttpd: the HTTP server. */
#pragma once
#include <microhttpd.h>
