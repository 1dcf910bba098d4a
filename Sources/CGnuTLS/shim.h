/* SPDX-License-Identifier: Apache-2.0 */
/* GnuTLS: digests and random bytes for tokens. */
#pragma once
#include <gnutls/gnutls.h>
#include <gnutls/crypto.h>
