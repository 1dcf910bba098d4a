/* SPDX-License-Identifier: Apache-2.0 */
/* libcurl: the HTTP client of both ends. */
#pragma once
#include <curl/curl.h>
